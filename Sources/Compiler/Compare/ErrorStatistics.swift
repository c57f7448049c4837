import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How far a tensor is from its reference.
public struct ErrorStatistics: Hashable, Sendable {
  /// The largest absolute difference.
  public var maximumAbsolute = 0.0
  /// The largest difference relative to the reference's size.
  public var maximumRelative = 0.0
  /// The largest difference in units in the last place of the dtype, at the reference.
  public var maximumUlps = 0.0

  /// Compares a tensor with its reference of the same shape; NaN equals NaN.
  public init(_ actual: Literal, reference: Literal) {
    let dtype = actual.type.dtype
    for (value, expected) in zip(actual.doubles(), reference.doubles()) {
      if value == expected || (value.isNaN && expected.isNaN) { continue }
      let difference = abs(value - expected)
      guard difference.isFinite else {
        // A value that overflows the dtype is the infinity that it rounds to.
        if value.isInfinite, Literal.scalar(expected, dtype).doubles()[0] == value { continue }
        maximumAbsolute = .infinity
        maximumRelative = .infinity
        maximumUlps = .infinity
        continue
      }
      maximumAbsolute = max(maximumAbsolute, difference)
      maximumRelative = max(maximumRelative, difference / max(abs(expected), .leastNormalMagnitude))
      maximumUlps = max(maximumUlps, difference / Self.ulp(of: expected, in: dtype))
    }
  }

  /// The distance between neighbouring values of a dtype around a value; 1 for integers and bool, infinity where there
  /// are no neighbours.
  static func ulp(of value: Double, in dtype: DType) -> Double {
    guard let epsilon = dtype.epsilon else { return 1 }
    guard value.isFinite else { return .infinity }
    let smallestExponent =
      switch dtype {
      case .f32, .bf16: -126
      case .f64: -1022
      case .f16: -14
      case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: 0
      }
    let exponent = value == 0 ? smallestExponent : max(Int(value.exponent), smallestExponent)
    return scalbn(epsilon, Int32(exponent))
  }
}
