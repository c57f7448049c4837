import CLLVM
import GraphIR

/// e^x and the functions built on it.
extension VectorMath {
  /// e^x: at most 1 ulp (f32, f64).
  ///
  /// x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite, "Software manual for the elementary functions", 1980),
  /// the power series of e^r, and 2^n in two factors, so that overflow and denormals come out right.
  func exp(_ x: CodeValue, fault: PlantedFault? = nil) -> CodeValue {
    // Beyond these the result is infinite or zero; NaN passes both selects.
    let (low, high) = isDouble(x) ? (-746.0, 710.0) : (-105.0, 89.5)
    var clamped = ir.select(ir.compare(LLVMRealOLT, x, low), splat(low, like: x), x)
    clamped = ir.select(ir.compare(LLVMRealOGT, clamped, high), splat(high, like: x), clamped)
    let (n, r, lost) = reduceByLogarithmOfTwo(clamped)
    return scale(exponentialSeries(r, lost, fault: fault), byPowerOfTwo: n)
  }

  /// n as integers, r = x - n ln 2, and what r lost by rounding.
  private func reduceByLogarithmOfTwo(
    _ x: CodeValue
  ) -> (n: CodeValue, r: CodeValue, lost: CodeValue) {
    // Adding 1.5 * 2^23 (2^52) leaves the nearest integer in the low bits.
    let magic = isDouble(x) ? 0x1.8p52 : 0x1.8p23
    let shifted = ir.fma(x, splat(1.442695040888963407, like: x), splat(magic, like: x))
    let rounded = ir.fadd(shifted, -magic)
    let n = ir.sub(bits(shifted), bits(splat(magic, like: x)))
    // The upper part has zeros at its end: its product with n is exact.
    let (high, low) =
      isDouble(x)
      ? (0x1.62e42feep-1, 0x1.a39ef35793c76p-33) : (0x1.63p-1, -0x1.bd0106p-13)
    let exact = ir.fma(rounded, splat(-high, like: x), x)
    let r = ir.fma(rounded, splat(-low, like: x), exact)
    let lost = ir.fma(rounded, splat(-low, like: x), ir.fsub(exact, r))
    return (n, r, lost)
  }

  /// 1 + r + lost + r^2 (1/2! + r/3! + ...), rounded once at the end but for small terms.
  private func exponentialSeries(
    _ r: CodeValue, _ lost: CodeValue, fault: PlantedFault?
  ) -> CodeValue {
    var factorial = 1.0
    var coefficients: [Double] = []
    for k in 2...(isDouble(r) ? 13 : 7) {
      factorial *= Double(k)
      coefficients.append(1 / factorial)
    }
    if fault == .llvmWrongCoefficient { coefficients[0] = 0.48 }
    let tail = ir.fma(ir.fmul(r, r), polynomial(r, coefficients), lost)
    let sum = ir.fadd(r, 1)
    let rounding = ir.fsub(r, ir.fadd(sum, -1))
    return ir.fadd(sum, ir.fadd(rounding, tail))
  }

  /// p 2^n.
  func scale(_ p: CodeValue, byPowerOfTwo n: CodeValue) -> CodeValue {
    let half = ir.ashr(n, by: 1)
    return ir.fmul(ir.fmul(p, powerOfTwo(half, like: p)), powerOfTwo(ir.sub(n, half), like: p))
  }

  /// 2^n, for n among the exponents of normal numbers.
  private func powerOfTwo(_ n: CodeValue, like x: CodeValue) -> CodeValue {
    let (bias, width) = isDouble(x) ? (UInt64(1023), 52) : (127, 23)
    let biased = ir.add(n, ir.splat(bias, ir.type(of: n)))
    return ir.bitcast(ir.shl(biased, by: width), ir.type(of: x))
  }

  /// e^x - 1: just above 0.5 ulp (f32), at most 4 ulp (f64).
  ///
  /// With u = e^x rounded, (u - 1) x / log u: the errors of u cancel (Kahan; see Higham, "Accuracy and stability
  /// of numerical algorithms", 2002, section 1.14.1).
  func expm1(_ x: CodeValue) -> CodeValue {
    inDouble([x]) { arguments in
      let x = arguments[0]
      let u = exp(x)
      let difference = ir.fadd(u, -1)
      let corrected = ir.fmul(ir.fdiv(difference, log(u)), x)
      // e^x rounds to 1: x itself; e^x is 0 or infinite: nothing is lost.
      let isSmall = ir.compare(LLVMRealOEQ, u, 1)
      let isLarge = ir.or(
        ir.compare(LLVMRealOEQ, u, Double.infinity), ir.compare(LLVMRealOLT, x, -40))
      return ir.select(isSmall, x, ir.select(isLarge, difference, corrected))
    }
  }

  /// 1 / (1 + e^-x): at most 2 ulp (f32, f64).
  ///
  /// By e = e^-|x|, which does not overflow: 1 / (1 + e) or e / (1 + e). A step of Newton's method on the quotient
  /// takes back the rounding of the sum.
  func sigmoid(_ x: CodeValue, fault: PlantedFault? = nil) -> CodeValue {
    let e = exp(ir.fneg(magnitude(x)), fault: fault)
    let isNegative = ir.compare(LLVMRealOLT, x, 0)
    let numerator = ir.select(isNegative, e, splat(1, like: x))
    let sum = ir.fadd(e, 1)
    let lost = ir.fsub(e, ir.fadd(sum, -1))
    let reciprocal = ir.fdiv(splat(1, like: x), sum)
    let quotient = ir.fmul(numerator, reciprocal)
    var residue = ir.fma(ir.fneg(quotient), sum, numerator)
    residue = ir.fma(ir.fneg(quotient), lost, residue)
    return ir.fma(residue, reciprocal, quotient)
  }

  /// The hyperbolic tangent: at most 2 ulp (f32), 4 ulp (f64).
  func tanh(_ x: CodeValue) -> CodeValue {
    let size = magnitude(x)
    if isDouble(x) {
      // t / (t + 2) with t = e^(2|x|) - 1; 1 where t swamps the 2.
      let t = expm1(ir.fmul(size, 2))
      let inner = ir.fdiv(t, ir.fadd(t, 2))
      let isLarge = ir.compare(LLVMRealOGT, size, 22)
      return copySign(ir.select(isLarge, splat(1, like: x), inner), x)
    }
    let e = exp(ir.fmul(size, -2))
    let outer = copySign(ir.fdiv(ir.fsub(splat(1, like: x), e), ir.fadd(e, 1)), x)
    let z = ir.fmul(x, x)
    let inner = ir.fma(ir.fmul(x, z), polynomial(z, Self.tanhCoefficients), x)
    return ir.select(ir.compare(LLVMRealOLT, size, 0.625), inner, outer)
  }

  /// `(tanh(x) / x - 1) / x^2` in x^2 for |x| < 0.625, error 1.6e-9 (Scripts/fit-vector-math.py).
  private static let tanhCoefficients = [
    -0.33333333172, 0.133333035307, -0.0539592533789, 0.0217688682145, -0.00834378037048,
    0.0022925576991,
  ]
}
