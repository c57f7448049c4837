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
  ///
  /// It is computed as `max(x, 0) - x * label + log(1 + e^-|x|)`, which does not overflow.
  public static let binaryCrossEntropy = binary("binary cross-entropy", .logits) {
    crossEntropy($0, $1)
  }

  /// The cross-entropy of labels 0 or 1 under the outputs, which are probabilities; a logarithm is held above -100.
  public static let binaryCrossEntropyOfProbabilities = binary(
    "binary cross-entropy of probabilities", .probabilities
  ) { output, label in
    -(label * output.boundedLog() + (1 - label) * (1 - output).boundedLog())
  }

  /// The cross-entropy of labels 0 or 1 under the sigmoid of the outputs x (logits), times `(1 - p)^gamma`, where p is the
  /// probability of the label: what is right already counts little.
  ///
  /// Labels 1 count `alpha`, labels 0 `1 - alpha` (Lin et al., "Focal loss for dense object detection", ICCV 2017).
  ///
  /// - Parameter alpha: The weight of labels 1; nil weighs both alike, with 1.
  public static func binaryFocal(gamma: Double = 2, alpha: Double? = 0.25) -> Loss {
    binary("binary focal", .logits) { output, label in
      let probability = output.sigmoid()
      let missing = probability + label - probability * label * 2
      let focused = crossEntropy(output, label) * missing.power(gamma)
      guard let alpha else { return focused }
      return focused * (label * alpha + (1 - label) * (1 - alpha))
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

  private static func crossEntropy(_ logits: Tensor, _ label: Tensor) -> Tensor {
    logits.maximum(0) - logits * label + (-logits.abs()).exp().log1p()
  }

  private static func binary(
    _ name: String, _ form: OutputForm, _ body: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Loss {
    Loss(
      name,
      { output, label in
        let label = label.asTarget(of: output)
        return requireEqualTypes(name, output, label) { body(output, label).meanOfExamples() }
      }, outputName: form == .logits ? "logits" : "probabilities",
      interpretation: form == .logits ? ("probabilities", { $0.sigmoid() }) : nil,
      defaultMetrics: form == .logits ? [.accuracy] : [])
  }
}

extension Tensor {
  /// The logarithm of a probability, not below -100.
  func boundedLog() -> Tensor { log().maximum(-100) }
}
