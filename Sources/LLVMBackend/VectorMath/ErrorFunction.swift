import CLLVM
import GraphIR

/// The error function.
extension VectorMath {
  /// erf(x): just above 0.5 ulp (f32), at most 4 ulp (f64).
  ///
  /// Up to 1 by its power series (Abramowitz and Stegun, 7.1.5); beyond, 1 - e^(-x^2) P(u) with a polynomial in
  /// u = (x - 2.5) / (x + 2.5); 1 from 6 on.
  func erf(_ x: CodeValue) -> CodeValue {
    inDouble([x]) { arguments in
      let x = arguments[0]
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
  }

  /// 2/sqrt(pi) (-1)^n / (n! (2n + 1)).
  private static let erfSeries: [Double] = {
    var term = 2 / Double.pi.squareRoot()
    return (0..<22).map { n in
      if n > 0 { term /= -Double(n) }
      return term / Double(2 * n + 1)
    }
  }()

  /// erfc(x) e^(x^2) in (x - 2.5) / (x + 2.5) for x from 1 to 6, error 8.4e-20 (Scripts/fit-vector-math.py).
  private static let erfcCoefficients: [Double] = [
    0.21080636406114358058, -0.37173673394897335232, 0.25171319321744930513,
    -0.12503305237882931482, 0.039922539075584759219, -0.0039937011658582380351,
    -0.0026423659642974031561, 0.00087591545013376075895, 0.00022838037890860081437,
    -0.00012887717133129569775, -0.000034182238133315230935, 0.000018614457552080005374,
    7.5525943231395023198e-6, -2.2981102519735955114e-6, -1.8020038653448607596e-6,
    7.773331597404785312e-8, 3.4418924612955654491e-7, 6.9611915602291680078e-8,
  ]
}
