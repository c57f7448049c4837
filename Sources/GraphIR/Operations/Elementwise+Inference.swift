/// Sets of categories, made once: inference asks for them at every node.
private enum Categories {
  static let float: Set<DType.Category> = [.float]
  static let bits: Set<DType.Category> = [.signed, .unsigned, .bool]
  static let integers: Set<DType.Category> = [.signed, .unsigned]
  static let numbers: Set<DType.Category> = [.float, .signed, .unsigned]
  static let all: Set<DType.Category> = [.float, .signed, .unsigned, .bool]
}

extension UnaryFunction {
  /// The categories of numbers for which the function is defined.
  package var categories: Set<DType.Category> {
    switch self {
    case .negate, .abs, .sign: Categories.numbers
    case .exp, .expm1, .log, .log1p, .sqrt, .rsqrt, .sin, .cos, .tanh, .sigmoid, .softplus, .erf,
      .floor, .ceil, .round:
      Categories.float
    case .not: Categories.bits
    }
  }
}

extension BinaryFunction {
  /// The categories of numbers for which the function is defined.
  package var categories: Set<DType.Category> {
    switch self {
    case .add, .subtract, .multiply, .divide, .remainder, .power: Categories.numbers
    case .maximum, .minimum: Categories.all
    case .and, .or, .xor: Categories.bits
    case .shiftLeft, .shiftRightArithmetic, .shiftRightLogical: Categories.integers
    }
  }
}

extension Unary {
  /// The operation's name in text.
  public var mnemonic: String { function.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    try require(operands[0], isOneOf: function.categories)
    return operands
  }
}

extension Binary {
  /// The operation's name in text.
  public var mnemonic: String { function.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 2)
    try requireSame(operands[0], operands[1])
    try require(operands[0], isOneOf: function.categories)
    return [operands[0]]
  }
}

extension Compare {
  /// The operation's name in text.
  public var mnemonic: String { function.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 2)
    try requireSame(operands[0], operands[1])
    return [TensorType(.bool, operands[0].shape)]
  }
}

extension Select {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 3)
    guard operands[0].dtype == .bool else {
      throw refusal(
        .typeMismatch, "takes a condition of bool, not \(operands[0])",
        hint: "compare with zero, or convert to bool")
    }
    try requireSame(operands[1], operands[2])
    guard operands[0].shape == operands[1].shape else {
      throw refusal(
        .shapeMismatch,
        "takes a condition of its operands' shape, not \(operands[0]) for \(operands[1])",
        hint: "broadcast the condition to \(operands[1].shape)")
    }
    return [operands[1]]
  }
}

extension Clamp {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 3)
    try requireSame(operands[0], operands[1])
    try requireSame(operands[1], operands[2])
    try require(operands[1], isOneOf: Categories.numbers)
    return [operands[1]]
  }
}

extension Convert {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    return [TensorType(dtype, operands[0].shape)]
  }
}
