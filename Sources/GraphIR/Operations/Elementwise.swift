/// A function of one argument, applied to each element.
///
/// The raw value is the operation's name in text.
public enum UnaryFunction: String, CaseIterable, Hashable, Sendable, Codable {
  /// -x; integers wrap. Floats, signed and unsigned integers.
  case negate
  /// |x|; the least integer is its own absolute value. Floats and integers.
  case abs
  /// -1, 0 or 1; -0, +0 and NaN are kept for floats. Floats and integers.
  case sign
  /// e^x. Floats.
  case exp
  /// e^x - 1, accurate near 0. Floats.
  case expm1
  /// The natural logarithm; -infinity at 0, NaN below. Floats.
  case log
  /// log(1 + x), accurate near 0. Floats.
  case log1p
  /// The square root. Floats.
  case sqrt
  /// 1 / sqrt(x). Floats.
  case rsqrt
  /// The sine of x radians. Floats.
  case sin
  /// The cosine of x radians. Floats.
  case cos
  /// The hyperbolic tangent. Floats.
  case tanh
  /// 1 / (1 + e^-x). Floats.
  case sigmoid
  /// log(1 + e^x), a smooth max(x, 0). Floats.
  case softplus
  /// The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x. Floats.
  case erf
  /// The largest integer that is not above x. Floats.
  case floor
  /// The smallest integer that is not below x. Floats.
  case ceil
  /// The nearest integer, ties to even. Floats.
  case round
  /// Bitwise complement of an integer, logical negation of a bool.
  case not
}

/// A function of two arguments, applied to each pair of elements.
///
/// The raw value is its name in text.
public enum BinaryFunction: String, CaseIterable, Hashable, Sendable, Codable {
  /// x + y; integers wrap. Floats and integers.
  case add
  /// x - y; integers wrap. Floats and integers.
  case subtract
  /// x * y; integers wrap. Floats and integers.
  case multiply
  /// x / y; integers truncate toward zero, x / 0 = -1 (all bits set), MIN / -1 = MIN. Floats and
  /// integers.
  case divide
  /// The remainder of the truncated division, with the sign of x (C's `fmod`); integers: x % 0 = x.
  case remainder
  /// x^y with IEEE 754 `pow` special values. Floats; integers wrap, and a negative exponent gives
  /// what truncating the real result would (1, -1 or 0; x = 0 gives 0).
  case power
  /// The larger; NaN when either is NaN; +0 is larger than -0. Floats, integers, bool (or).
  case maximum
  /// The smaller; NaN when either is NaN; -0 is smaller than +0. Floats, integers, bool (and).
  case minimum
  /// Bitwise and of integers, logical of bools.
  case and
  /// Bitwise or of integers, logical of bools.
  case or
  /// Bitwise exclusive or of integers, logical of bools.
  case xor
  /// x << y; y is read as unsigned, and 0 results where y is the width or more. Integers.
  case shiftLeft = "shift_left"
  /// x >> y with copies of the sign; the sign alone where y (as unsigned) is the width or more.
  /// Integers.
  case shiftRightArithmetic = "shift_right_arithmetic"
  /// x >> y with zeros; 0 where y (as unsigned) is the width or more. Integers.
  case shiftRightLogical = "shift_right_logical"
}

/// A comparison of two arguments.
///
/// The raw value is the operation's name in text.
///
/// Every comparison with NaN is false, but for `notEqual`, which is true. Bools compare false <
/// true.
public enum CompareFunction: String, CaseIterable, Hashable, Sendable, Codable {
  /// x == y.
  case equal
  /// x != y.
  case notEqual = "not_equal"
  /// x < y.
  case less
  /// x <= y.
  case lessEqual = "less_equal"
  /// x > y.
  case greater
  /// x >= y.
  case greaterEqual = "greater_equal"
}

/// `y[i] = function(x[i])`.
///
/// Operands: x. The result has x's type.
public struct Unary: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.unary
  /// The function applied.
  public var function: UnaryFunction
  /// Makes the operation.
  public init(_ function: UnaryFunction) { self.function = function }
}

/// `z[i] = function(x[i], y[i])`.
///
/// Operands: x and y, of one type, which is the result's.
public struct Binary: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.binary
  /// The function applied.
  public var function: BinaryFunction
  /// Makes the operation.
  public init(_ function: BinaryFunction) { self.function = function }
}

/// `z[i] = function(x[i], y[i])` as `bool`.
///
/// Operands: x and y, of one type.
public struct Compare: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.compare
  /// The comparison made.
  public var function: CompareFunction
  /// Makes the operation.
  public init(_ function: CompareFunction) { self.function = function }
}

/// `z[i] = condition[i] ? x[i] : y[i]`.
///
/// Operands: a bool condition, x and y of one type, all of one shape.
public struct Select: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.select
  /// Makes the operation.
  public init() {}
}

/// `y[i] = minimum(maximum(x[i], low[i]), high[i])`.
///
/// Operands: low, x, high, of one type. No bool.
public struct Clamp: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.clamp
  /// Makes the operation.
  public init() {}
}

/// Converts each element to another type.
///
/// Operand: x, of any type.
///
/// Between floats: rounds to nearest even. Float to integer: truncates, saturates, NaN gives 0.
/// Integer to float: rounds to nearest even. Between integers: keeps the low bits. To bool: x != 0
/// (NaN is true). From bool: 0 or 1.
public struct Convert: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.convert
  /// The type converted to.
  public var dtype: DType
  /// Makes the operation.
  public init(_ dtype: DType) { self.dtype = dtype }
}
