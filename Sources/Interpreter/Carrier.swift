/// One of the four Swift types in which the interpreter computes: Double, Int64, UInt64 and Bool.
///
/// Every dtype is widened to the carrier of its category and narrowed when a result is stored.
package protocol Carrier: Equatable, BitwiseCopyable, Sendable {
  /// x < y; false when either is NaN, and false < true.
  static func isLess(_ x: Self, _ y: Self) -> Bool
  /// The larger; NaN when either is NaN; +0 is larger than -0.
  static func maximum(_ x: Self, _ y: Self) -> Self
  /// The smaller; NaN when either is NaN; -0 is smaller than +0.
  static func minimum(_ x: Self, _ y: Self) -> Self
  /// Whether the value is not a number.
  var isNotANumber: Bool { get }
}

/// A carrier with sums and products.
package protocol NumericCarrier: Carrier {
  /// The sum of nothing.
  static var additiveIdentity: Self { get }
  /// The product of nothing.
  static var multiplicativeIdentity: Self { get }
  /// x + y; integers wrap.
  static func sum(_ x: Self, _ y: Self) -> Self
  /// x * y; integers wrap.
  static func product(_ x: Self, _ y: Self) -> Self
  /// Whether 0 * self is 0, so that a product with a padding zero may be left out.
  var vanishesTimesZero: Bool { get }
}

extension Double: NumericCarrier {
  @inline(__always) package static func isLess(_ x: Double, _ y: Double) -> Bool { x < y }
  @inline(__always)
  package static func maximum(_ x: Double, _ y: Double) -> Double {
    if x.isNaN || y.isNaN { return .nan }
    if x == y { return x.sign == .minus ? y : x }
    return x > y ? x : y
  }
  @inline(__always)
  package static func minimum(_ x: Double, _ y: Double) -> Double {
    if x.isNaN || y.isNaN { return .nan }
    if x == y { return x.sign == .minus ? x : y }
    return x < y ? x : y
  }
  package var isNotANumber: Bool { isNaN }
  package static var additiveIdentity: Double { 0 }
  package static var multiplicativeIdentity: Double { 1 }
  @inline(__always) package static func sum(_ x: Double, _ y: Double) -> Double { x + y }
  @inline(__always) package static func product(_ x: Double, _ y: Double) -> Double { x * y }
  package var vanishesTimesZero: Bool { isFinite }
}

extension Carrier where Self: FixedWidthInteger {
  @inline(__always) package static func isLess(_ x: Self, _ y: Self) -> Bool { x < y }
  @inline(__always) package static func maximum(_ x: Self, _ y: Self) -> Self { x > y ? x : y }
  @inline(__always) package static func minimum(_ x: Self, _ y: Self) -> Self { x < y ? x : y }
  package var isNotANumber: Bool { false }
}

extension NumericCarrier where Self: FixedWidthInteger {
  package static var additiveIdentity: Self { 0 }
  package static var multiplicativeIdentity: Self { 1 }
  @inline(__always) package static func sum(_ x: Self, _ y: Self) -> Self { x &+ y }
  @inline(__always) package static func product(_ x: Self, _ y: Self) -> Self { x &* y }
  package var vanishesTimesZero: Bool { true }
}

extension Int64: NumericCarrier {}
extension UInt64: NumericCarrier {}

extension Bool: Carrier {
  package static func isLess(_ x: Bool, _ y: Bool) -> Bool { !x && y }
  package static func maximum(_ x: Bool, _ y: Bool) -> Bool { x || y }
  package static func minimum(_ x: Bool, _ y: Bool) -> Bool { x && y }
  package var isNotANumber: Bool { false }
}
