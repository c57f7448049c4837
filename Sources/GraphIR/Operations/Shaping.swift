/// A tensor known when the graph is built; its data is the node's literal.
///
/// No operands.
public struct Constant: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.constant
  /// The element type of the literal.
  public var dtype: DType
  /// The extents of the literal.
  public var shape: [Int]
  /// Makes the operation for a literal of the given type.
  public init(_ type: TensorType) {
    dtype = type.dtype
    shape = type.shape.extents
  }
}

/// `y[..., i, ...] = i` along one dimension, converted to the type as `convert` does from i64.
///
/// No operands.
public struct Iota: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.iota
  /// The element type; not bool.
  public var dtype: DType
  /// The extents.
  public var shape: [Int]
  /// The dimension that is counted.
  public var dimension: Int
  /// Makes the operation.
  public init(_ type: TensorType, dimension: Int) {
    dtype = type.dtype
    shape = type.shape.extents
    self.dimension = dimension
  }
}

/// The same elements in row-major order under another shape of the same element count.
///
/// Operand: x.
public struct Reshape: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.reshape
  /// The new extents.
  public var shape: [Int]
  /// Makes the operation.
  public init(shape: Shape) { self.shape = shape.extents }
}

/// Repeats x along new dimensions and along dimensions of extent 1.
///
/// Operand: x.
///
/// Dimension d of x becomes dimension `dimensions[d]` of the result, which has the same extent
/// unless x's is 1. `dimensions` is strictly increasing.
public struct Broadcast: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.broadcast
  /// The extents of the result.
  public var shape: [Int]
  /// For each dimension of the operand, the result's dimension that it becomes.
  public var dimensions: [Int]
  /// Makes the operation.
  public init(shape: Shape, dimensions: [Int]) {
    self.shape = shape.extents
    self.dimensions = dimensions
  }
}

/// Reorders dimensions: dimension d of the result is dimension `permutation[d]` of the operand.
public struct Transpose: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.transpose
  /// The operand's dimension that each dimension of the result is.
  public var permutation: [Int]
  /// Makes the operation.
  public init(permutation: [Int]) { self.permutation = permutation }
}

/// `y[i] = x[start + i * stride]` with `start + i * stride < limit`, per dimension.
///
/// Operand: x.
///
/// `0 <= start <= limit <= extent` and `stride >= 1`; the extent is `ceil((limit - start) /
/// stride)`.
public struct Slice: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.slice
  /// The first index taken, per dimension.
  public var start: [Int]
  /// The index before which taking ends, per dimension.
  public var limit: [Int]
  /// The distance between indices taken, per dimension.
  public var stride: [Int]
  /// Makes the operation; a missing stride is 1 everywhere.
  public init(start: [Int], limit: [Int], stride: [Int]? = nil) {
    self.start = start
    self.limit = limit
    self.stride = stride ?? start.map { _ in 1 }
  }
}

/// Surrounds x with a value, and puts it between neighbours.
///
/// Operands: x, and a scalar of x's dtype.
///
/// Per dimension, x's element i stands at `low + i * (interior + 1)`; the extent is
/// `low + (n == 0 ? 0 : (n - 1) * (interior + 1) + 1) + high`. Negative `low` and `high` cut off
/// (after the interior is put in). `interior >= 0`.
public struct Pad: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.pad
  /// Elements put before, per dimension; negative cuts.
  public var low: [Int]
  /// Elements put after, per dimension; negative cuts.
  public var high: [Int]
  /// Elements put between neighbours, per dimension.
  public var interior: [Int]
  /// Makes the operation; a missing interior is 0 everywhere.
  public init(low: [Int], high: [Int], interior: [Int]? = nil) {
    self.low = low
    self.high = high
    self.interior = interior ?? low.map { _ in 0 }
  }
}

/// Joins tensors along one dimension.
///
/// Operands: one or more, equal in dtype and in all other extents.
public struct Concatenate: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.concatenate
  /// The dimension along which the operands are joined.
  public var dimension: Int
  /// Makes the operation.
  public init(dimension: Int) { self.dimension = dimension }
}

/// `y[..., i, ...] = x[..., n - 1 - i, ...]` for the given dimensions.
///
/// Operand: x.
public struct Reverse: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.reverse
  /// The dimensions reversed: strictly increasing.
  public var dimensions: [Int]
  /// Makes the operation.
  public init(dimensions: [Int]) { self.dimensions = dimensions }
}
