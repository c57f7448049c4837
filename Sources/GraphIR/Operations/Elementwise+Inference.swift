extension UnaryFunction {
  /// The categories of dtypes that the function takes.
  package var categories: Set<DType.Category> {
    switch self {
    case .negate, .abs, .sign: [.float, .signed, .unsigned]
    case .exp, .expm1, .log, .log1p, .sqrt, .rsqrt, .sin, .cos, .tanh, .sigmoid, .erf, .floor,
      .ceil, .round:
      [.float]
    case .not: [.signed, .unsigned, .bool]
    }
  }
}

extension BinaryFunction {
  /// The categories of dtypes that the function takes.
  package var categories: Set<DType.Category> {
    switch self {
    case .add, .subtract, .multiply, .divide, .remainder, .power: [.float, .signed, .unsigned]
    case .maximum, .minimum: [.float, .signed, .unsigned, .bool]
    case .and, .or, .xor: [.signed, .unsigned, .bool]
    case .shiftLeft, .shiftRightArithmetic, .shiftRightLogical: [.signed, .unsigned]
    }
  }
}

extension Unary {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(1, function.rawValue, operands)
    try Inference.require(operands[0].dtype, in: function.categories, function.rawValue)
    return operands
  }
}

extension Binary {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(2, function.rawValue, operands)
    try Inference.expectEqual(function.rawValue, operands[...])
    try Inference.require(operands[0].dtype, in: function.categories, function.rawValue)
    return [operands[0]]
  }
}

extension Compare {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(2, function.rawValue, operands)
    try Inference.expectEqual(function.rawValue, operands[...])
    return [TensorType(.bool, operands[0].shape)]
  }
}

extension Select {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(3, "select", operands)
    try Inference.require(
      operands[0].dtype == .bool, .typeMismatch, "select's condition is \(operands[0])",
      hint: "compare gives a bool condition")
    try Inference.expectEqual("select", operands[1...])
    try Inference.require(
      operands[0].shape == operands[1].shape, .shapeMismatch,
      "select's condition is \(operands[0]), its values are \(operands[1])",
      hint: "broadcast one of them")
    return [operands[1]]
  }
}

extension Clamp {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(3, "clamp", operands)
    try Inference.expectEqual("clamp", operands[...])
    try Inference.require(operands[0].dtype, in: [.float, .signed, .unsigned], "clamp")
    return [operands[1]]
  }
}

extension Convert {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(1, "convert", operands)
    return [TensorType(dtype, operands[0].shape)]
  }
}
