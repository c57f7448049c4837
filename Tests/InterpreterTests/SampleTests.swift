import GraphIR
import Interpreter
import TestSupport
import Testing

@Suite struct SampleTests {
  /// Every operation on every dtype, with nothing, one element, tails and special values.
  @Test(arguments: GraphIR.Operation.Kind.allCases)
  func everySampleGivesItsTypes(_ kind: GraphIR.Operation.Kind) throws {
    for sample in samples(of: kind) {
      let graph = try sample.graph()
      let inputs = sample.inputs()
      let outputs = try interpret(graph, inputs)
      #expect(outputs.map(\.type) == graph.nodes[0].types, "\(sample)")
      let wide = try interpret(graph, inputs, precision: .double)
      let scales = try magnitudes(of: graph.nodes[0], in: graph, inputs)
      for (index, output) in outputs.enumerated() {
        expectRounded(output, wide[index], scale: scales[index], sample)
      }
    }
  }

  /// A float result is the f64 result rounded once, and no greater than the sum of its absolute terms.
  private func expectRounded(
    _ typed: Literal, _ wide: Literal, scale: Literal, _ sample: OperationSample
  ) {
    guard typed.type.dtype.isFloat else {
      #expect(typed == wide, "\(sample)")
      return
    }
    let rounded = Literal(typed.type, doubles: wide.doubles()).doubles()
    let areEqual = zip(typed.doubles(), rounded).allSatisfy { x, y in
      x == y && x.sign == y.sign || x.isNaN && y.isNaN
    }
    #expect(areEqual, "\(sample)")
    let areBounded = zip(wide.doubles(), scale.doubles()).allSatisfy { value, scale in
      !value.isFinite || scale.isNaN || value.magnitude <= scale * (1 + 0x1p-40)
    }
    #expect(areBounded, "\(sample): a sum exceeds its absolute terms")
  }
}
