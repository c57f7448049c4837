import GraphIR
import LoopIR

extension Lowerer {
  mutating func visit(_ op: Random) throws(Diagnostic) -> [Int] {
    let bounds = IndexBounds(extents: op.shape)
    let index = IndexExpression.linear(type.shape.counters, in: type.shape, bounds: bounds)
    let state: [Term] = [.read(operand: 0, [0]), .read(operand: 0, [1])]
    let node = FusionNode(
      kind: .map, type: type, operands: operands,
      term: .random(stream: op.stream, index: index, state, op.dtype))
    return [add(node, label: "random")]
  }
}
