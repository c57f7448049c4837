#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011) on the host: for first values and for shuffling.
struct Philox {
  private let key: (UInt32, UInt32)
  private let stream: UInt32
  private let step: UInt64
  private var block: UInt32 = 0
  private var pending: UInt64?
  private var spareGaussian: Double?

  /// Begins the stream of a given number; streams of different numbers, steps or seeds are independent.
  init(seed: UInt64, stream: UInt32, step: UInt64 = 0) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.stream = stream
    self.step = step
  }

  /// A number for a path, for use as a stream: FNV-1a.
  static func hash(_ path: String) -> UInt32 {
    path.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }

  /// The next 64 random bits.
  mutating func next() -> UInt64 {
    if let value = pending {
      pending = nil
      return value
    }
    var counter = (
      block, stream, UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32)
    )
    var (low, high) = key
    for _ in 0..<10 {
      let first = counter.0.multipliedFullWidth(by: 0xD251_1F53)
      let second = counter.2.multipliedFullWidth(by: 0xCD9E_8D57)
      counter = (
        second.high ^ counter.1 ^ low, second.low, first.high ^ counter.3 ^ high, first.low
      )
      low &+= 0x9E37_79B9
      high &+= 0xBB67_AE85
    }
    block &+= 1
    pending = UInt64(counter.3) << 32 | UInt64(counter.2)
    return UInt64(counter.1) << 32 | UInt64(counter.0)
  }

  /// The numbers below `count` in a random order (Fisher and Yates, 1938), whatever the standard library does.
  mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    var last = count - 1
    while last > 0 {
      // The bias is below count / 2^64.
      let chosen = Int(next() % UInt64(last + 1))
      let kept = order[last]
      order[last] = order[chosen]
      order[chosen] = kept
      last -= 1
    }
    return order
  }

  /// Uniform in [0, 1).
  mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Normal with mean 0 and variance 1 (Box and Muller, 1958).
  mutating func nextGaussian() -> Double {
    if let value = spareGaussian {
      spareGaussian = nil
      return value
    }
    let radius = (-2 * log(1 - nextUniform())).squareRoot()
    let angle = 2 * Double.pi * nextUniform()
    spareGaussian = radius * sin(angle)
    return radius * cos(angle)
  }
}
