extension Window {
  /// The extents of the windows' tensor over a tensor of the given type.
  ///
  /// - Throws: a diagnostic in the operation's name when the window does not fit the type.
  func count(
    over type: TensorType, for operation: some OperationAttributes
  ) throws(Diagnostic) -> Shape {
    for (name, count) in [
      ("size", size.count), ("stride", stride.count), ("padding", padding.count),
      ("dilation", dilation.count),
    ] {
      try operation.require(
        name, count, perDimensionOf: "the dimensions", type, rank: type.shape.rank)
    }
    try operation.require("size", size, atLeast: 1)
    try operation.require("stride", stride, atLeast: 1)
    try operation.require("dilation", dilation, atLeast: 1)
    try operation.requirePaddingPairs(padding, atLeast: 0)
    var extents: [Int] = []
    for (d, extent) in type.shape.extents.enumerated() {
      let padded = extent + padding[d][0] + padding[d][1]
      let covered = try operation.spread(size[d], by: dilation[d])
      extents.append(padded < covered ? 0 : (padded - covered) / stride[d] + 1)
    }
    return try operation.checkedShape(extents)
  }
}

extension ReduceWindow {
  /// The operation's name in text.
  public var mnemonic: String { "\(Self.kind.rawValue)_\(function.rawValue)" }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    try require(operands[0], isOneOf: function.categories)
    return [TensorType(operands[0].dtype, try window.count(over: operands[0], for: self))]
  }
}

extension ReduceWindowGradient {
  /// The operation's name in text.
  public var mnemonic: String { "\(Self.kind.rawValue)_\(function.rawValue)" }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 2)
    switch function {
    case .max, .min: break
    case .sum, .product:
      throw refusal(
        .invalidAttribute, "is not an operation", hint: "only max and min have winners")
    }
    try require(operands[0], isOneOf: [.float])
    let windows = TensorType(operands[0].dtype, try window.count(over: operands[0], for: self))
    guard operands[1] == windows else {
      throw refusal(
        operands[1].dtype == windows.dtype ? .shapeMismatch : .typeMismatch,
        "of \(operands[0]) cannot take a gradient \(operands[1])",
        hint: "the windows' results have the type \(windows)")
    }
    return [operands[0]]
  }
}
