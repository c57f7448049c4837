import CLLVM
import GraphIR

/// The error function.
extension VectorMath {
  /// erf(x): at most 1.48 ulp (f32), 4.5 ulp (f64).
  func erf(_ x: CodeValue) -> CodeValue { isDouble(x) ? doubleErf(x) : singleErf(x) }

  /// x + x P(x^2) up to 0.95, 1 - 2^P(|x|) beyond.
  ///
  /// There an error of the polynomial counts for as little as erfc is small. From 4 on the result is 1.
  private func singleErf(_ x: CodeValue) -> CodeValue {
    let inner = ir.fma(x, polynomial(ir.fmul(x, x), Self.erfInner), x)
    let size = magnitude(x)
    let clamped = ir.select(ir.compare(LLVMRealOGT, size, 4), splat(4, like: x), size)
    // One waits for the other: what is behind them all is long enough without Horner's chains.
    let erfc = singlePowerOfTwo(pairedPolynomial(clamped, Self.erfOuter), isPaired: true)
    let outer = copySign(ir.fsub(splat(1, like: x), erfc), x)
    return ir.select(ir.compare(LLVMRealOGT, size, 0.95), outer, inner)
  }

  /// `erf(x) / x - 1` in x^2 for |x| < 0.95, error 6.1e-10 (Scripts/fit-vector-math.py).
  private static let erfInner: [Double] = [
    0.12837916640851790832, -0.37612631613333210228, 0.112836639965955589,
    -0.026857705027623123543, 0.0051969519420323541586, -0.00080977020413787580021,
    0.000081850885064241529227,
  ]

  /// `log2(erfc(x))` for x from 0.95 to 4, error of erf 1.4e-9 (Scripts/fit-vector-math.py).
  private static let erfOuter: [Double] = [
    -0.00035313344338540280152, -1.6266022126863003948, -0.919743231556569276,
    -0.14952085181444727336, 0.031865474614976540793, -0.0043403371784806993083,
    0.00027760550478308491436,
  ]

  /// Up to 1 by its power series (Abramowitz and Stegun, 7.1.5); beyond, 1 - e^(-x^2) P(u) with a polynomial in
  /// u = (x - 2.5) / (x + 2.5); 1 from 6 on.
  private func doubleErf(_ x: CodeValue) -> CodeValue {
    let size = magnitude(x)
    let z = ir.fmul(x, x)
    let inner = ir.fmul(x, polynomial(z, Self.erfSeries))
    let u = ir.fdiv(ir.fadd(size, -2.5), ir.fadd(size, 2.5))
    let tail = ir.fmul(exp(ir.fneg(z)), polynomial(u, Self.erfcCoefficients))
    let outer = ir.select(
      ir.compare(LLVMRealOGT, size, 6), splat(1, like: x), ir.fsub(splat(1, like: x), tail))
    let result = ir.select(ir.compare(LLVMRealOLT, size, 1), inner, copySign(outer, x))
    return ir.select(ir.compare(LLVMRealUNO, x, x), x, result)
  }

  /// 2/sqrt(pi) (-1)^n / (n! (2n + 1)).
  private static let erfSeries: [Double] = {
    var term = 2 / Double.pi.squareRoot()
    return (0..<22).map { n in
      if n > 0 { term /= -Double(n) }
      return term / Double(2 * n + 1)
    }
  }()

  /// erfc(x) e^(x^2) in (x - 2.5) / (x + 2.5) for x from 1 to 6, error 6.8e-20 (Scripts/fit-vector-math.py).
  private static let erfcCoefficients: [Double] = [
    0.21080636406114358058, -0.37173673394897335298, 0.25171319321744930882,
    -0.12503305237882913799, 0.039922539075584259365, -0.0039937011658722635325,
    -0.0026423659642720200915, 0.00087591545063405283004, 0.00022838037828249429334,
    -0.00012887718081053522035, -0.000034182229820539156161, 0.000018614559606378830878,
    7.5525336230814955884e-6, -2.2987370261997897629e-6, -1.8017744589183205818e-6,
    7.9779127411438093237e-8, 3.4383881439863366485e-7, 6.6857978824396445805e-8,
  ]
}
