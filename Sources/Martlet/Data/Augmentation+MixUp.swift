import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Augmentation {
  /// Mixes an example and its label with any other of the set (Zhang et al., "mixup: beyond empirical risk minimization",
  /// ICLR 2018).
  ///
  /// The share of the example is drawn from the distribution Beta(alpha, alpha). The other is as the changes before made it.
  /// Labels that are classes become probabilities `[classes]`, f32, also where examples are not mixed: losses that take
  /// them are `crossEntropy`, `focal` and `kullbackLeibler`. Labels that are floats are mixed as they are.
  ///
  /// - Parameter classes: The number of classes.
  public static func mixUp(alpha: Double = 0.2, classes: Int) -> Augmentation {
    let isRight = (1e-6...1e6).contains(alpha) && (1...1 << 24).contains(classes)
    return Augmentation(
      "mixUp",
      outcome: { signature throws(Diagnostic) in
        var outcome = signature
        if signature.label.dtype.isInteger, signature.label.shape.rank == 0 {
          outcome.label = TensorType(.f32, [classes])
        } else if !signature.label.dtype.isFloat {
          throw Diagnostic(
            .typeMismatch, "mixUp: labels are \(signature.label)",
            hint: "labels are classes, one for each example, or floats")
        }
        return outcome
      }, ofImages: false,
      problem: isRight ? nil : "an alpha of \(alpha) and \(classes) classes",
      act: { example, random, partner throws(Diagnostic) in
        let share = random.nextBeta(alpha)
        var other = try partner(random.nextUniform())
        try other.labelAsProbabilities(classes)
        try example.labelAsProbabilities(classes)
        let part = Float(share)
        for index in example.values.indices {
          example.values[index] = part * example.values[index] + (1 - part) * other.values[index]
        }
        let labels = zip(example.label.doubles(), other.label.doubles()).map {
          share * $0 + (1 - share) * $1
        }
        example.label = Literal(example.label.type, doubles: labels)
      },
      rest: { example throws(Diagnostic) in try example.labelAsProbabilities(classes) })
  }
}

extension AugmentedExample {
  /// Makes of a class the probability 1 for it and 0 for the others.
  fileprivate mutating func labelAsProbabilities(_ classes: Int) throws(Diagnostic) {
    guard label.type.dtype.isInteger else { return }
    let number = Int(saturating: label.doubles()[0])
    guard (0..<classes).contains(number) else {
      throw Diagnostic(
        .argument, "mixUp: an example is of class \(number) among \(classes)",
        hint: "classes count from 0")
    }
    label = Literal([classes], (0..<classes).map { $0 == number ? Float(1) : 0 })
  }
}

extension Philox {
  /// From the distribution Beta(alpha, alpha): the share of one of two Gamma(alpha).
  mutating func nextBeta(_ alpha: Double) -> Double {
    let (first, second) = (nextLogGamma(alpha), nextLogGamma(alpha))
    return 1 / (1 + exp(second - first))
  }

  /// The logarithm of a number from Gamma(alpha), which may be too small for itself (Marsaglia and Tsang, "A simple method
  /// for generating gamma variables", 2000).
  private mutating func nextLogGamma(_ alpha: Double) -> Double {
    guard alpha >= 1 else { return nextLogGamma(alpha + 1) + log(1 - nextUniform()) / alpha }
    let d = alpha - 1.0 / 3
    while true {
      let x = nextGaussian()
      let root = 1 + x / (9 * d).squareRoot()
      guard root > 0 else { continue }
      let v = root * root * root
      if log(1 - nextUniform()) < 0.5 * x * x + d - d * v + d * log(v) { return log(d * v) }
    }
  }
}
