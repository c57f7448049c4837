import GraphIR

/// Which arguments of f32 a check takes.
package enum MathArguments: Hashable, Sendable {
  /// All 2^32, in the order of their bits.
  case all
  /// So many of them, far apart, so that neighbours are of very different size; the special ones come first.
  case samples(Int)

  /// How many there are.
  var count: Int {
    switch self {
    case .all: 1 << 32
    case .samples(let count): count
    }
  }

  /// The argument of a place.
  ///
  /// Multiples of an odd number modulo 2^32 do not repeat.
  func argument(_ place: Int) -> Float {
    switch self {
    case .all: return Float(bitPattern: UInt32(truncatingIfNeeded: place))
    case .samples:
      if place < Self.special.count { return Self.special[place] }
      return Float(bitPattern: UInt32(truncatingIfNeeded: place) &* 0x9E37_79B1)
    }
  }

  /// A pair of arguments for a power.
  ///
  /// First all pairs of special ones; then in turn any bits, bases near 1, and what keeps x^y between the
  /// smallest and the largest numbers.
  func pair(_ place: Int) -> (x: Float, y: Float) {
    let special = Self.special
    if place < special.count * special.count {
      return (special[place / special.count], special[place % special.count])
    }
    var generator = SplitMix64(seed: UInt64(truncatingIfNeeded: place))
    let bits = generator.next()
    let (x, y) = (
      Float(bitPattern: UInt32(truncatingIfNeeded: bits)),
      Float(bitPattern: UInt32(truncatingIfNeeded: bits >> 32))
    )
    if place % 4 == 0 { return (x, y) }
    let share = Double(generator.next() >> 11) * 0x1p-53
    let base =
      place % 4 == 1
      ? Float(1 + (share - 0.5) * 0x1p-6)
      : Float(sign: .plus, exponent: Int(bits % 254) - 126, significand: 1 + Float(share))
    // log2(base) within a factor of two is enough.
    let logarithm = max(abs(Double(base.exponent)), abs(Double(base) - 1), 0x1p-24)
    let power = Double(generator.next() >> 11) * 0x1p-53 * 310 - 155
    return (base, Float(power / logarithm))
  }

  /// Where functions have poles, steps, overflow, or a sign of zero to keep.
  static let special: [Float] =
    [
      0, 1, 0.5, 2, 3, 10, 0.1, 1.5, .pi, .pi / 2, 88.72284, 89, 103.9721, 127.5, 1e9, 0x1p24,
      .infinity, .greatestFiniteMagnitude, .leastNormalMagnitude, .leastNonzeroMagnitude, .ulpOfOne,
      Float(1).nextUp, Float(1).nextDown, Float.leastNormalMagnitude.nextDown,
    ].flatMap { [$0, -$0] } + [.nan]
}
