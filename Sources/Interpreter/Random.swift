import GraphIR

/// The counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011).
package func philox(
  counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
) -> (UInt32, UInt32, UInt32, UInt32) {
  var (c0, c1, c2, c3) = counter
  var (k0, k1) = key
  for _ in 0..<10 {
    let (high0, low0) = (0xD251_1F53 as UInt32).multipliedFullWidth(by: c0)
    let (high1, low1) = (0xCD9E_8D57 as UInt32).multipliedFullWidth(by: c2)
    (c0, c1, c2, c3) = (high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0)
    k0 &+= 0x9E37_79B9
    k1 &+= 0xBB67_AE85
  }
  return (c0, c1, c2, c3)
}

extension Evaluator {
  package mutating func visit(_ op: Random) throws(Diagnostic) -> [CarriedTensor] {
    guard case .unsigned(let state) = operands[0].storage, state.count == 2 else {
      throw notDefined("random")
    }
    let (seed, step) = (state[0], state[1])
    let count = types[0].shape.elementCount
    let isWide = op.dtype.bitCount == 64
    let wordsPerBlock = isWide ? 2 : 4
    var words: [UInt64] = []
    words.reserveCapacity(count + 3)
    for block in 0..<(count + wordsPerBlock - 1) / wordsPerBlock {
      let four = philox(
        counter: (
          UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: op.stream),
          UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32)
        ),
        key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
      if isWide {
        words.append(UInt64(four.1) << 32 | UInt64(four.0))
        words.append(UInt64(four.3) << 32 | UInt64(four.2))
      } else {
        words.append(UInt64(four.0))
        words.append(UInt64(four.1))
        words.append(UInt64(four.2))
        words.append(UInt64(four.3))
      }
    }
    words.removeLast(words.count - count)
    return store(.random(words, op.dtype))
  }
}

extension CarriedTensor.Storage {
  /// Random words as elements of a dtype, before the low bits of integers are taken.
  fileprivate static func random(_ words: [UInt64], _ dtype: DType) -> CarriedTensor.Storage {
    switch dtype {
    case .f32: .floats(words.map { Double($0 >> 8) * 0x1p-24 })
    case .f64: .floats(words.map { Double($0 >> 11) * 0x1p-53 })
    case .f16: .floats(words.map { Double($0 >> 21) * 0x1p-11 })
    case .bf16: .floats(words.map { Double($0 >> 24) * 0x1p-8 })
    case .i8, .i16, .i32, .i64: .signed(words.map { Int64(bitPattern: $0) })
    case .u8, .u16, .u32, .u64: .unsigned(words)
    case .bool: .bools(words.map { $0 & 1 == 1 })
    }
  }
}
