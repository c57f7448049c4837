import CLLVM
import GraphIR
import LoopIR

/// Philox4x32-10, as the operation `random` defines it, in vectors.
extension ModuleEmitter {
  /// The elements `index[lane]` of a stream.
  ///
  /// Each lane computes its own block: no lane needs another.
  func random(
    stream: Int, index: CodeValue, seed: CodeValue, step: CodeValue, _ type: LoopType
  ) -> CodeValue {
    let wide = ir.vector(ir.int64, type.lanes)
    let isWide = type.dtype.bitCount == 64
    let perBlock = isWide ? 1 : 2
    let block = ir.lshr(index, by: perBlock)
    let low = ir.splat(UInt64(0xFFFF_FFFF), wide)
    func spread(_ scalar: CodeValue) -> CodeValue { ir.broadcast(scalar, lanes: type.lanes) }
    let words = philox(
      [
        ir.and(block, low), ir.splat(UInt64(stream), wide), ir.and(spread(step), low),
        ir.lshr(spread(step), by: 32),
      ], key: [ir.and(spread(seed), low), ir.lshr(spread(seed), by: 32)], wide)
    let place = ir.and(index, ir.splat(isWide ? UInt64(1) : 3, wide))
    func isPlace(_ number: Int) -> CodeValue {
      ir.compare(LLVMIntEQ, place, ir.splat(UInt64(number), wide))
    }
    if isWide {
      let first = ir.select(isPlace(0), words[0], words[2])
      let second = ir.select(isPlace(0), words[1], words[3])
      return number(ir.or(first, ir.shl(second, by: 32)), type)
    }
    var word = words[3]
    for candidate in (0..<3).reversed() {
      word = ir.select(isPlace(candidate), words[candidate], word)
    }
    return number(word, type)
  }

  /// Ten rounds; every word is kept in 64 bits of which the upper half is zero.
  private func philox(
    _ counter: [CodeValue], key: [CodeValue], _ wide: LLVMTypeRef
  ) -> [CodeValue] {
    let low = ir.splat(UInt64(0xFFFF_FFFF), wide)
    var (c, k) = (counter, key)
    for round in 0..<10 {
      if round > 0 {
        k[0] = ir.and(ir.add(k[0], ir.splat(UInt64(0x9E37_79B9), wide)), low)
        k[1] = ir.and(ir.add(k[1], ir.splat(UInt64(0xBB67_AE85), wide)), low)
      }
      let first = ir.mul(c[0], ir.splat(UInt64(0xD251_1F53), wide))
      let second = ir.mul(c[2], ir.splat(UInt64(0xCD9E_8D57), wide))
      c = [
        ir.xor(ir.xor(ir.lshr(second, by: 32), c[1]), k[0]), ir.and(second, low),
        ir.xor(ir.xor(ir.lshr(first, by: 32), c[3]), k[1]), ir.and(first, low),
      ]
    }
    return c
  }

  /// The number of the dtype that a word, or two words, make.
  private func number(_ word: CodeValue, _ type: LoopType) -> CodeValue {
    let target = registerType(type)
    func fraction(_ shift: Int, _ scale: Double) -> CodeValue {
      // At most 53 bits, below 2^63: exact as a signed integer.
      let wide = ir.vector(storageType(.f64), type.lanes)
      let number = LLVMBuildSIToFP(ir.builder, ir.lshr(word, by: shift), wide, "")!
      let scaled = ir.fmul(number, scale)
      return type.dtype == .f64 ? scaled : ir.fptrunc(scaled, target)
    }
    switch type.dtype {
    case .f32: return fraction(8, 0x1p-24)
    case .f64: return fraction(11, 0x1p-53)
    case .f16: return fraction(21, 0x1p-11)
    case .bf16: return fraction(24, 0x1p-8)
    case .i64, .u64: return word
    case .i8, .i16, .i32, .u8, .u16, .u32, .bool: return ir.trunc(word, target)
    }
  }
}
