import GraphIR

/// Losses of numbers. Outputs and labels have one shape and dtype; e is `output - label`.
extension Loss {
  /// The mean over an example's elements of e².
  public static let meanSquaredError = ofDistance("mean squared error") {
    $0.squared().meanOfExamples()
  }

  /// Half the sum over an example's elements of e², whose gradient is e.
  public static let halfSquaredError = ofDistance("half squared error") {
    $0.squared().sumOfExamples() * 0.5
  }

  /// The sum over an example's elements of e².
  public static let l2 = ofDistance("L2") { $0.squared().sumOfExamples() }

  /// The mean over an example's elements of |e|.
  public static let meanAbsoluteError = ofDistance("mean absolute error") {
    $0.abs().meanOfExamples()
  }

  /// The sum over an example's elements of |e|.
  public static let l1 = ofDistance("L1") { $0.abs().sumOfExamples() }

  /// The mean over an example's elements of e² / 2 where |e| is at most `delta`, and of `delta * (|e| - delta / 2)`
  /// elsewhere (Huber, "Robust estimation of a location parameter", 1964); `delta` is positive.
  public static func huber(delta: Double = 1) -> Loss {
    let fault = delta > 0 && delta.isFinite ? nil : "delta is \(delta) and must be positive"
    return ofDistance("Huber", fault) { distance in
      // The part of |e| within delta: its square, and the rest times delta, meet with one slope.
      let size = distance.abs()
      let inner = size.minimum(delta)
      return (inner.squared() * 0.5 + (size - inner) * delta).meanOfExamples()
    }
  }

  /// The mean over an example's elements of log(cosh e), computed as `|e| + softplus(-2 |e|) - log 2`.
  public static let logCosh = ofDistance("log-cosh") { distance in
    let size = distance.abs()
    return (size + (size * -2).softplus() - 0.6931471805599453).meanOfExamples()
  }

  private static func ofDistance(
    _ name: String, _ problem: String? = nil, _ body: @escaping @Sendable (Tensor) -> Tensor
  ) -> Loss {
    Loss(
      name,
      { output, label in requireEqualTypes(name, output, label) { body(output - label) } },
      problem: problem)
  }
}

extension Tensor {
  /// The sum over all dimensions but the first.
  func sumOfExamples() -> Tensor {
    rank <= 1 ? self : reduced(.sum, Array(1..<rank), false, .unknown)
  }
}
