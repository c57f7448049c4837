/// What schedules need to know of the machine that the code is for.
public struct Target: Hashable, Sendable {
  /// The bytes that caches move at once.
  package static let lineBytes = 64
  /// The bytes of a vector register: 16 (NEON, SSE), 32 (AVX2) or 64 (AVX-512).
  public var vectorBytes: Int
  /// The number of vector registers.
  public var vectorRegisters: Int
  /// The size of a core's first-level data cache, in bytes.
  public var firstLevelCacheBytes: Int
  /// The size of a core's second-level cache, in bytes.
  public var secondLevelCacheBytes: Int
  /// The size of the last cache before memory, in bytes.
  public var lastLevelCacheBytes: Int

  /// Describes a machine.
  public init(
    vectorBytes: Int, vectorRegisters: Int, firstLevelCacheBytes: Int = 32 << 10,
    secondLevelCacheBytes: Int = 512 << 10, lastLevelCacheBytes: Int = 32 << 20
  ) {
    self.vectorBytes = vectorBytes
    self.vectorRegisters = vectorRegisters
    self.firstLevelCacheBytes = firstLevelCacheBytes
    self.secondLevelCacheBytes = secondLevelCacheBytes
    self.lastLevelCacheBytes = lastLevelCacheBytes
  }
}
