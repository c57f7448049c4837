import GraphIR
import LoopIR

extension Lowerer {
  mutating func visit(_ op: Reduce) throws(Diagnostic) -> [Int] {
    if op.dimensions.isEmpty { return operands }
    let (index, folded, names) = reduced(op.dimensions)
    let node = FusionNode(
      kind: .fold(op.function), type: type, operands: operands, folded: folded,
      term: .read(operand: 0, index), names: names)
    return [add(node, label: "reduce_\(op.function.rawValue)")]
  }

  mutating func visit(_ op: ArgReduce) throws(Diagnostic) -> [Int] {
    let (index, folded, names) = reduced([op.dimension])
    if folded == [1] {
      let zero = FusionNode(kind: .map, type: type, term: .constant(0, type.dtype))
      return [add(zero, label: op.function.rawValue)]
    }
    let node = FusionNode(
      kind: .argFold(op.function), type: type, operands: operands, folded: folded,
      term: .read(operand: 0, index), names: names)
    return [add(node, label: op.function.rawValue)]
  }

  /// The index of the operand's elements with kept dimensions first, then the folded ones.
  private func reduced(
    _ dimensions: [Int]
  ) -> (index: [IndexExpression], folded: [Int], names: [String]) {
    let shape = operandTypes[0].shape
    let names = dimensionNames(rank: shape.rank)
    let kept = shape.extents.indices.filter { !dimensions.contains($0) }
    var index = [IndexExpression](repeating: 0, count: shape.rank)
    for (place, dimension) in (kept + dimensions).enumerated() {
      index[dimension] = .dimension(DimensionID(place))
    }
    return (index, dimensions.map { shape[$0] }, (kept + dimensions).map { names[$0] })
  }
}
