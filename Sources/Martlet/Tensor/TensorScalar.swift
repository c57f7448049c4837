import GraphIR

/// A Swift number that can stand beside a tensor: `x * 2`, `1 - x`.
///
/// It takes the tensor's dtype.
public protocol TensorScalar: Sendable {
  /// The number as a scalar of a dtype; nil when the dtype cannot hold such a number (1.5 as an integer).
  func literal(_ dtype: DType) -> Literal?
}

extension Double: TensorScalar {
  /// The number as a scalar, rounded to a floating-point dtype; nil for other dtypes unless it is exact.
  public func literal(_ dtype: DType) -> Literal? {
    let literal = Literal.scalar(self, dtype)
    return dtype.isFloat || literal.doubles() == [self] ? literal : nil
  }
}

extension Float: TensorScalar {
  /// The number as a scalar, rounded to a floating-point dtype; nil for other dtypes unless it is exact.
  public func literal(_ dtype: DType) -> Literal? { Double(self).literal(dtype) }
}

extension Int: TensorScalar {
  /// The number as a scalar; nil when an integer dtype does not reach so far.
  public func literal(_ dtype: DType) -> Literal? {
    switch dtype {
    case .i64: Literal([], [Int64(self)])
    case .u64: UInt64(exactly: self).map { Literal([], [$0]) }
    case .f32, .f64, .f16, .bf16: Literal.scalar(Double(self), dtype)
    case .i8, .i16, .i32, .u8, .u16, .u32, .bool: Double(self).literal(dtype)
    }
  }
}
