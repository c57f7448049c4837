extension ReduceFunction {
  /// The categories of numbers for which the function is defined.
  package var categories: Set<DType.Category> {
    switch self {
    case .sum, .product: [.float, .signed, .unsigned]
    case .max, .min: [.float, .signed, .unsigned, .bool]
    }
  }
}

extension Reduce {
  /// The operation's name in text.
  public var mnemonic: String { "\(Self.kind.rawValue)_\(function.rawValue)" }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    try require(operands[0], isOneOf: function.categories)
    try requireIncreasing("dimensions", dimensions, of: operands[0])
    let extents = operands[0].shape.extents.enumerated()
      .filter { !dimensions.contains($0.offset) }.map(\.element)
    return [TensorType(operands[0].dtype, try checkedShape(extents))]
  }
}

extension ArgReduce {
  /// The operation's name in text.
  public var mnemonic: String { function.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    let operand = operands[0]
    try requireInRange("dimension", [dimension], of: operand)
    var shape = operand.shape
    let extent = shape.extents.remove(at: dimension)
    guard extent > 0 else {
      throw refusal(
        .shapeMismatch, "finds no element along dimension \(dimension) of \(operand)",
        hint: "the extent there must be at least 1")
    }
    guard dtype == .i32 || dtype == .i64 else {
      throw refusal(.invalidAttribute, "cannot give \(dtype)", hint: "it gives i32 or i64")
    }
    guard dtype == .i64 || extent <= Int(Int32.max) else {
      throw refusal(
        .invalidAttribute, "along dimension \(dimension) of \(operand) gives more than i32 holds",
        hint: "use i64")
    }
    return [TensorType(dtype, try checkedShape(shape.extents))]
  }
}
