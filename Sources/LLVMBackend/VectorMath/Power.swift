import CLLVM
import GraphIR

/// Powers and remainders.
extension VectorMath {
  /// x^y: just above 0.5 ulp (f32), at most 4 ulp (f64).
  ///
  /// e^(y log |x|) with the logarithm and its product as sums of two f64 (Dekker, "A floating-point technique for
  /// extending the available precision", 1971), and the sign and special values of IEEE 754's `pow`.
  func power(_ x: CodeValue, _ y: CodeValue) -> CodeValue {
    inDouble([x, y]) { arguments in
      let (x, y) = (arguments[0], arguments[1])
      let (high, low) = preciseLogarithm(magnitude(x))
      let product = ir.fmul(y, high)
      let error = ir.fma(y, high, ir.fneg(product))
      let correction = ir.fma(y, low, error)
      let isFinite = ir.compare(LLVMRealOLT, magnitude(correction), Double.infinity)
      let isInRange = ir.compare(LLVMRealOLT, magnitude(product), 800)
      let tail = ir.select(ir.and(isFinite, isInRange), correction, splat(0, like: x))
      let e = exp(product)
      let isOverflow = ir.compare(LLVMRealOEQ, e, Double.infinity)
      let size = ir.select(isOverflow, e, ir.fma(e, tail, e))
      return specialPowers(x, y, size)
    }
  }

  /// log(x) as a sum of two f64, for x >= 0; infinite where the logarithm is.
  private func preciseLogarithm(_ x: CodeValue) -> (high: CodeValue, low: CodeValue) {
    let (e, f) = decompose(x)
    // s = f / (2 + f) and its error.
    let sum = ir.fadd(f, 2)
    let sumError = ir.fsub(f, ir.fadd(sum, -2))
    let s = ir.fdiv(f, sum)
    let residue = ir.fsub(ir.fma(ir.fneg(s), sum, f), ir.fmul(s, sumError))
    let sError = ir.fdiv(residue, sum)
    // 2 s + 2 s^3 (1/3 + s^2/5 + ...).
    let z = ir.fmul(s, s)
    let series = (1...11).map { 2 / Double(2 * $0 + 1) }
    let rest = ir.fmul(ir.fmul(s, z), polynomial(z, series))
    let head = ir.fmul(s, 2)
    // e ln 2: the upper part is exact.
    let base = ir.fmul(e, 0x1.62e42feep-1)
    let (upper, upperError) = exactSum(base, head)
    var lower = ir.fma(e, splat(0x1.a39ef35793c76p-33, like: x), upperError)
    lower = ir.fadd(lower, ir.fma(sError, splat(2, like: x), rest))
    let (high, low) = exactSum(upper, lower)
    let isRegular = ir.and(
      ir.compare(LLVMRealOGT, x, 0), ir.compare(LLVMRealOLT, x, Double.infinity))
    let special = ir.select(
      ir.compare(LLVMRealOEQ, x, 0), splat(-.infinity, like: x), x)
    return (ir.select(isRegular, high, special), ir.select(isRegular, low, splat(0, like: x)))
  }

  /// a + b and its rounding error (Knuth's two-sum).
  func exactSum(_ a: CodeValue, _ b: CodeValue) -> (sum: CodeValue, error: CodeValue) {
    let sum = ir.fadd(a, b)
    let part = ir.fsub(sum, a)
    let error = ir.fadd(ir.fsub(a, ir.fsub(sum, part)), ir.fsub(b, part))
    return (sum, error)
  }

  /// IEEE 754-2019, section 9.2.1.
  private func specialPowers(_ x: CodeValue, _ y: CodeValue, _ size: CodeValue) -> CodeValue {
    let one = splat(1, like: x)
    let whole = ir.intrinsic("llvm.floor", [y])
    let isWhole = ir.compare(LLVMRealOEQ, whole, y)
    let half = ir.fmul(y, 0.5)
    let isEven = ir.compare(LLVMRealOEQ, ir.intrinsic("llvm.floor", [half]), half)
    let isOdd = ir.and(isWhole, ir.not(isEven))
    let sign = ir.compare(LLVMIntSLT, bits(x), ir.zero(ir.type(of: bits(x))))
    var result = ir.select(ir.and(sign, isOdd), ir.fneg(size), size)
    // A negative finite number to a broken power is no real number.
    let isFinite = ir.compare(LLVMRealOLT, magnitude(x), Double.infinity)
    let isNegative = ir.and(ir.compare(LLVMRealOLT, x, 0), isFinite)
    let isBroken = ir.and(isNegative, ir.not(isWhole))
    result = ir.select(isBroken, splat(.nan, like: x), result)
    let isNaN = ir.compare(LLVMRealUNO, x, y)
    result = ir.select(isNaN, splat(.nan, like: x), result)
    // (-1)^(infinity), and 1^y and x^0 even of NaN, are 1.
    let isInfinitePower = ir.compare(LLVMRealOEQ, magnitude(y), Double.infinity)
    let isUnit = ir.compare(LLVMRealOEQ, magnitude(x), 1)
    let isOne = ir.or(
      ir.and(isUnit, isInfinitePower),
      ir.or(ir.compare(LLVMRealOEQ, x, 1), ir.compare(LLVMRealOEQ, y, 0)))
    return ir.select(isOne, one, result)
  }

  /// The remainder of the truncated division, exact, with the sign of x: C's `fmod`.
  ///
  /// Long division by doubling and halving the divisor, lane by lane; no step rounds.
  func remainder(_ x: CodeValue, _ y: CodeValue) -> CodeValue {
    inDouble([x, y]) { arguments in
      let lanes = lanes(arguments[0])
      let double = LLVMDoubleTypeInContext(ir.context)!
      let helper = module.helper("remainder", [double, double], double) {
        longDivision($0[0], $0[1])
      }
      var result = arguments[0]
      for lane in 0..<lanes {
        let pair = arguments.map { ir.extractLane($0, lane, of: lanes) }
        let rest = ir.call(helper.function, helper.type, pair)
        result = lanes == 1 ? rest : ir.insert(result, rest, lane)
      }
      return result
    }
  }

  private func longDivision(_ x: CodeValue, _ y: CodeValue) -> CodeValue {
    let (size, divisor) = (magnitude(x), magnitude(y))
    let isRegular = ir.and(
      ir.and(
        ir.compare(LLVMRealOLT, size, Double.infinity), ir.compare(LLVMRealOGT, divisor, 0)),
      ir.compare(LLVMRealOLT, divisor, Double.infinity))
    let (entry, up, upward) = (ir.block, ir.newBlock("up"), ir.newBlock("double"))
    let (down, downward, done) = (ir.newBlock("down"), ir.newBlock("halve"), ir.newBlock("done"))
    ir.branch(if: isRegular, up, else: done)
    let double = ir.type(of: x)
    // Doubles the divisor while it stays within the rest.
    ir.moveToEnd(of: up)
    let larger = ir.phi(double)
    ir.addIncoming(larger, divisor, from: entry)
    ir.branch(
      if: ir.compare(LLVMRealOLE, larger, ir.fmul(size, 0.5)), upward, else: down)
    ir.moveToEnd(of: upward)
    ir.addIncoming(larger, ir.fmul(larger, 2), from: upward)
    ir.branch(to: up)
    // Halves it back, and subtracts where it fits.
    ir.moveToEnd(of: down)
    let (step, rest) = (ir.phi(double), ir.phi(double))
    ir.addIncoming(step, larger, from: up)
    ir.addIncoming(rest, size, from: up)
    ir.branch(if: ir.compare(LLVMRealOGE, step, divisor), downward, else: done)
    ir.moveToEnd(of: downward)
    let fits = ir.compare(LLVMRealOGE, rest, step)
    ir.addIncoming(rest, ir.select(fits, ir.fsub(rest, step), rest), from: downward)
    ir.addIncoming(step, ir.fmul(step, 0.5), from: downward)
    ir.branch(to: down)
    ir.moveToEnd(of: done)
    let result = ir.phi(double)
    ir.addIncoming(result, size, from: entry)
    ir.addIncoming(result, rest, from: down)
    // x / infinity leaves x; all other irregular pairs have no remainder.
    let isKept = ir.and(
      ir.compare(LLVMRealOLT, size, Double.infinity),
      ir.compare(LLVMRealOEQ, divisor, Double.infinity))
    let hasNone = ir.not(ir.or(isRegular, isKept))
    let signed = copySign(result, x)
    return ir.select(hasNone, splat(.nan, like: x), signed)
  }
}
