import LoopIR

/// What tells one entry of the cache from another, on one machine and with one build of the compiler.
package struct CacheKey: Hashable, Sendable {
  /// All that the entry was made from: a kernel's loops and options, or a graph and the options of its compilation.
  package let bytes: [UInt8]
  /// Their fingerprint: the name of the code in memory and on disk.
  ///
  /// It finds code; what it found is compared by its bytes.
  package let name: String

  /// Makes the key of what is made from these bytes.
  package init(bytes: [UInt8]) {
    self.bytes = bytes
    name = hexadecimal(fingerprint(bytes))
  }

  /// Makes the key of a kernel.
  package init(_ loops: Loops, _ options: CodeOptions) {
    self.init(bytes: LoopsEncoder.encode(loops, options))
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// Names an entry of the cache, and says what is in it.
package struct CacheReference: Hashable, Sendable {
  /// The name of the entry's key.
  package var name: String
  /// The fingerprint of the whole entry.
  package var checksum: String

  /// Refers to an entry.
  package init(name: String, checksum: String) {
    self.name = name
    self.checksum = checksum
  }
}

/// FNV-1a with 128 bits (Fowler, Noll and Vo).
func fingerprint(_ bytes: some Sequence<UInt8>) -> UInt128 {
  var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
  for byte in bytes {
    hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013b
  }
  return hash
}

/// 32 digits.
func hexadecimal(_ number: UInt128) -> String {
  let digits = String(number, radix: 16)
  return String(repeating: "0", count: 32 - digits.count) + digits
}
