import CLLVM
import GraphIR

/// Sine and cosine.
extension VectorMath {
  /// sin(x + quarterTurns pi/2): just above 0.5 ulp (f32), at most 2 ulp (f64), however large x is.
  ///
  /// x = n pi/2 + r with |r| <= pi/4, then the power series of sine or cosine of r by n's last two bits.
  func sine(_ x: CodeValue, quarterTurns: Int) -> CodeValue {
    inDouble([x]) { arguments in
      let x = arguments[0]
      let (n, r) = reduceByQuarterTurns(x)
      let quadrant = ir.add(n, ir.splat(UInt64(quarterTurns), ir.type(of: n)))
      let one = ir.splat(UInt64(1), ir.type(of: n))
      let zero = ir.zero(ir.type(of: n))
      let isOdd = ir.compare(LLVMIntNE, ir.and(quadrant, one), zero)
      let value = ir.select(isOdd, cosineSeries(r), sineSeries(r))
      let isNegative = ir.compare(LLVMIntNE, ir.and(ir.lshr(quadrant, by: 1), one), zero)
      let result = ir.select(isNegative, ir.fneg(value), value)
      // The difference of infinity with itself is NaN, as its sine is.
      let isFinite = ir.compare(LLVMRealOLT, magnitude(x), Double.infinity)
      let signed = ir.select(isFinite, result, ir.fsub(x, x))
      // The reduction leaves 0 without its sign.
      return quarterTurns == 0 ? ir.select(ir.compare(LLVMRealOEQ, x, 0), x, signed) : signed
    }
  }

  private func sineSeries(_ r: CodeValue) -> CodeValue {
    let z = ir.fmul(r, r)
    return ir.fma(ir.fmul(r, z), polynomial(z, Self.series(from: 3, count: 8)), r)
  }

  private func cosineSeries(_ r: CodeValue) -> CodeValue {
    let z = ir.fmul(r, r)
    let half = ir.fmul(z, 0.5)
    let tail = ir.fmul(ir.fmul(z, z), polynomial(z, Self.series(from: 4, count: 8)))
    let head = ir.fsub(splat(1, like: r), half)
    // What the subtraction from 1 lost.
    let lost = ir.fsub(ir.fsub(splat(1, like: r), head), half)
    return ir.fadd(head, ir.fadd(tail, lost))
  }

  /// The coefficients 1/n!, -1/(n+2)!, ...
  ///
  /// with the sign that the power has in the series of sine or cosine.
  private static func series(from first: Int, count: Int) -> [Double] {
    (0..<count).map { index in
      let power = first + 2 * index
      let factorial = (1...power).reduce(1.0) { $0 * Double($1) }
      return (power / 2 % 2 == 0 ? 1 : -1) / factorial
    }
  }

  /// n as integers and r = x - n pi/2.
  private func reduceByQuarterTurns(_ x: CodeValue) -> (n: CodeValue, r: CodeValue) {
    let magic = splat(0x1.8p52, like: x)
    let shifted = ir.fma(x, splat(2 / Double.pi, like: x), magic)
    let turns = ir.fsub(shifted, magic)
    var r = x
    for part in Self.halfPi { r = ir.fma(turns, splat(-part, like: x), r) }
    let n = ir.sub(bits(shifted), bits(magic))
    // Three doubles of pi/2 are enough up to here; larger arguments are rare and reduced one by one.
    let isLarge = ir.compare(LLVMRealOGT, magnitude(x), 0x1p19)
    let lanes = lanes(x)
    let any = ir.any(isLarge, lanes: lanes)
    let (before, large, after) = (ir.block, ir.newBlock("large"), ir.newBlock("reduced"))
    ir.branch(if: any, large, else: after)
    ir.moveToEnd(of: large)
    var (slowN, slowR) = (n, r)
    for lane in 0..<lanes {
      let pair = reduceLarge(ir.extractLane(x, lane, of: lanes))
      let turn = LLVMBuildFPToSI(ir.builder, ir.extract(pair, 1), ir.int64, "")!
      if lanes == 1 {
        (slowN, slowR) = (turn, ir.extract(pair, 0))
      } else {
        let isLaneLarge = ir.extract(isLarge, lane)
        slowN = ir.insert(slowN, ir.select(isLaneLarge, turn, ir.extract(n, lane)), lane)
        slowR = ir.insert(
          slowR, ir.select(isLaneLarge, ir.extract(pair, 0), ir.extract(r, lane)), lane)
      }
    }
    let end = ir.block
    ir.branch(to: after)
    ir.moveToEnd(of: after)
    let (finalN, finalR) = (ir.phi(ir.type(of: n)), ir.phi(ir.type(of: r)))
    ir.addIncoming(finalN, n, from: before)
    ir.addIncoming(finalN, slowN, from: end)
    ir.addIncoming(finalR, r, from: before)
    ir.addIncoming(finalR, slowR, from: end)
    return (finalN, finalR)
  }

  /// pi/2 as a sum of three doubles (Scripts/fit-vector-math.py).
  private static let halfPi = [
    0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110,
  ]

  /// (r, n) for one large f64, with the bits of 2/pi that matter for its exponent (Payne and Hanek, "Radian
  /// reduction for trigonometric functions", SIGNUM Newsletter 18, 1983).
  private func reduceLarge(_ x: CodeValue) -> CodeValue {
    let double = LLVMDoubleTypeInContext(ir.context)!
    let helper = module.helper("reduce_radians", [double], ir.vector(double, 2)) { arguments in
      payneHanek(arguments[0])
    }
    return ir.call(helper.function, helper.type, [x])
  }

  private func payneHanek(_ x: CodeValue) -> CodeValue {
    let wide = ir.integer(128)
    let raw = ir.and(bits(x), ir.constant(Int.max))
    // |x| = m 2^e. What need not be reduced, NaN and infinity keep their exponents in range: the caller does not
    // use their results.
    let capped = ir.intrinsic("llvm.umin", [ir.lshr(raw, by: 52), ir.constant(2046)])
    let exponent = ir.intrinsic("llvm.umax", [capped, ir.constant(1023 + 19)])
    let e = ir.sub(exponent, ir.constant(1075))
    let m = ir.or(ir.and(raw, ir.constant((1 << 52) - 1)), ir.constant(1 << 52))
    // The bits of 2/pi from e - 1 on; earlier ones make whole turns. The table starts 64 zeros early.
    let position = ir.add(e, ir.constant(64 - 2))
    let words = (0..<3).map { tableBits(at: ir.add(position, ir.constant(64 * $0))) }
    func product(_ word: CodeValue, plus carry: CodeValue) -> (high: CodeValue, low: CodeValue) {
      let full = ir.add(ir.mul(ir.zext(m, wide), ir.zext(word, wide)), ir.zext(carry, wide))
      return (ir.trunc(ir.lshr(full, by: 64), ir.int64), ir.trunc(full, ir.int64))
    }
    let third = product(words[2], plus: ir.constant(0))
    let second = product(words[1], plus: third.high)
    let first = product(words[0], plus: second.high)
    // Two bits of quarter turns, then the fraction of one, read as signed: the nearest multiple.
    let fraction = ir.or(ir.shl(first.low, by: 2), ir.lshr(second.low, by: 62))
    let rest = ir.or(ir.shl(second.low, by: 2), ir.lshr(third.low, by: 62))
    let turns = ir.add(ir.lshr(first.low, by: 62), ir.lshr(fraction, by: 63))
    let double = LLVMDoubleTypeInContext(ir.context)!
    let high = ir.fmul(LLVMBuildSIToFP(ir.builder, fraction, double, "")!, 0x1p-64)
    let low = ir.fmul(LLVMBuildUIToFP(ir.builder, rest, double, "")!, 0x1p-128)
    let share = ir.fadd(high, low)
    let r = ir.fma(
      share, splat(Self.halfPi[0], like: share), ir.fmul(share, Self.halfPi[1]))
    let isNegative = ir.compare(LLVMIntSLT, bits(x), ir.constant(0))
    let n = LLVMBuildUIToFP(ir.builder, turns, double, "")!
    let pair = ir.poison(ir.vector(double, 2))
    let signedPair = ir.insert(pair, ir.select(isNegative, ir.fneg(r), r), 0)
    return ir.insert(signedPair, ir.select(isNegative, ir.fneg(n), n), 1)
  }

  /// 64 bits of the table from a bit position on.
  private func tableBits(at position: CodeValue) -> CodeValue {
    let name = "two_over_pi"
    let type = LLVMArrayType2(ir.int64, UInt64(Self.twoOverPi.count))!
    let table: CodeValue
    if let existing = LLVMGetNamedGlobal(ir.module, name) {
      table = existing
    } else {
      table = LLVMAddGlobal(ir.module, type, name)
      var words: [CodeValue?] = Self.twoOverPi.map { LLVMConstInt(ir.int64, $0, 0) }
      LLVMSetInitializer(table, LLVMConstArray2(ir.int64, &words, UInt64(words.count)))
      LLVMSetGlobalConstant(table, 1)
      LLVMSetLinkage(table, LLVMInternalLinkage)
    }
    let index = ir.lshr(position, by: 6)
    let shift = ir.and(position, ir.constant(63))
    let word = ir.load(ir.int64, ir.element(ir.int64, table, index), alignment: 8)
    let next = ir.load(
      ir.int64, ir.element(ir.int64, table, ir.add(index, ir.constant(1))), alignment: 8)
    return ir.intrinsic("llvm.fshl", [word, next, shift])
  }

  /// 64 zeros, then the bits of 2/pi (Scripts/fit-vector-math.py).
  private static let twoOverPi: [UInt64] = [
    0, 0xA2F9_836E_4E44_1529, 0xFC27_57D1_F534_DDC0, 0xDB62_9599_3C43_9041,
    0xFE51_63AB_DEBB_C561, 0xB724_6E3A_424D_D2E0, 0x0649_2EEA_09D1_921C,
    0xFE1D_EB1C_B129_A73E, 0xE882_35F5_2EBB_4484, 0xE99C_7026_B45F_7E41,
    0x3991_D639_8353_39F4, 0x9C84_5F8B_BDF9_283B, 0x1FF8_97FF_DE05_980F,
    0xEF2F_118B_5A0A_6D1F, 0x6D36_7ECF_27CB_09B7, 0x4F46_3F66_9E5F_EA2D,
    0x7527_BAC7_EBE5_F17B, 0x3D07_39F7_8A52_92EA, 0x6BFB_5FB1_1F8D_5D08,
    0x5603_3046_FC7B_6BAB, 0xF0CF_BC20_9AF4_361D,
  ]
}
