import CLLVM
import GraphIR

/// e^x and the functions built on it.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite, "Software manual for the elementary functions", 1980); then
/// e^x = 2^n (1 + t) with t = e^r - 1 by a polynomial. How 2^n enters is what tells the functions apart.
extension VectorMath {
  /// e^x: at most 1.01 ulp (f32), 1.5 ulp (f64).
  ///
  /// 2^n comes in two factors, so that overflow and denormals come out right.
  func exp(_ x: CodeValue) -> CodeValue {
    // Beyond these the result is infinite or zero.
    let (low, high) = isDouble(x) ? (-746.0, 710.0) : (-105.0, 89.5)
    // The low bits of n are those of two exponents' sum: of these, each takes about half.
    let (bias, width) = isDouble(x) ? (1023, 52) : (127, 23)
    let (n, t) = splitExponential(clamp(x, low, high), .ofPower, raisedBy: 2 * bias)
    let half = ir.lshr(n, by: 1)
    let powers = [half, ir.sub(n, half)].map {
      ir.bitcast(ir.shl($0, by: width), ir.type(of: x))
    }
    return ir.fmul(ir.fma(t, powers[0], powers[0]), powers[1])
  }

  /// e^x - 1: at most 1.37 ulp (f32), 2.5 ulp (f64).
  ///
  /// 2 (t h + (h - 1/2)) with h = 2^(n - 1), which is always a normal number.
  func expm1(_ x: CodeValue) -> CodeValue {
    // The exponent of h, with its bias.
    let (bias, width) = isDouble(x) ? (1023, 52) : (127, 23)
    let (n, t) = splitExponential(
      clamp(x, -40, isDouble(x) ? 710 : 89), .ofDifference, raisedBy: bias - 1)
    let half = ir.bitcast(ir.shl(n, by: width), ir.type(of: x))
    let result = ir.fma(t, half, ir.fadd(half, -0.5))
    // Here x is the nearest number, and its sign and a denormal's last bit are kept.
    let isSmall = ir.compare(LLVMRealOLT, magnitude(x), isDouble(x) ? 0x1p-54 : 0x1p-25)
    return ir.select(isSmall, x, ir.fadd(result, result))
  }

  /// 1 / (1 + e^-x): at most 1.48 ulp (f32), 4.5 ulp (f64).
  ///
  /// By e = e^-|x|, which does not overflow: 1 / (1 + e) or e / (1 + e). A step of Newton's method on the quotient
  /// takes back the rounding of the sum.
  func sigmoid(_ x: CodeValue) -> CodeValue {
    let e = exp(ir.fneg(magnitude(x)))
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

  /// The hyperbolic tangent: at most 1.67 ulp (f32), 3 ulp (f64).
  func tanh(_ x: CodeValue) -> CodeValue {
    let size = magnitude(x)
    if isDouble(x) {
      // t / (t + 2) with t = e^(2|x|) - 1; 1 where t swamps the 2.
      let t = expm1(ir.fmul(size, 2))
      let inner = ir.fdiv(t, ir.fadd(t, 2))
      let isLarge = ir.compare(LLVMRealOGT, size, 22)
      return copySign(ir.select(isLarge, splat(1, like: x), inner), x)
    }
    // From 9.02 on the result is 1.
    let clamped = ir.select(ir.compare(LLVMRealOGT, size, 10), splat(10, like: x), size)
    let e = singlePowerOfTwo(clamped, times: -2 * 1.442695040888963407)
    let outer = ir.fdiv(ir.fsub(splat(1, like: x), e), ir.fadd(e, 1))
    let z = ir.fmul(size, size)
    let inner = ir.fma(ir.fmul(size, z), polynomial(z, Self.tanhCoefficients), size)
    return copySign(ir.select(ir.compare(LLVMRealOGE, size, 0.625), outer, inner), x)
  }

  // MARK: Parts

  /// 2^(x factor) of f32, where that is a normal number; a NaN gives anything.
  ///
  /// x factor = n + r with |r| <= 1/2; n is added to the exponent of 2^r.
  func singlePowerOfTwo(
    _ x: CodeValue, times factor: Double = 1, isPaired: Bool = false
  ) -> CodeValue {
    let factor = splat(factor, like: x)
    let magic = splat(0x1.8p23, like: x)
    let shifted = ir.fma(x, factor, magic)
    let r = ir.fma(x, factor, ir.fsub(magic, shifted))
    let coefficients = Self.powerOfTwoSingle
    let power = bits(
      isPaired ? pairedPolynomial(r, coefficients) : polynomial(r, coefficients))
    return ir.bitcast(ir.add(power, ir.shl(bits(shifted), by: 23)), ir.type(of: x))
  }

  /// What the error of e^r - 1 is measured against.
  private enum Tail {
    /// Against e^r.
    case ofPower
    /// Against e^r - 1 itself.
    case ofDifference
  }

  /// x between two numbers; NaN stays NaN.
  private func clamp(_ x: CodeValue, _ low: Double, _ high: Double) -> CodeValue {
    let raised = ir.select(ir.compare(LLVMRealOLT, x, low), splat(low, like: x), x)
    return ir.select(ir.compare(LLVMRealOGT, raised, high), splat(high, like: x), raised)
  }

  /// e^r - 1 and, as integers in whose low 9 (f64: 12) bits it counts, n + `raise`, where x = n ln 2 + r.
  private func splitExponential(
    _ x: CodeValue, _ tail: Tail, raisedBy raise: Int
  ) -> (n: CodeValue, t: CodeValue) {
    // Adding 1.5 * 2^23 (2^52) leaves the nearest integer in the low bits.
    let magic = splat((isDouble(x) ? 0x1.8p52 : 0x1.8p23) + Double(raise), like: x)
    let shifted = ir.fma(x, splat(1.442695040888963407, like: x), magic)
    let turns = ir.fsub(shifted, magic)
    let (high, low) =
      isDouble(x)
      ? (0x1.62e42feep-1, 0x1.a39ef35793c76p-33) : (0x1.63p-1, -0x1.bd0106p-13)
    let coarse = ir.fma(turns, splat(-high, like: x), x)
    let r = ir.fma(turns, splat(-low, like: x), coarse)
    let curve = polynomial(r, coefficients(tail, isDouble: isDouble(x)))
    let t: CodeValue
    switch tail {
    case .ofPower: t = ir.fma(ir.fmul(r, r), curve, r)
    case .ofDifference:
      // The error of r counts here.
      let lost = ir.fma(turns, splat(-low, like: x), ir.fsub(coarse, r))
      t = ir.fadd(r, ir.fma(ir.fmul(r, r), curve, lost))
    }
    return (bits(shifted), t)
  }

  private func coefficients(_ tail: Tail, isDouble: Bool) -> [Double] {
    var coefficients =
      switch tail {
      case .ofPower: isDouble ? Self.powerDouble : Self.powerSingle
      case .ofDifference: isDouble ? Self.differenceDouble : Self.differenceSingle
      }
    if module.options.fault == .llvmWrongCoefficient { coefficients[0] = 0.48 }
    return coefficients
  }

  /// 2^r for |r| <= 1/2, error 1.9e-9 (Scripts/fit-vector-math.py).
  private static let powerOfTwoSingle: [Double] = [
    1.000000000554257242, 0.69314720573994644015, 0.24022646890633774817,
    0.055503287706340434152, 0.0096184889149226415896, 0.0013399933877625143321,
    0.0001534583104969301353,
  ]

  // `(e^r - 1 - r) / r^2` for |r| <= ln 2 / 2 (Scripts/fit-vector-math.py).

  /// Error relative to e^r: 3.1e-9.
  private static let powerSingle: [Double] = [
    0.49999993447568373233, 0.16666520627625118761, 0.041668387956558579252,
    0.008368717390804251696, 0.0013814612479424629261,
  ]

  /// Error relative to e^r: 5.4e-20.
  private static let powerDouble: [Double] = [
    0.50000000000000000439, 0.16666666666666683419, 0.041666666666666094711,
    0.008333333333317034883, 0.0013888888889115435618, 0.00019841269896382378059,
    0.000024801586926994856816, 2.7557234863220064966e-6, 2.7557581546085215841e-7,
    2.5112036441028353669e-8, 2.0826719627372561892e-9,
  ]

  /// Error relative to e^r - 1: 2.4e-10.
  private static let differenceSingle: [Double] = [
    0.50000000464141160167, 0.16666666817181144845, 0.041666354659890582254,
    0.008333273015773095832, 0.001394100869639432321, 0.00019914194677031538068,
  ]

  /// Error relative to e^r - 1: 3.0e-21.
  private static let differenceDouble: [Double] = [
    0.49999999999999999989, 0.16666666666666666663, 0.041666666666666692074,
    0.0083333333333333385238, 0.001388888888887192854, 0.00019841269841245531531,
    0.00002480158735005119082, 2.7557319277625058778e-6, 2.7557251943868641509e-7,
    2.5052047556095311537e-8, 2.0921570267273260269e-9, 1.6093385921137498822e-10,
  ]

  /// `(tanh(x) / x - 1) / x^2` in x^2 for |x| < 0.625, error of tanh 1.6e-10 (Scripts/fit-vector-math.py).
  private static let tanhCoefficients: [Double] = [
    -0.33333330800062027501, 0.13333205898307060979, -0.053946748533067446775,
    0.021700620480593909002, -0.0081771863331188815088, 0.0021427615255728861459,
  ]
}
