extension ReduceFunction {
  /// The categories of dtypes that the combination takes.
  package var categories: Set<DType.Category> {
    switch self {
    case .sum, .product: [.float, .signed, .unsigned]
    case .max, .min: [.float, .signed, .unsigned, .bool]
    }
  }
}

extension Reduce {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let name = "reduce_\(function.rawValue)"
    try Inference.expect(1, name, operands)
    try Inference.require(operands[0].dtype, in: function.categories, name)
    let shape = operands[0].shape
    try Inference.expectDimensions(dimensions, rank: shape.rank, "\(name)'s dimensions")
    let kept = shape.extents.indices.filter { !dimensions.contains($0) }
    return [TensorType(operands[0].dtype, Shape(kept.map { shape[$0] }))]
  }
}

extension ArgReduce {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(1, function.rawValue, operands)
    var shape = operands[0].shape
    try Inference.require(
      shape.extents.indices.contains(dimension), .invalidAttribute,
      "\(function.rawValue) of \(operands[0]) along dimension \(dimension)")
    try Inference.require(
      shape[dimension] > 0, .shapeMismatch,
      "\(function.rawValue) of \(operands[0]) along dimension \(dimension), which is empty")
    try Inference.require(
      dtype == .i32 || dtype == .i64, .invalidAttribute, "\(function.rawValue) gives \(dtype)",
      hint: "i32 or i64")
    shape.extents.remove(at: dimension)
    return [TensorType(dtype, shape)]
  }
}
