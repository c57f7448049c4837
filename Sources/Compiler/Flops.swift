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

  /// The elements that a node computes, each times what is folded into it: for empty tensors, what would be.
  package func steps(of node: Node) -> Double {
    func count(_ type: TensorType?) -> Double { Double(max(type?.shape.elementCount ?? 1, 1)) }
    func size(_ window: Window) -> Double { window.size.reduce(1) { $0 * Double(max($1, 1)) } }
    let results = node.types.reduce(0) { $0 + count($1) }
    switch node.operation {
    case .dot(let op):
      let lhs = type(of: node.operands[0]).shape
      return op.lhsContracting.reduce(results) { $0 * Double(max(lhs[$1], 1)) }
    case .convolution:
      let filter = type(of: node.operands[1]).shape.extents
      return filter.dropLast().reduce(results) { $0 * Double(max($1, 1)) }
    case .reduceWindow(let op):
      return results * size(op.window)
    case .reduceWindowGradient(let op):
      return (results + count(type(of: node.operands[1]))) * size(op.window)
    case .composite:
      return node.bodies.reduce(results) { sum, body in
        body.nodes.reduce(sum) { $0 + body.steps(of: $1) }
      }
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .iota, .reshape,
      .broadcast, .transpose, .slice, .pad, .concatenate, .reverse, .reduce, .argReduce, .gather,
      .scatter, .random:
      return node.operands.reduce(results) { $0 + count(type(of: $1)) }
    }
  }
}
