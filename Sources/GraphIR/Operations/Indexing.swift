/// Takes slices of x at given indices.
///
/// Operands: x, and i32 or i64 indices of shape `[B..., I..., k]`.
///
/// The first `batch` dimensions B are common to x and the indices. The last dimension of the
/// indices holds one coordinate for each of the k `dimensions` of x, clamped into `0 ..< extent`
/// (which must not be 0 unless the result is empty). The result is `[B..., I..., S...]`, where S
/// are x's other dimensions in order: `y[b, i, s] = x[b, coordinates(indices[b, i]) and s in their
/// places]`.
public struct Gather: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.gather
  /// The dimensions of x that the coordinates index: at least one, strictly increasing, none below
  /// `batch`.
  public var dimensions: [Int]
  /// The number of leading dimensions common to x and the indices.
  public var batch: Int
  /// Makes the operation.
  public init(dimensions: [Int], batch: Int = 0) {
    self.dimensions = dimensions
    self.batch = batch
  }
}

/// How `scatter` combines an update with what is there.
public enum ScatterFunction: String, CaseIterable, Hashable, Sendable, Codable {
  /// The last update in row-major order of the indices replaces the element.
  case assign
  /// Adds, in row-major order of the indices.
  case sum
  /// Multiplies, in row-major order of the indices.
  case product
  /// The maximum, as `maximum` combines.
  case max
  /// The minimum, as `minimum` combines.
  case min
}

/// Combines slices into x at given indices.
///
/// Operands: x; i32 or i64 indices `[B..., I..., k]`; and updates `[B..., I..., S...]` of x's
/// dtype, laid out as `gather`'s result. The result has x's type.
///
/// An update with any coordinate outside of `0 ..< extent` is dropped.
public struct Scatter: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.scatter
  /// The combination; sum and product are not for bool.
  public var function: ScatterFunction
  /// The dimensions of x that the coordinates index: at least one, strictly increasing, none below
  /// `batch`.
  public var dimensions: [Int]
  /// The number of leading dimensions common to x, the indices and the updates.
  public var batch: Int
  /// Makes the operation.
  public init(_ function: ScatterFunction, dimensions: [Int], batch: Int = 0) {
    self.function = function
    self.dimensions = dimensions
    self.batch = batch
  }
}
