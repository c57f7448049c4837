import GraphIR

/// Losses of one class among several: outputs are `[n, classes]`, or with a label for each position of a sequence or an
/// image `[n, ..., classes]`, and then the mean over an example's labels. Labels are integers `[n, ...]`, or for each class
/// a probability in the outputs' shape and dtype (one-hot). In training and evaluation an integer that names no class is an
/// error.
extension Loss {
  /// The cross-entropy of integer labels under the softmax of the outputs (logits).
  public static let softmaxCrossEntropy = Loss(
    "softmax cross-entropy", { $0.softmaxCrossEntropy(labels: $1).meanOfExamples() },
    outputName: "logits", interpretation: ("probabilities", { $0.softmax() }),
    defaultMetrics: [.accuracy], classLabels: { 0...$0 - 1 })

  /// As `softmaxCrossEntropy`, but negative labels do not count: the mean is over an example's others.
  public static let maskedSoftmaxCrossEntropy = Loss(
    "masked softmax cross-entropy",
    { logits, labels in
      logits.softmaxCrossEntropy(labels: labels).meanOfExamples(where: labels.isAtLeast(0))
    }, outputName: "logits", interpretation: ("probabilities", { $0.softmax() }),
    defaultMetrics: [.maskedAccuracy], classLabels: { Int.min...$0 - 1 })

  /// The cross-entropy of labels under probabilities: `-sum over classes of weight * target * log p`.
  ///
  /// - Parameters:
  ///   - form: Whether the outputs are logits, of which the softmax makes probabilities, or probabilities, whose
  ///     logarithms are held above -100 (above -87 in f32, whose least normal number is e^-87).
  ///   - smoothing: The share of a label that is spread over all classes (Szegedy et al., "Rethinking the inception
  ///     architecture", CVPR 2016): from 0 to 1.
  ///   - weights: How much each class counts; all alike, with 1, when nil. The mean over a batch divides by the number of
  ///     examples, not by their weights.
  public static func crossEntropy(
    _ form: OutputForm = .logits, smoothing: Double = 0, weights: [Double]? = nil
  ) -> Loss {
    let fault = problem(ofSmoothing: smoothing) ?? problem(ofWeights: weights)
    return ofClasses("cross-entropy", form, weights, fault) { logProbabilities, target in
      let classes = Double(logProbabilities.shape[-1])
      let smoothed = smoothing == 0 ? target : target * (1 - smoothing) + smoothing / classes
      return -(smoothed * logProbabilities)
    }
  }

  /// The cross-entropy of labels times `(1 - p)^gamma`, where p is the label's probability: what is right already counts
  /// little (Lin et al., "Focal loss for dense object detection", ICCV 2017, for several classes).
  ///
  /// - Parameters:
  ///   - form: As in `crossEntropy`.
  ///   - gamma: The exponent, from 0.
  ///   - weights: How much each class counts; all alike, with 1, when nil.
  public static func focal(
    _ form: OutputForm = .logits, gamma: Double = 2, weights: [Double]? = nil
  ) -> Loss {
    let fault = problem(ofGamma: gamma) ?? problem(ofWeights: weights)
    return ofClasses("focal", form, weights, fault) { logProbabilities, target in
      let missing = (-logProbabilities.expm1()).heldAboveZero()
      return -(target * logProbabilities * missing.power(gamma))
    }
  }

  /// The Kullback-Leibler divergence of the outputs' probabilities from the labels', which have the outputs' shape and
  /// dtype: `sum over classes of t * (log t - log p)`; where t is 0 nothing is added.
  public static func kullbackLeibler(_ form: OutputForm = .logits) -> Loss {
    ofClasses("Kullback-Leibler", form, nil, nil) { logProbabilities, target in
      let isZero = target.isAtMost(Tensor(0, target.dtype))
      let known = isZero.select(Tensor(1, target.dtype), otherwise: target)
      return target * (known.log() - logProbabilities)
    }
  }

  /// A loss that adds up a term for each class.
  ///
  /// - Parameter term: Gives the terms `[n, ..., classes]` from the logarithms of probabilities and the labels'
  ///   probabilities, both of that shape.
  private static func ofClasses(
    _ name: String, _ form: OutputForm, _ weights: [Double]?, _ problem: String?,
    _ term: @escaping @Sendable (_ logProbabilities: Tensor, _ target: Tensor) -> Tensor
  ) -> Loss {
    Loss(
      name,
      { output, label in
        Tensor.apply([output, label], "a loss is used", .unknown) { context, location in
          guard let target = label.classTarget(of: output),
            weights?.count ?? output.shape[-1] == output.shape[-1]
          else {
            return context.fail(
              Diagnostic(
                .shapeMismatch,
                "\(name): outputs \(output.describedType) and labels \(label.describedType)"
                  + (weights.map { " with \($0.count) weights" } ?? "") + " do not fit",
                at: location,
                notes: [context.note("the output", output), context.note("the label", label)],
                hint: "outputs are floats [n, ..., classes]; labels are integers [n, ...], or "
                  + "floats in the outputs' shape"))
          }
          let logs = form == .logits ? output.logSoftmax() : output.boundedLog()
          var terms = term(logs, target)
          if let weights {
            let type = TensorType(output.dtype, [weights.count])
            terms = terms * Tensor(Literal(type, doubles: weights))
          }
          return terms.reduced(.sum, [-1], false, .unknown).meanOfExamples()
        }
      }, problem: problem, outputName: form == .logits ? "logits" : "probabilities",
      interpretation: form == .logits ? ("probabilities", { $0.softmax() }) : nil,
      defaultMetrics: [.classAccuracy], classLabels: { 0...$0 - 1 })
  }
}

extension Tensor {
  /// These labels as a probability for each class of an output; nil when they do not fit.
  fileprivate func classTarget(of output: Tensor) -> Tensor? {
    guard output.dtype.isFloat, output.rank >= 2 else { return nil }
    if type == output.type { return self }
    guard dtype.isInteger, shape.extents == output.shape.extents.dropLast() else { return nil }
    let classes = Tensor.iota(output.shape.extents, axis: output.rank - 1, dtype)
    return expanded(at: -1).isEqual(to: classes).converted(to: output.dtype)
  }
}
