extension OperationAttributes {
  /// The type of `gather`'s result, which is also that of `scatter`'s updates.
  fileprivate func sliceType(
    _ x: TensorType, _ indices: TensorType, dimensions: [Int], batch: Int
  ) throws(Diagnostic) -> TensorType {
    guard indices.dtype == .i32 || indices.dtype == .i64 else {
      throw refusal(
        .typeMismatch, "takes i32 or i64 indices, not \(indices) for \(x)",
        hint: "convert the indices")
    }
    try require("batch", [batch], atLeast: 0, atMost: x.shape.rank)
    try requireIncreasing("dimensions", dimensions, of: x, from: batch)
    guard !dimensions.isEmpty else {
      throw refusal(
        .invalidAttribute, "indexes no dimension of \(x)", hint: "name at least one in dimensions")
    }
    guard indices.shape.rank >= batch + 1,
      indices.shape.extents[..<batch] == x.shape.extents[..<batch],
      indices.shape.extents.last == dimensions.count
    else {
      let leading = x.shape.extents[..<batch].map { "\($0), " }.joined()
      throw refusal(
        .shapeMismatch,
        "at dimensions \(dimensions) of \(x) cannot take indices \(indices)",
        hint: "the indices have the shape [\(leading)..., \(dimensions.count)]")
    }
    let kept = (batch..<x.shape.rank).filter { !dimensions.contains($0) }.map { x.shape[$0] }
    return TensorType(x.dtype, try checkedShape(indices.shape.extents.dropLast() + kept))
  }
}

extension Gather {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 2)
    let result = try sliceType(operands[0], operands[1], dimensions: dimensions, batch: batch)
    if let empty = dimensions.first(where: { operands[0].shape[$0] == 0 }),
      result.shape.elementCount > 0
    {
      throw refusal(
        .shapeMismatch, "finds no element along dimension \(empty) of \(operands[0])",
        hint: "the extent there must be at least 1, or the indices \(operands[1]) empty")
    }
    return [result]
  }
}

extension Scatter {
  /// The operation's name in text.
  public var mnemonic: String { "\(Self.kind.rawValue)_\(function.rawValue)" }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 3)
    switch function {
    case .assign: break
    case .sum, .product: try require(operands[0], isOneOf: [.float, .signed, .unsigned])
    case .max, .min: break
    }
    let updates = try sliceType(operands[0], operands[1], dimensions: dimensions, batch: batch)
    guard operands[2] == updates else {
      throw refusal(
        operands[2].dtype == updates.dtype ? .shapeMismatch : .typeMismatch,
        "into \(operands[0]) at \(operands[1]) cannot take updates \(operands[2])",
        hint: "the updates have the type \(updates)")
    }
    return [operands[0]]
  }
}
