import GraphIR

/// Positions in row-major tensors, as lists of element numbers.
enum Positions {
  /// `offset + sum of i[d] * strides[d]` for every index i of a tensor of the given extents, in
  /// row-major order.
  static func affine(_ extents: [Int], strides: [Int], offset: Int = 0) -> [Int] {
    var positions = [offset]
    for (extent, stride) in zip(extents, strides) {
      var next: [Int] = []
      next.reserveCapacity(positions.count * extent)
      for position in positions {
        for index in 0..<extent { next.append(position + index * stride) }
      }
      positions = next
    }
    return positions
  }

  /// The positions reached by running over some dimensions of a shape, in the order in which they
  /// are listed.
  static func along(_ dimensions: [Int], of shape: Shape) -> [Int] {
    let strides = shape.strides
    return affine(dimensions.map { shape[$0] }, strides: dimensions.map { strides[$0] })
  }

  /// The dimensions of a rank that are not among the given ones, in order.
  static func remaining(rank: Int, without dimensions: [Int]) -> [Int] {
    (0..<rank).filter { !dimensions.contains($0) }
  }
}
