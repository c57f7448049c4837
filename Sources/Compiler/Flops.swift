import GraphIR

extension Graph {
  /// The floating-point operations of the contractions: two for each multiply-add.
  package var contractionFlops: Int {
    nodes.reduce(0) { $0 + flops(of: $1) }
  }

  /// The floating-point operations of a node's contraction; 0 for other nodes.
  package func flops(of node: Node) -> Int {
    let results = node.types.first?.shape.elementCount ?? 0
    switch node.operation {
    case .dot(let op):
      let lhs = type(of: node.operands[0]).shape
      return 2 * results * op.lhsContracting.reduce(1) { $0 * lhs[$1] }
    case .convolution:
      return 2 * results * type(of: node.operands[1]).shape.extents.dropLast().reduce(1, *)
    case .composite:
      return node.bodies.reduce(0) { $0 + $1.contractionFlops }
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .iota, .reshape,
      .broadcast, .transpose, .slice, .pad, .concatenate, .reverse, .reduce, .argReduce,
      .reduceWindow, .reduceWindowGradient, .gather, .scatter, .random:
      return 0
    }
  }
}
