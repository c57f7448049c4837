extension Inference {
  /// The type of the slices that `gather` takes and `scatter` is given.
  static func slices(
    of type: TensorType, at indices: TensorType, dimensions: [Int], batch: Int, _ name: String
  ) throws(Diagnostic) -> TensorType {
    try require(
      indices.dtype == .i32 || indices.dtype == .i64, .typeMismatch,
      "\(name) has indices \(indices)", hint: "i32 or i64")
    let rank = type.shape.rank
    try require(
      (0...rank).contains(batch), .invalidAttribute, "\(name) has \(batch) batch dimensions")
    try expectDimensions(dimensions, rank: rank, from: batch, "\(name)'s dimensions")
    try require(
      indices.shape.rank >= batch + 1 && indices.shape.extents.last == dimensions.count
        && indices.shape.extents.prefix(batch) == type.shape.extents.prefix(batch),
      .shapeMismatch, "\(name) of \(type) with indices \(indices)",
      hint: "[B..., I..., k] with the \(batch) batch extents of the operand and k = "
        + "\(dimensions.count)")
    let kept = (batch..<max(rank, batch)).filter { !dimensions.contains($0) }
    let extents = indices.shape.extents.dropLast() + kept.map { type.shape[$0] }
    return TensorType(type.dtype, try shape(Array(extents), name))
  }
}

extension Gather {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(2, "gather", operands)
    let result = try Inference.slices(
      of: operands[0], at: operands[1], dimensions: dimensions, batch: batch, "gather")
    try Inference.require(
      result.shape.elementCount == 0 || dimensions.allSatisfy { operands[0].shape[$0] > 0 },
      .shapeMismatch, "gather takes elements of \(operands[0]), which has none")
    return [result]
  }
}

extension Scatter {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let name = "scatter_\(function.rawValue)"
    try Inference.expect(3, name, operands)
    switch function {
    case .sum, .product:
      try Inference.require(operands[0].dtype, in: [.float, .signed, .unsigned], name)
    case .assign, .max, .min: break
    }
    let updates = try Inference.slices(
      of: operands[0], at: operands[1], dimensions: dimensions, batch: batch, name)
    try Inference.require(
      operands[2] == updates, .shapeMismatch,
      "\(name) into \(operands[0]) at \(operands[1]) with updates \(operands[2])",
      hint: "the updates are \(updates)")
    return [operands[0]]
  }
}
