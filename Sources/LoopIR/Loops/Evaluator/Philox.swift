import GraphIR

/// The random streams of `Random`, element by element.
package enum Philox {
  /// The bits of one element of a stream.
  package static func element(
    _ index: UInt64, stream: UInt64, seed: UInt64, step: UInt64, _ dtype: DType
  ) -> UInt64 {
    let wide = dtype.bitCount == 64
    let words = block(
      counter: [low(wide ? index / 2 : index / 4), low(stream), low(step), high(step)],
      key: [low(seed), high(seed)])
    let first = Int(wide ? index % 2 * 2 : index % 4)
    let word = UInt64(words[first])
    switch dtype {
    case .f32: return ScalarArithmetic.bits(Double(word >> 8) * 0x1p-24, .f32)
    case .f16: return ScalarArithmetic.bits(Double(word >> 21) * 0x1p-11, .f16)
    case .bf16: return ScalarArithmetic.bits(Double(word >> 24) * 0x1p-8, .bf16)
    case .f64:
      let both = UInt64(words[first + 1]) << 32 | word
      return (Double(both >> 11) * 0x1p-53).bitPattern
    case .i64, .u64: return UInt64(words[first + 1]) << 32 | word
    case .i8, .i16, .i32, .u8, .u16, .u32: return ScalarArithmetic.truncate(word, dtype)
    case .bool: return word & 1
    }
  }

  /// Ten rounds of Philox4x32.
  static func block(counter: [UInt32], key: [UInt32]) -> [UInt32] {
    var (c, k) = (counter, key)
    for _ in 0..<10 {
      let a = c[0].multipliedFullWidth(by: 0xD251_1F53)
      let b = c[2].multipliedFullWidth(by: 0xCD9E_8D57)
      c = [b.high ^ c[1] ^ k[0], b.low, a.high ^ c[3] ^ k[1], a.low]
      k[0] = k[0] &+ 0x9E37_79B9
      k[1] = k[1] &+ 0xBB67_AE85
    }
    return c
  }

  private static func low(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }
  private static func high(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value >> 32) }
}
