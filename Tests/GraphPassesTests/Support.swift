import GraphIR
import GraphPasses
import Interpreter
import Testing

/// The graph of a text `(inputs) -> outputs { ... }`.
func parse(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Graph {
  do {
    return try Graph.parse("graph @test\(text)", file: "test")
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
    throw error
  }
}

/// Inputs that hold everything an identity may fail on: NaN, infinities, both zeros, the extremes of integers.
func hardInputs(_ graph: Graph) -> [Literal] {
  let floats = [0, -0.0, 1, -1.5, .infinity, -.infinity, .nan, 3.25, 1e-40, -7, 65504, 0.1]
  return graph.inputs.enumerated().map { number, input in
    let count = input.type.shape.elementCount
    let values = (0..<count).map { position -> Double in
      // Another order for each input, so that special values meet one another.
      let index = position * (2 * number + 1) + 5 * number + position / floats.count
      switch input.type.dtype.category {
      case .float: return floats[index % floats.count]
      case .signed: return [0, 1, -1, 7, -1e30, 1e30, -100, 3][index % 8]
      case .unsigned: return [0, 1, 7, 1e30, 100, 3][index % 6]
      case .bool: return Double(index % 2)
      }
    }
    return Literal(input.type, doubles: values)
  }
}

/// Expects the same bits; any NaN equals any other.
func expectSame(
  _ found: [Literal], _ expected: [Literal], sourceLocation: SourceLocation = #_sourceLocation
) {
  for (a, b) in zip(found, expected) where a != b {
    #expect(a.type == b.type, sourceLocation: sourceLocation)
    let differs = zip(a.doubles(), b.doubles()).contains { a, b in
      !(a.isNaN && b.isNaN) && (a != b || a.sign != b.sign)
    }
    #expect(
      !differs, "\(a.doubles()) is not \(b.doubles())", sourceLocation: sourceLocation)
  }
}

/// Runs passes and removes what is dead; expects the operations that are left, and the same values.
func expect(
  _ passes: String..., of text: String, leave mnemonics: [String],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let graph = try parse(text, sourceLocation: sourceLocation)
  var optimized = graph
  try PassPipeline.named(passes + ["dce"]).run(&optimized)
  #expect(
    optimized.nodes.map(\.operation.mnemonic) == mnemonics, "\(optimized)",
    sourceLocation: sourceLocation)
  let inputs = hardInputs(graph)
  expectSame(
    try interpret(optimized, inputs), try interpret(graph, inputs),
    sourceLocation: sourceLocation)
}
