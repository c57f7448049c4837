import GraphIR
import LoopIR

extension Lowerer {
  mutating func visit(_ op: Gather) throws(Diagnostic) -> [Int] {
    let (source, indices) = (operandTypes[0].shape, operandTypes[1].shape)
    let positions = indices.rank - 1
    let coordinates = op.dimensions.enumerated().map { place, dimension in
      coordinate(place, Array(type.shape.counters[..<positions]), below: source[dimension])
    }
    let index = slicePlaces(
      source, op.dimensions, batch: op.batch, counters: type.shape.counters, from: positions)
    let node = FusionNode(
      kind: .map, type: type, operands: operands, term: .read(operand: 0, index),
      coordinates: coordinates)
    return [add(node, label: "gather")]
  }

  mutating func visit(_ op: Scatter) throws(Diagnostic) -> [Int] {
    // The updates go into a copy of x, which becomes the result.
    let copy = add(
      FusionNode(
        kind: .map, type: type, operands: [operands[0]],
        term: .read(operand: 0, type.shape.counters), identity: graph.nodes.count + 1),
      label: "copy")
    let updates = operandTypes[2].shape
    let positions = operandTypes[1].shape.rank - 1
    let counters = (0..<updates.rank).map {
      IndexExpression.dimension(DimensionID(type.shape.rank + $0))
    }
    let coordinates = op.dimensions.indices.map { place in
      coordinate(place, Array(counters[..<positions]), below: nil)
    }
    let target = slicePlaces(
      type.shape, op.dimensions, batch: op.batch, counters: counters, from: positions)
    let node = FusionNode(
      kind: .scatter(op.function, target: target), type: type,
      operands: [copy, operands[1], operands[2]], folded: updates.extents,
      term: .read(operand: 2, counters), coordinates: coordinates)
    return [add(node, label: "scatter_\(op.function.rawValue)")]
  }

  /// The place-th coordinate of the slice at a position, of operand 1.
  private func coordinate(
    _ place: Int, _ position: [IndexExpression], below extent: Int?
  ) -> Coordinate {
    let read = Term.read(operand: 1, position + [IndexExpression(constant: place)])
    let wide = operandTypes[1].dtype == .i64 ? read : .apply(.convert, [read], .i64)
    return Coordinate(term: wide, clampedBelow: extent)
  }

  /// The index into x: batch counters, coordinates in their dimensions, the slice's counters in the others.
  private func slicePlaces(
    _ shape: Shape, _ dimensions: [Int], batch: Int, counters: [IndexExpression],
    from positions: Int
  ) -> [IndexExpression] {
    var next = positions
    return shape.extents.indices.map { dimension in
      if dimension < batch { return counters[dimension] }
      if let place = dimensions.firstIndex(of: dimension) {
        return IndexExpression(.instruction(place))
      }
      defer { next += 1 }
      return counters[next]
    }
  }
}
