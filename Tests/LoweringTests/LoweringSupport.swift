import Differentiation
import GraphIR
import Interpreter
import LoopIR
import Lowering
import Testing

extension SplitMix64 {
  /// Numbers between -1 and 1 (floats), from -9 or 0 to 9 (integers), both truth values.
  mutating func literal(_ type: TensorType) -> Literal {
    let count = type.shape.elementCount
    let values: [Double] =
      switch type.dtype.category {
      case .float: (0..<count).map { _ in .random(in: -1...1, using: &self) }
      case .signed: (0..<count).map { _ in Double(Int.random(in: -9...9, using: &self)) }
      case .unsigned: (0..<count).map { _ in Double(Int.random(in: 0...9, using: &self)) }
      case .bool: (0..<count).map { _ in Double(Int.random(in: 0...1, using: &self)) }
      }
    return Literal(type, doubles: values)
  }
}

/// Builds a graph with inputs of the given types.
func makeGraph(
  _ types: [TensorType], _ build: (inout GraphBuilder, [Value]) throws -> [Value]
) throws -> Graph {
  var builder = GraphBuilder(name: "test")
  let inputs = types.enumerated().map { builder.input("x\($0)", $1) }
  let outputs = try build(&builder, inputs)
  return try builder.finish(outputs)
}

/// Lowers a graph, runs the program as its definition says, and compares with the interpreter.
///
/// Integers and bools must be equal; floats within `tolerance` of 1 + |reference|.
@discardableResult
func expectSame(
  _ graph: Graph, inputs: [Literal]? = nil, tolerance: Double? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws -> Program {
  var generator = SplitMix64(seed: 5)
  let inputs = inputs ?? graph.inputs.map { generator.literal($0.type) }
  let expected = try interpret(graph, inputs)
  var first: Program?
  for forbidsReuse in [false, true] {
    let program = try lower(graph, options: LoweringOptions(forbidsReuse: forbidsReuse))
    if first == nil { first = program }
    let found = try program.evaluate(inputs)
    for (place, (a, b)) in zip(found, expected).enumerated() {
      let message = mismatch(a, b, tolerance)
      #expect(
        message == nil, "output \(place): \(message ?? "")\n\(program)",
        sourceLocation: sourceLocation)
    }
  }
  return try #require(first)
}

/// The first difference of two literals; nil when there is none.
func mismatch(_ a: Literal, _ b: Literal, _ tolerance: Double?) -> String? {
  if a.type != b.type { return "\(a.type), not \(b.type)" }
  if !a.type.dtype.isFloat {
    return a.bytes == b.bytes ? nil : "\(a.doubles()), not \(b.doubles())"
  }
  let allowed = tolerance ?? 8 * (a.type.dtype.epsilon ?? 0)
  for (place, (x, y)) in zip(a.doubles(), b.doubles()).enumerated() {
    if x == y || x.isNaN && y.isNaN { continue }
    if !(abs(x - y) <= allowed * (1 + abs(y))) { return "element \(place): \(x), not \(y)" }
  }
  return nil
}
