import GraphIR

/// How far the result of an elementwise function may be from the function's value, in units in the last place.
///
/// | functions | f32, f16, bf16 | f64 |
/// |---|---|---|
/// | arithmetic, rounding, extremes, conversions, sqrt | correctly rounded | correctly rounded |
/// | exp, expm1, log, log1p, rsqrt, sin, cos, tanh, sigmoid, softplus, erf | 2 | 4 |
/// | power | 2 | 16 |
package struct Accuracy: Hashable, Sendable {
  /// The allowed distance in units in the last place of the result's dtype.
  package var ulps: Double

  /// Half a unit, and the error of the f64 reference itself.
  package static let correctlyRounded = Accuracy(ulps: 0.5 + 0x1p-8)

  /// A function whose code is an approximation.
  fileprivate static func approximated(_ ulps: Double, f64: Double, _ dtype: DType) -> Accuracy {
    Accuracy(ulps: dtype == .f64 ? f64 : ulps)
  }
}

extension UnaryFunction {
  /// How exact the function's results of a dtype are.
  package func accuracy(in dtype: DType) -> Accuracy {
    switch self {
    case .negate, .abs, .sign, .sqrt, .floor, .ceil, .round, .not: .correctlyRounded
    case .exp, .expm1, .log, .log1p, .rsqrt, .sin, .cos, .tanh, .sigmoid, .softplus, .erf:
      .approximated(2, f64: 4, dtype)
    }
  }
}

extension BinaryFunction {
  /// How exact the function's results of a dtype are.
  package func accuracy(in dtype: DType) -> Accuracy {
    switch self {
    case .add, .subtract, .multiply, .divide, .remainder, .maximum, .minimum, .and, .or, .xor,
      .shiftLeft, .shiftRightArithmetic, .shiftRightLogical:
      .correctlyRounded
    case .power: .approximated(2, f64: 16, dtype)
    }
  }
}
