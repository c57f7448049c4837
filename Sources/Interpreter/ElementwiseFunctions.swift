import GraphIR
import Glibc

/// Applies a function to each pair of elements.
@inline(__always)
func map<X: BitwiseCopyable, Y: BitwiseCopyable, Z>(
  _ x: [X], _ y: [Y], _ function: (X, Y) -> Z
) -> [Z] {
  let count = Swift.min(x.count, y.count)
  return [Z](unsafeUninitializedCapacity: count) { z, initialized in
    x.withUnsafeBufferPointer { x in
      y.withUnsafeBufferPointer { y in
        for index in 0..<count {
          z.initializeElement(at: index, to: function(x[index], y[index]))
        }
      }
    }
    initialized = count
  }
}

extension UnaryFunction {
  /// The function of each float, in f64; nil when it is not defined for floats.
  package func applied(to x: [Double]) -> [Double]? {
    switch self {
    case .negate: x.map { -$0 }
    case .abs: x.map(\.magnitude)
    case .sign: x.map { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
    case .exp: x.map { Glibc.exp($0) }
    case .expm1: x.map { Glibc.expm1($0) }
    case .log: x.map { Glibc.log($0) }
    case .log1p: x.map { Glibc.log1p($0) }
    case .softplus: x.map { ($0 > 0 ? $0 : 0) + Glibc.log1p(Glibc.exp(-$0.magnitude)) }
    case .sqrt: x.map { $0.squareRoot() }
    case .rsqrt: x.map { 1 / $0.squareRoot() }
    case .sin: x.map { Glibc.sin($0) }
    case .cos: x.map { Glibc.cos($0) }
    case .tanh: x.map { Glibc.tanh($0) }
    // The form in e^x keeps the tail, where e^-x overflows.
    case .sigmoid: x.map { $0 < 0 ? Glibc.exp($0) / (1 + Glibc.exp($0)) : 1 / (1 + Glibc.exp(-$0)) }
    case .erf: x.map { Glibc.erf($0) }
    case .floor: x.map { $0.rounded(.down) }
    case .ceil: x.map { $0.rounded(.up) }
    case .round: x.map { $0.rounded(.toNearestOrEven) }
    case .not: nil
    }
  }

  /// The function of each integer, to be narrowed; nil when it is not defined for integers.
  func applied<T: FixedWidthInteger>(to x: [T]) -> [T]? {
    switch self {
    case .negate: x.map { 0 &- $0 }
    case .abs: x.map { $0 < 0 ? 0 &- $0 : $0 }
    case .sign: x.map { $0.signum() }
    case .not: x.map { ~$0 }
    case .exp, .expm1, .log, .log1p, .sqrt, .rsqrt, .sin, .cos, .tanh, .sigmoid, .softplus, .erf,
      .floor, .ceil, .round:
      nil
    }
  }
}

extension BinaryFunction {
  /// The function of each pair of floats, in f64; nil when it is not defined for floats.
  package func applied(to x: [Double], _ y: [Double]) -> [Double]? {
    switch self {
    case .add: map(x, y) { $0 + $1 }
    case .subtract: map(x, y) { $0 - $1 }
    case .multiply: map(x, y) { $0 * $1 }
    case .divide: map(x, y) { $0 / $1 }
    case .remainder: map(x, y) { Glibc.fmod($0, $1) }
    case .power: map(x, y) { Glibc.pow($0, $1) }
    case .maximum: map(x, y, Double.maximum)
    case .minimum: map(x, y, Double.minimum)
    case .and, .or, .xor, .shiftLeft, .shiftRightArithmetic, .shiftRightLogical: nil
    }
  }

  /// The function of each pair of integers of a width, to be narrowed; nil when it is not defined
  /// for integers.
  func applied<T: FixedWidthInteger & Carrier>(to x: [T], _ y: [T], bits: Int) -> [T]? {
    let width = T(bits)
    // The amount as unsigned is the width or more exactly when it lies outside of this range.
    let amounts = 0..<width
    let spare = T(T.bitWidth - bits)
    return switch self {
    case .add: map(x, y) { $0 &+ $1 }
    case .subtract: map(x, y) { $0 &- $1 }
    case .multiply: map(x, y) { $0 &* $1 }
    case .divide:
      map(x, y) { $1 == 0 ? ~0 : $0.dividedReportingOverflow(by: $1).partialValue }
    case .remainder:
      map(x, y) { $1 == 0 ? $0 : $0.remainderReportingOverflow(dividingBy: $1).partialValue }
    case .power: map(x, y) { integerPower($0, $1) }
    case .maximum: map(x, y, T.maximum)
    case .minimum: map(x, y, T.minimum)
    case .and: map(x, y) { $0 & $1 }
    case .or: map(x, y) { $0 | $1 }
    case .xor: map(x, y) { $0 ^ $1 }
    case .shiftLeft: map(x, y) { amounts.contains($1) ? $0 &<< $1 : 0 }
    case .shiftRightArithmetic:
      map(x, y) {
        // The dtype's own top bit is the sign, for unsigned dtypes too.
        let signed = Int64(truncatingIfNeeded: $0 &<< spare) &>> Int64(truncatingIfNeeded: spare)
        let amount = amounts.contains($1) ? Int64(truncatingIfNeeded: $1) : Int64(bits - 1)
        return T(truncatingIfNeeded: signed &>> amount)
      }
    case .shiftRightLogical:
      map(x, y) {
        let unsigned = UInt64(truncatingIfNeeded: $0 &<< spare) &>> UInt64(spare)
        return amounts.contains($1)
          ? T(truncatingIfNeeded: unsigned &>> UInt64(truncatingIfNeeded: $1)) : 0
      }
    }
  }

  /// The function of each pair of bools; nil when it is not defined for bools.
  func applied(to x: [Bool], _ y: [Bool]) -> [Bool]? {
    switch self {
    case .maximum, .or: map(x, y) { $0 || $1 }
    case .minimum, .and: map(x, y) { $0 && $1 }
    case .xor: map(x, y) { $0 != $1 }
    case .add, .subtract, .multiply, .divide, .remainder, .power, .shiftLeft,
      .shiftRightArithmetic, .shiftRightLogical:
      nil
    }
  }
}

/// x^y, wrapping; a negative exponent gives what truncating the real result would, and 0 for x = 0.
private func integerPower<T: FixedWidthInteger>(_ x: T, _ y: T) -> T {
  if y < 0 {
    if x == 1 { return 1 }
    if T.isSigned, x == ~0 { return y & 1 == 0 ? 1 : ~0 }
    return 0
  }
  var result: T = 1
  var square = x
  var exponent = y
  while exponent > 0 {
    if exponent & 1 == 1 { result = result &* square }
    square = square &* square
    exponent &>>= 1
  }
  return result
}
