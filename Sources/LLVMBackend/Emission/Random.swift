import CLLVM
import GraphIR
import LoopIR

/// Philox4x32-10, as the operation `random` defines it, in vectors.
extension ModuleEmitter {
  /// The elements `index[lane]` of a stream.
  ///
  /// Where the lanes are whole blocks of neighbours, each block is computed once; otherwise each lane computes its own.
  func random(
    stream: Int, index: CodeValue, isBlocks: Bool, seed: CodeValue, step: CodeValue,
    _ type: LoopType
  ) -> CodeValue {
    let perBlock = type.dtype.bitCount == 64 ? 2 : 4
    let lanes = isBlocks ? type.lanes / perBlock : type.lanes
    let first =
      isBlocks
      ? everyLane(index, apart: perBlock, count: lanes, of: type.lanes) : index
    let block = ir.lshr(first, by: perBlock.trailingZeroBitCount)
    let words = randomBlock(block, stream: stream, seed: seed, step: step, lanes: lanes)
    let numbers =
      perBlock == 2
      ? pairs(words, lanes: lanes)
      : words.map {
        ir.trunc($0, ir.vector(ir.integer(32), lanes))
      }
    let chosen =
      isBlocks
      ? interleave(numbers, lanes: lanes) : choose(numbers, index, lanes: lanes)
    return number(chosen, type)
  }

  private func everyLane(
    _ vector: CodeValue, apart: Int, count: Int, of lanes: Int
  ) -> CodeValue {
    if count == 1 { return ir.extractLane(vector, 0, of: lanes) }
    return ir.shuffle(vector, vector, (0..<count).map { $0 * apart })
  }

  /// Two words as one of 64 bits, the second above the first.
  private func pairs(_ words: [CodeValue], lanes: Int) -> [CodeValue] {
    [
      ir.or(words[0], ir.shl(words[1], by: 32)), ir.or(words[2], ir.shl(words[3], by: 32)),
    ]
  }

  /// The first lanes of all vectors, then the second ones, and so on.
  private func interleave(_ vectors: [CodeValue], lanes: Int) -> CodeValue {
    if lanes == 1 {
      let empty = ir.poison(ir.vector(ir.type(of: vectors[0]), vectors.count))
      return vectors.enumerated().reduce(empty) { ir.insert($0, $1.element, $1.offset) }
    }
    var (joined, width) = (vectors, lanes)
    while joined.count > 1 {
      joined = stride(from: 0, to: joined.count, by: 2).map {
        ir.shuffle(joined[$0], joined[$0 + 1], Array(0..<(2 * width)))
      }
      width *= 2
    }
    return ir.shuffle(
      joined[0], joined[0], (0..<width).map { $0 % vectors.count * lanes + $0 / vectors.count })
  }

  /// Lane by lane the vector that the index, modulo their number, names.
  private func choose(_ vectors: [CodeValue], _ index: CodeValue, lanes: Int) -> CodeValue {
    let wide = ir.type(of: index)
    let place = ir.and(index, ir.splat(UInt64(vectors.count - 1), wide))
    return vectors.indices.dropLast().reversed().reduce(vectors[vectors.count - 1]) {
      ir.select(ir.compare(LLVMIntEQ, place, ir.splat(UInt64($1), wide)), vectors[$1], $0)
    }
  }

  /// Ten rounds; every word is kept in 64 bits of which the upper half is zero.
  private func randomBlock(
    _ block: CodeValue, stream: Int, seed: CodeValue, step: CodeValue, lanes: Int
  ) -> [CodeValue] {
    let wide = ir.vector(ir.int64, lanes)
    let low = ir.splat(UInt64(0xFFFF_FFFF), wide)
    let (seeds, steps) = (
      ir.broadcast(seed, lanes: lanes), ir.broadcast(step, lanes: lanes)
    )
    var c = [
      ir.and(block, low), ir.splat(UInt64(stream), wide), ir.and(steps, low),
      ir.lshr(steps, by: 32),
    ]
    var k = [ir.and(seeds, low), ir.lshr(seeds, by: 32)]
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

  /// The number of the dtype that a word of 32 or 64 bits makes.
  private func number(_ word: CodeValue, _ type: LoopType) -> CodeValue {
    let target = registerType(type)
    // At most 24 bits are left (53 for f64): exact.
    func fraction(_ shift: Int, _ scale: Double) -> CodeValue {
      ir.fmul(ir.numberFromUnsigned(ir.lshr(word, by: shift), target), scale)
    }
    switch type.dtype {
    case .f32: return fraction(8, 0x1p-24)
    case .f64: return fraction(11, 0x1p-53)
    case .f16: return fraction(21, 0x1p-11)
    case .bf16: return fraction(24, 0x1p-8)
    case .i64, .u64, .i32, .u32: return word
    case .i8, .i16, .u8, .u16, .bool: return ir.trunc(word, target)
    }
  }
}
