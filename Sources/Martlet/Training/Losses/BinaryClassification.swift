import GraphIR

/// Losses of yes or no: outputs are `[n]`, `[n, 1]` or `[n, k]`; labels have as many elements, of any dtype, and are 0 or
/// 1 (or a probability). Each is the mean over an example's elements.
extension Loss {
  /// What a model's outputs are.
  public enum OutputForm: Hashable, Sendable {
    /// Numbers of which a sigmoid or softmax makes probabilities.
    case logits
    /// Probabilities.
    case probabilities
  }

  /// The cross-entropy of labels 0 or 1 under the sigmoid of the outputs (logits).
  public static let binaryCrossEntropy = binaryCrossEntropy(.logits)

  /// The cross-entropy of labels t under probabilities p of 1: `-(w1 * t * log p + w0 * (1 - t) * log(1 - p))`.
  ///
  /// - Parameters:
  ///   - form: Whether the outputs are logits, of which the sigmoid makes probabilities, or probabilities, whose logarithms
  ///     are held as `crossEntropy` does.
  ///   - smoothing: The share of a label that is spread over 0 and 1 alike (Szegedy et al., "Rethinking the inception
  ///     architecture", CVPR 2016): from 0 to 1.
  ///   - weights: How much labels 0 and labels 1 count, `[w0, w1]`; both alike, with 1, when nil.
  public static func binaryCrossEntropy(
    _ form: OutputForm, smoothing: Double = 0, weights: [Double]? = nil
  ) -> Loss {
    let fault =
      problem(ofSmoothing: smoothing) ?? problem(ofWeights: weights)
      ?? (weights?.count ?? 2 == 2 ? nil : "labels 0 and 1 have two weights, not \(weights ?? [])")
    return binary("binary cross-entropy", form, fault) { output, label in
      let target = smoothing == 0 ? label : label * (1 - smoothing) + smoothing / 2
      let cost = costs(output, form)
      let (zero, one) = (cost.zero * (1 - target), cost.one * target)
      guard let weights else { return zero + one }
      return zero * weights[0] + one * weights[1]
    }
  }

  /// The cross-entropy of labels 0 or 1 under the sigmoid of the outputs x (logits), times `(1 - p)^gamma`, where p is the
  /// probability of the label: what is right already counts little.
  ///
  /// Labels 1 count `alpha`, labels 0 `1 - alpha` (Lin et al., "Focal loss for dense object detection", ICCV 2017).
  ///
  /// - Parameters:
  ///   - gamma: The exponent, from 0.
  ///   - alpha: The weight of labels 1, from 0 to 1; nil weighs both alike, with 1.
  public static func binaryFocal(gamma: Double = 2, alpha: Double? = 0.25) -> Loss {
    let fault =
      problem(ofGamma: gamma)
      ?? ((0...1).contains(alpha ?? 0) ? nil : "alpha is \(alpha ?? 0) and must lie within 0 and 1")
    return binary("binary focal", .logits, fault) { output, label in
      let cost = costs(output, .logits)
      // 1 - p, without the cancellation of a difference.
      let missing = label * (-output).sigmoid() + (1 - label) * output.sigmoid()
      let (zero, one) = (cost.zero * (1 - label), cost.one * label)
      let weighted = alpha.map { zero * (1 - $0) + one * $0 } ?? zero + one
      return weighted * missing.heldAboveZero().power(gamma)
    }
  }

  /// `max(0, 1 - t * x)` with t = 1 for labels above 0, else -1: labels are 0 and 1, or -1 and 1 (Cortes and Vapnik,
  /// "Support-vector networks", 1995).
  public static let hinge = Loss(
    "hinge",
    { output, label in
      let label = label.asTarget(of: output)
      return requireEqualTypes("hinge", output, label) {
        let sign = label.isGreater(than: 0).converted(to: output.dtype) * 2 - 1
        return (1 - sign * output).maximum(0).meanOfExamples()
      }
    }, defaultMetrics: [.accuracy])

  /// The cross-entropies of a label 0 and of a label 1: `-log(1 - p)` and `-log p`.
  private static func costs(_ output: Tensor, _ form: OutputForm) -> (zero: Tensor, one: Tensor) {
    switch form {
    // No written-out softplus: |x| has no slope at 0, where the outputs of a model with zeros for weights are.
    case .logits: (output.softplus(), (-output).softplus())
    case .probabilities: (-(1 - output).boundedLog(), -output.boundedLog())
    }
  }

  private static func binary(
    _ name: String, _ form: OutputForm, _ problem: String?,
    _ body: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Loss {
    Loss(
      name,
      { output, label in
        let label = label.asTarget(of: output)
        return requireEqualTypes(name, output, label) { body(output, label).meanOfExamples() }
      }, problem: problem, outputName: form == .logits ? "logits" : "probabilities",
      interpretation: form == .logits ? ("probabilities", { $0.sigmoid() }) : nil,
      boundary: form == .logits ? 0 : 0.5, defaultMetrics: [.accuracy])
  }
}

extension Tensor {
  /// The logarithm of a probability; of one that is 0 the logarithm of the least number that `heldAboveZero` leaves.
  func boundedLog() -> Tensor { heldAboveZero().log() }

  /// These probabilities, of which none is below e^-100 or the least normal number of the dtype, and no gradient flows to
  /// one that was: so logarithms, roots and their slopes are finite where a sigmoid or a softmax has underflowed.
  func heldAboveZero() -> Tensor {
    let leastNormal =
      switch dtype {
      case .f16: 0x1p-14
      case .f32, .bf16: 0x1p-126
      case .f64, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: 0x1p-1022
      }
    return maximum(Swift.max(leastNormal, 3.720075976020836e-44))
  }
}
