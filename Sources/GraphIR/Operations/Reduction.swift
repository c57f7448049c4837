/// How elements are combined by `reduce`, `reduce_window` and `scatter`'s combining forms.
public enum ReduceFunction: String, CaseIterable, Hashable, Sendable, Codable {
  /// The sum, 0 when empty; integers wrap; f16 and bf16 accumulate in f32 and round once. Not bool.
  case sum
  /// The product, 1 when empty; accumulates as `sum` does. Not bool.
  case product
  /// The maximum, as `maximum` combines; -infinity, the least integer, or false when empty.
  case max
  /// The minimum, as `minimum` combines; infinity, the greatest integer, or true when empty.
  case min
}

/// Combines the elements along dimensions, which vanish.
///
/// Operand: x.
///
/// In text the operation is named `reduce_sum`, `reduce_product`, `reduce_max`, `reduce_min`.
public struct Reduce: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.reduce
  /// The combination.
  public var function: ReduceFunction
  /// The dimensions reduced: strictly increasing; empty gives x.
  public var dimensions: [Int]
  /// Makes the operation.
  public init(_ function: ReduceFunction, dimensions: [Int]) {
    self.function = function
    self.dimensions = dimensions
  }
}

/// Whether `arg_reduce` looks for the greatest or the least.
///
/// The raw value is the operation's name in text.
public enum ArgReduceFunction: String, CaseIterable, Hashable, Sendable, Codable {
  /// The index of the maximum.
  case argmax
  /// The index of the minimum.
  case argmin
}

/// The index of the extreme element along one dimension, which vanishes.
///
/// Operand: x, not empty along it.
///
/// Ties take the lowest index; the first NaN counts as the extreme; -0 and +0 are equal.
public struct ArgReduce: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.argReduce
  /// Which extreme.
  public var function: ArgReduceFunction
  /// The dimension searched.
  public var dimension: Int
  /// The integer type of the result: i32 or i64.
  public var dtype: DType
  /// Makes the operation.
  public init(_ function: ArgReduceFunction, dimension: Int, dtype: DType = .i32) {
    self.function = function
    self.dimension = dimension
    self.dtype = dtype
  }
}
