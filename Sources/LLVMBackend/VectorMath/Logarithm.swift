import CLLVM
import GraphIR

/// Logarithms.
extension VectorMath {
  /// The natural logarithm: at most 0.84 ulp (f32), 1.5 ulp (f64).
  ///
  /// x = m 2^e with m between sqrt(1/2) and sqrt(2), f = m - 1, s = f / (2 + f), and the series of
  /// log((1 + s) / (1 - s)) arranged as in Sun's fdlibm (Ng, 1993): f - (f^2/2 - s (f^2/2 + R(s^2))).
  func log(_ x: CodeValue) -> CodeValue {
    let (e, f) = decompose(x)
    return specialLogarithms(x, logarithm(e, f))
  }

  /// e ln 2 + log(1 + f), for f from sqrt(1/2) - 1 to sqrt(2) - 1.
  private func logarithm(_ e: CodeValue, _ f: CodeValue) -> CodeValue {
    let s = ir.fdiv(f, ir.fadd(f, 2))
    let z = ir.fmul(s, s)
    let terms = isDouble(f) ? 10 : 5
    let series = (1...terms).map { 2 / Double(2 * $0 + 1) }
    let rest = ir.fmul(z, polynomial(z, series))
    let half = ir.fmul(ir.fmul(f, f), 0.5)
    let (high, low) =
      isDouble(f)
      ? (0x1.62e42feep-1, 0x1.a39ef35793c76p-33) : (0x1.62e3p-1, 0x1.2fefa2p-17)
    let inner = ir.fma(s, ir.fadd(half, rest), ir.fmul(e, low))
    let fraction = ir.fsub(f, ir.fsub(half, inner))
    return ir.fma(e, splat(high, like: f), fraction)
  }

  /// -infinity at 0, NaN below and at NaN, infinity at infinity; the result elsewhere.
  private func specialLogarithms(_ x: CodeValue, _ result: CodeValue) -> CodeValue {
    let infinity = splat(.infinity, like: x)
    let isFinite = ir.and(
      ir.compare(LLVMRealOGT, x, 0), ir.compare(LLVMRealOLT, x, infinity))
    let isZero = ir.compare(LLVMRealOEQ, x, 0)
    let isInfinite = ir.compare(LLVMRealOEQ, x, infinity)
    let special = ir.select(
      isZero, ir.fneg(infinity), ir.select(isInfinite, infinity, splat(.nan, like: x)))
    return ir.select(isFinite, result, special)
  }

  /// e (as a float) and f = m - 1, with x = m 2^e and m between sqrt(1/2) and sqrt(2), for positive finite x.
  func decompose(_ x: CodeValue) -> (e: CodeValue, f: CodeValue) {
    let isDouble = isDouble(x)
    let width = isDouble ? 52 : 23
    let (smallest, lift) = isDouble ? (0x1p-1022, 0x1p54) : (0x1p-126, 0x1p25)
    let isDenormal = ir.compare(LLVMRealOLT, x, smallest)
    let normal = ir.select(isDenormal, ir.fmul(x, lift), x)
    let root = bits(splat(0.5.squareRoot(), like: x))
    let exponent = ir.ashr(ir.sub(bits(normal), root), by: width)
    let m = ir.bitcast(ir.sub(bits(normal), ir.shl(exponent, by: width)), ir.type(of: x))
    let lifted = ir.select(
      isDenormal, splat(isDouble ? -54 : -25, like: x), splat(0, like: x))
    return (ir.fadd(smallInteger(exponent, like: x), lifted), ir.fadd(m, -1))
  }

  /// Integers of at most 22 bits as floats.
  private func smallInteger(_ n: CodeValue, like x: CodeValue) -> CodeValue {
    let magic = splat(isDouble(x) ? 0x1.8p52 : 0x1.8p23, like: x)
    return ir.fsub(ir.bitcast(ir.add(n, bits(magic)), ir.type(of: x)), magic)
  }

  /// log(1 + x): at most 1.41 ulp (f32), 2.5 ulp (f64).
  ///
  /// With u = 1 + x rounded and decomposed, what u lost is added to its fraction at the fraction's scale.
  func log1p(_ x: CodeValue) -> CodeValue {
    let (u, lost) = exactSum(splat(1, like: x), x)
    let (e, f) = decompose(u)
    // Far beyond f's precision nothing is lost that counts; there the scale would no longer be a normal number.
    let limit = isDouble(x) ? 100.0 : 60
    let isNear = ir.compare(LLVMRealOLT, e, limit)
    let share = ir.fmul(lost, inversePower(u, like: x))
    let corrected = ir.fadd(f, ir.select(isNear, share, splat(0, like: x)))
    let result = specialLogarithms(u, logarithm(e, corrected))
    // Here x is the nearest number, and its sign and a denormal's last bit are kept.
    let isSmall = ir.compare(LLVMRealOLT, magnitude(x), isDouble(x) ? 0x1p-54 : 0x1p-25)
    return ir.select(isSmall, x, result)
  }

  /// log(1 + e^x): just above 0.5 ulp (f32), at most 4 ulp (f64).
  ///
  /// max(x, 0) + log(1 + e^-|x|), which neither overflows nor cancels.
  func softplus(_ x: CodeValue) -> CodeValue {
    inDouble([x]) { arguments in
      let x = arguments[0]
      let positive = ir.select(ir.compare(LLVMRealOGT, x, 0), x, splat(0, like: x))
      return ir.fadd(positive, log1p(exp(ir.fneg(magnitude(x)))))
    }
  }

  /// 2^-e for the exponent e that `decompose` finds, where that is small.
  private func inversePower(_ u: CodeValue, like x: CodeValue) -> CodeValue {
    let width = isDouble(x) ? 52 : 23
    let root = bits(splat(0.5.squareRoot(), like: x))
    let exponent = ir.ashr(ir.sub(bits(u), root), by: width)
    return ir.bitcast(
      ir.sub(bits(splat(1, like: x)), ir.shl(exponent, by: width)), ir.type(of: x))
  }
}
