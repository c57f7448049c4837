import GraphIR
import Interpreter
import Testing

/// With one input changed, outputs are what the whole graph gives, and nothing is computed that they do not need.
@Suite struct RecalculationTests {
  static let text = """
    graph @g(%x: f32[2], %y: f32[2], %z: f32[2]) -> (sum: f32[2], product: f32[2]) {
      %unused = exp %x : f32[2]
      %0 = exp %y : f32[2]
      %1 = add %x, %0 : f32[2]
      %2 = multiply %0, %y : f32[2]
      return %1, %2
    }

    """

  @Test(arguments: [Precision.typed, .double])
  func equalsTheWholeGraph(precision: Precision) throws {
    let graph = try Graph.parse(RecalculationTests.text, file: "g.mir")
    let inputs = [floats(1, 2), floats(0.5, -1), floats(3, 4)]
    let again = try Recalculation(graph, inputs, precision: precision)
    #expect(try again.outputs() == interpret(graph, inputs, precision: precision))
    for (index, count) in [1, 3, 0].enumerated() {
      var changed = inputs
      changed[index] = floats(0.25, 7)
      #expect(
        try again.outputs(changing: index, to: changed[index])
          == interpret(graph, changed, precision: precision))
      #expect(again.nodes(changedBy: index).count == count)
    }
    #expect(throws: Diagnostic.self) { try again.outputs(changing: 0, to: vector(.f32, [1])) }
  }
}
