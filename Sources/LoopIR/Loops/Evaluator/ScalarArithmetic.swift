import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Scalar arithmetic on the bits of elements, as the operations of the graph define it.
///
/// Floats of up to 32 bits are computed in f64 and rounded once, which is exact for + - * / and the square root.
package enum ScalarArithmetic {
  /// The bits as a number.
  package static func double(_ bits: UInt64, _ dtype: DType) -> Double {
    switch dtype {
    case .f64: Double(bitPattern: bits)
    case .f32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .f16: Double(Float16(bitPattern: UInt16(truncatingIfNeeded: bits)))
    case .bf16: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16))
    case .i8, .i16, .i32, .i64: Double(signed(bits, dtype))
    case .u8, .u16, .u32, .u64, .bool: Double(bits)
    }
  }

  /// The bits of a number, rounded to a float type.
  package static func bits(_ value: Double, _ dtype: DType) -> UInt64 {
    switch dtype {
    case .f64: value.bitPattern
    case .f32: UInt64(Float(value).bitPattern)
    case .f16: UInt64(Float16(value).bitPattern)
    case .bf16: UInt64(UInt16(bfloat16: value))
    case .i8, .i16, .i32, .i64: truncate(UInt64(bitPattern: saturated(value, dtype)), dtype)
    case .u8, .u16, .u32: UInt64(bitPattern: saturated(value, dtype))
    case .u64: UInt64(saturating: value)
    case .bool: value != 0 ? 1 : 0
    }
  }

  static func signed(_ bits: UInt64, _ dtype: DType) -> Int64 {
    let shift = UInt64(64 - dtype.bitCount)
    return Int64(bitPattern: bits << shift) >> Int64(shift)
  }

  static func truncate(_ bits: UInt64, _ dtype: DType) -> UInt64 {
    dtype.bitCount == 64 ? bits : bits & (1 << UInt64(dtype.bitCount) - 1)
  }

  private static func saturated(_ value: Double, _ dtype: DType) -> Int64 {
    switch dtype {
    case .i8: Int64(Int8(saturating: value))
    case .i16: Int64(Int16(saturating: value))
    case .i32: Int64(Int32(saturating: value))
    case .u8: Int64(UInt8(saturating: value))
    case .u16: Int64(UInt16(saturating: value))
    case .u32: Int64(UInt32(saturating: value))
    case .i64, .u64, .f32, .f64, .f16, .bf16, .bool: Int64(saturating: value)
    }
  }

  /// A function of one argument.
  package static func unary(_ function: UnaryFunction, _ x: UInt64, _ dtype: DType) -> UInt64 {
    if dtype.isFloat { return bits(unary(function, double(x, dtype)), dtype) }
    let value = signed(x, dtype)
    switch function {
    case .negate:
      return truncate(0 &- x, dtype)
    case .abs:
      return dtype.category == .signed && value < 0 ? truncate(0 &- x, dtype) : x
    case .sign:
      if dtype.category != .signed { return x == 0 ? 0 : 1 }
      return truncate(UInt64(bitPattern: value.signum()), dtype)
    case .not:
      return dtype == .bool ? x ^ 1 : truncate(~x, dtype)
    case .exp, .expm1, .log, .log1p, .sqrt, .rsqrt, .sin, .cos, .tanh, .sigmoid, .softplus, .erf,
      .floor, .ceil, .round:
      return x
    }
  }

  private static func unary(_ function: UnaryFunction, _ x: Double) -> Double {
    switch function {
    case .negate: -x
    case .abs: x.magnitude
    case .sign: x.isNaN || x == 0 ? x : (x < 0 ? -1 : 1)
    case .exp: Glibc.exp(x)
    case .expm1: Glibc.expm1(x)
    case .log: Glibc.log(x)
    case .log1p: Glibc.log1p(x)
    case .softplus: (x > 0 ? x : 0) + Glibc.log1p(Glibc.exp(-x.magnitude))
    case .sqrt: x.squareRoot()
    case .rsqrt: 1 / x.squareRoot()
    case .sin: Glibc.sin(x)
    case .cos: Glibc.cos(x)
    case .tanh: Glibc.tanh(x)
    case .sigmoid: 1 / (1 + Glibc.exp(-x))
    case .erf: Glibc.erf(x)
    case .floor: x.rounded(.down)
    case .ceil: x.rounded(.up)
    case .round: x.rounded(.toNearestOrEven)
    case .not: x
    }
  }

  /// A function of two arguments.
  package static func binary(
    _ function: BinaryFunction, _ x: UInt64, _ y: UInt64, _ dtype: DType
  ) -> UInt64 {
    if dtype.isFloat, let value = binary(function, double(x, dtype), double(y, dtype)) {
      return bits(value, dtype)
    }
    switch function {
    case .add: return truncate(x &+ y, dtype)
    case .subtract: return truncate(x &- y, dtype)
    case .multiply: return truncate(x &* y, dtype)
    case .divide: return divide(x, y, dtype)
    case .remainder:
      return y == 0 ? x : truncate(x &- truncate(divide(x, y, dtype) &* y, dtype), dtype)
    case .power: return power(x, y, dtype)
    case .maximum: return compare(.less, x, y, dtype) ? y : x
    case .minimum: return compare(.less, y, x, dtype) ? y : x
    case .and: return x & y
    case .or: return x | y
    case .xor: return x ^ y
    case .shiftLeft: return y >= dtype.bitCount ? 0 : truncate(x << y, dtype)
    case .shiftRightLogical: return y >= dtype.bitCount ? 0 : x >> y
    case .shiftRightArithmetic:
      return truncate(UInt64(bitPattern: signed(x, dtype) >> Int64(min(y, 63))), dtype)
    }
  }

  /// A function of numbers; nil where it is one of their bits.
  private static func binary(_ function: BinaryFunction, _ x: Double, _ y: Double) -> Double? {
    switch function {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .remainder: fmod(x, y)
    case .power: pow(x, y)
    case .maximum: extreme(x, y, larger: true)
    case .minimum: extreme(x, y, larger: false)
    case .and, .or, .xor, .shiftLeft, .shiftRightArithmetic, .shiftRightLogical: nil
    }
  }

  private static func extreme(_ x: Double, _ y: Double, larger: Bool) -> Double {
    if x.isNaN || y.isNaN { return .nan }
    if x == y { return (x.sign == .minus) == larger ? y : x }
    return (x > y) == larger ? x : y
  }

  private static func divide(_ x: UInt64, _ y: UInt64, _ dtype: DType) -> UInt64 {
    if y == 0 { return truncate(.max, dtype) }
    if dtype.category == .unsigned { return x / y }
    let (quotient, _) = signed(x, dtype).dividedReportingOverflow(by: signed(y, dtype))
    return truncate(UInt64(bitPattern: quotient), dtype)
  }

  private static func power(_ x: UInt64, _ y: UInt64, _ dtype: DType) -> UInt64 {
    let one: UInt64 = 1
    if dtype.category == .signed, signed(y, dtype) < 0 {
      switch signed(x, dtype) {
      case 1: return one
      case -1: return y & 1 == 0 ? one : x
      default: return 0
      }
    }
    var (result, base, exponent) = (one, x, y)
    while exponent > 0 {
      if exponent & 1 == 1 { result = truncate(result &* base, dtype) }
      base = truncate(base &* base, dtype)
      exponent >>= 1
    }
    return result
  }

  /// `a * b + c`, rounded once.
  package static func multiplyAdd(
    _ a: UInt64, _ b: UInt64, _ c: UInt64, _ dtype: DType
  ) -> UInt64 {
    switch dtype {
    case .f64: bits(double(c, dtype).addingProduct(double(a, dtype), double(b, dtype)), dtype)
    case .f32:
      UInt64(
        Float(double(c, dtype)).addingProduct(Float(double(a, dtype)), Float(double(b, dtype)))
          .bitPattern)
    case .f16, .bf16:
      bits(sumRoundedToOdd(double(a, dtype) * double(b, dtype), double(c, dtype)), dtype)
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: truncate(a &* b &+ c, dtype)
    }
  }

  /// A sum whose last bit tells of anything cut off, so that rounding it again is right.
  private static func sumRoundedToOdd(_ a: Double, _ b: Double) -> Double {
    let sum = a + b
    let part = sum - a
    let error = (a - (sum - part)) + (b - part)
    guard sum.isFinite, error != 0, sum.bitPattern & 1 == 0 else { return sum }
    return error > 0 ? sum.nextUp : sum.nextDown
  }

  /// A comparison.
  package static func compare(
    _ function: CompareFunction, _ x: UInt64, _ y: UInt64, _ dtype: DType
  ) -> Bool {
    func holds<T: Comparable>(_ x: T, _ y: T) -> Bool {
      switch function {
      case .equal: x == y
      case .notEqual: x != y
      case .less: x < y
      case .lessEqual: x <= y
      case .greater: x > y
      case .greaterEqual: x >= y
      }
    }
    return switch dtype.category {
    case .float: holds(double(x, dtype), double(y, dtype))
    case .signed: holds(signed(x, dtype), signed(y, dtype))
    case .unsigned, .bool: holds(x, y)
    }
  }

  /// A conversion, as the operation `convert` does.
  package static func convert(_ x: UInt64, _ from: DType, to: DType) -> UInt64 {
    if from == to { return x }
    if to == .bool { return from.isFloat ? (double(x, from) != 0 ? 1 : 0) : (x != 0 ? 1 : 0) }
    if from.isFloat { return bits(double(x, from), to) }
    if !to.isFloat {
      let wide = from.category == .signed ? UInt64(bitPattern: signed(x, from)) : x
      return truncate(wide, to)
    }
    // Large integers round once, straight to the target.
    if to == .f32 {
      let single = from.category == .signed ? Float(signed(x, from)) : Float(x)
      return UInt64(single.bitPattern)
    }
    if to == .f16 {
      let half = from.category == .signed ? Float16(signed(x, from)) : Float16(x)
      return UInt64(half.bitPattern)
    }
    return bits(double(x, from), to)
  }
}
