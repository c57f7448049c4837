import CZlib

/// The check sum of gzip and ZIP (CRC-32, ISO 3309), by zlib: it finds damage and difference that come by chance.
struct Checksum: Hashable {
  /// The sum of what was added so far.
  private(set) var value: UInt32 = 0

  /// Makes the sum of some bytes.
  init(_ bytes: [UInt8] = []) { add(bytes) }

  /// Adds bytes.
  mutating func add(_ bytes: [UInt8]) {
    value = bytes.withUnsafeBytes { raw in
      UInt32(
        truncatingIfNeeded: crc32_z(
          UInt(value), raw.bindMemory(to: UInt8.self).baseAddress, raw.count))
    }
  }

  /// Adds a text, and where it ends.
  mutating func add(_ text: String) { add(Array(text.utf8) + [0]) }
}
