extension Literal {
  /// 128 bits that equal literals share: others do so by accident only.
  ///
  /// Each half folds a product of 64 bits, as wyhash does (Wang Yi, "wyhash", 2019), over words in two orders of their
  /// bits.
  package var digest: UInt128 {
    var (low, high) = (UInt64(bytes.count), UInt64(bytes.count) ^ 0xA076_1D64_78BD_642F)
    func add(_ word: UInt64) {
      let first = (low ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
      low = (first.high ^ first.low) &+ 0x9E37_79B9_7F4A_7C15
      let second = (high ^ word.byteSwapped).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
      high = (second.high ^ second.low) &+ 0x8EBC_6AF0_9C88_C6E3
    }
    for byte in type.description.utf8 { add(UInt64(byte)) }
    bytes.withUnsafeBytes { raw in
      let whole = raw.count / 8
      for place in 0..<whole { add(raw.loadUnaligned(fromByteOffset: 8 * place, as: UInt64.self)) }
      for place in 8 * whole..<raw.count { add(UInt64(raw[place])) }
    }
    return UInt128(high) << 64 | UInt128(low)
  }
}
