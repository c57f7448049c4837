import GraphIR

extension Graph {
  /// The floating-point operations of the contractions: two for each multiply-add.
  ///
  /// At most `Int.max`.
  package var contractionFlops: Int { Int(saturating: contractions) }

  /// The floating-point operations of a node's contraction, at most `Int.max`; 0 for other nodes.
  package func flops(of node: Node) -> Int { Int(saturating: operations(of: node)) }

  /// Extents that each fit in an integer may have a product that does not.
  private var contractions: Double { nodes.reduce(0) { $0 + operations(of: $1) } }

  private func operations(of node: Node) -> Double {
    let results = Double(node.types.first?.shape.elementCount ?? 0)
    switch node.operation {
    case .dot(let op):
      let lhs = type(of: node.operands[0]).shape
      return op.lhsContracting.reduce(2 * results) { $0 * Double(lhs[$1]) }
    case .convolution(let op):
      let filter = type(of: node.operands[1]).shape.extents
      // Of the taps, about one in so many meets an element of a dilated input.
      let met = op.inputDilation.reduce(2 * results) { $0 / Double($1) }
      return filter.dropLast().reduce(met) { $0 * Double($1) }.rounded(.down)
    case .composite:
      return node.bodies.reduce(0) { $0 + $1.contractions }
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .iota, .reshape,
      .broadcast, .transpose, .slice, .pad, .concatenate, .reverse, .reduce, .argReduce,
      .reduceWindow, .reduceWindowGradient, .gather, .scatter, .random:
      return 0
    }
  }
}
