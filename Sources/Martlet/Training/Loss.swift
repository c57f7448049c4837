import GraphIR

/// What training makes small: a function of the model's outputs and the labels, for each example.
public struct Loss: Sendable {
  /// The name, as diagnostics show it.
  public let name: String
  /// The losses `[n]` of a batch, from the outputs and the labels.
  let perExample: @Sendable (Tensor, Tensor) -> Tensor
  /// What the outputs are called in a prediction.
  let outputName: String
  /// What the outputs mean to the user, when they are not meant to be read as they are.
  let interpretation: (name: String, function: @Sendable (Tensor) -> Tensor)?
  /// The metrics that are shown unless others are asked for.
  public let defaultMetrics: [Metric]

  /// Makes a loss of your own.
  ///
  /// - Parameter perExample: Gives the losses `[n]` from the outputs and the labels of a batch of n.
  public init(_ name: String, _ perExample: @escaping @Sendable (Tensor, Tensor) -> Tensor) {
    self.init(name, perExample, outputName: "output", interpretation: nil, defaultMetrics: [])
  }

  private init(
    _ name: String, _ perExample: @escaping @Sendable (Tensor, Tensor) -> Tensor,
    outputName: String,
    interpretation: (String, @Sendable (Tensor) -> Tensor)?, defaultMetrics: [Metric]
  ) {
    self.name = name
    self.perExample = perExample
    self.outputName = outputName
    self.interpretation = interpretation.map { (name: $0.0, function: $0.1) }
    self.defaultMetrics = defaultMetrics
  }

  /// The mean over an example's elements of (output - label)².
  ///
  /// Outputs and labels have one shape and dtype.
  public static let meanSquaredError = Loss("mean squared error") { output, label in
    requireEqualTypes("mean squared error", output, label) {
      (output - label).squared().meanOfExamples()
    }
  }

  /// The cross-entropy of labels 0 or 1 under the sigmoid of the outputs (logits), the mean over an example's elements.
  ///
  /// Outputs are `[n]`, `[n, 1]` or `[n, k]`; labels have as many elements, of any dtype. It is computed as
  /// `max(x, 0) - x * label + log(1 + e^-|x|)`, which does not overflow.
  public static let binaryCrossEntropy = Loss(
    "binary cross-entropy",
    { output, label in
      let label = label.asTarget(of: output)
      return requireEqualTypes("binary cross-entropy", output, label) {
        (output.maximum(0) - output * label + (-output.abs()).exp().log1p()).meanOfExamples()
      }
    }, outputName: "logits", interpretation: ("probabilities", { $0.sigmoid() }),
    defaultMetrics: [.accuracy])

  /// The cross-entropy of integer labels under the softmax of the outputs (logits).
  ///
  /// Outputs are `[n, classes]` with labels `[n]`; or, with a label for each position of a sequence,
  /// `[n, ..., classes]` with labels `[n, ...]`, and the mean over an example's labels.
  public static let softmaxCrossEntropy = Loss(
    "softmax cross-entropy", { $0.softmaxCrossEntropy(labels: $1).meanOfExamples() },
    outputName: "logits", interpretation: ("probabilities", { $0.softmax() }),
    defaultMetrics: [.accuracy])

  /// As `softmaxCrossEntropy`, but negative labels do not count: the mean is over an example's others.
  public static let maskedSoftmaxCrossEntropy = Loss(
    "masked softmax cross-entropy",
    { logits, labels in
      logits.softmaxCrossEntropy(labels: labels).meanOfExamples(where: labels.isAtLeast(0))
    }, outputName: "logits", interpretation: ("probabilities", { $0.softmax() }),
    defaultMetrics: [.maskedAccuracy])

  private static func requireEqualTypes(
    _ name: String, _ output: Tensor, _ label: Tensor, _ body: () -> Tensor
  ) -> Tensor {
    Tensor.apply([output, label], "a loss is used", .unknown) { context, location in
      guard output.type == label.type else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "\(name): the output \(output.describedType) and the label \(label.describedType) differ",
            at: location,
            notes: [context.note("the output", output), context.note("the label", label)]))
      }
      return body()
    }
  }
}

/// What is shown beside the loss: a number for each example, averaged over all.
public struct Metric: Sendable {
  /// The name: a word of lowercase letters, which also names the graph's output.
  public let name: String
  /// Whether the mean is a share and is shown in percent.
  public let isShare: Bool
  /// The numbers `[n]` of a batch, from the outputs and the labels.
  let perExample: @Sendable (Tensor, Tensor) -> Tensor

  /// Makes a metric of your own.
  ///
  /// - Parameter perExample: Gives floats `[n]` from the outputs and the labels of a batch of n.
  public init(
    _ name: String, isShare: Bool = false,
    _ perExample: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) {
    self.name = name
    self.isShare = isShare
    self.perExample = perExample
  }

  /// The share of labels that are predicted: by the greatest of several logits, or by the sign of one.
  public static let accuracy = Metric("accuracy", isShare: true) { output, label in
    if output.rank == label.rank + 1, output.shape[-1] > 1 {
      return output.predicts(label).converted(to: .f32).meanOfExamples()
    }
    let isOne = label.asTarget(of: output).isGreater(than: 0.5)
    return output.isGreater(than: 0).isEqual(to: isOne).converted(to: .f32).meanOfExamples()
  }

  /// As `accuracy` by the greatest of several logits, but negative labels do not count.
  public static let maskedAccuracy = Metric("accuracy", isShare: true) { output, label in
    output.predicts(label).converted(to: .f32).meanOfExamples(where: label.isAtLeast(0))
  }
}

extension Tensor {
  /// The mean over all dimensions but the first.
  func meanOfExamples() -> Tensor {
    rank <= 1 ? self : mean(over: Array(1..<rank), .unknown)
  }

  /// The mean over those elements of an example of which a tensor of bools is true; 0 where it never is.
  fileprivate func meanOfExamples(where counts: Tensor) -> Tensor {
    let kept = counts.select(self, otherwise: Tensor(0, dtype))
    guard rank > 1 else { return kept }
    let axes = Array(1..<rank)
    let total = kept.reduced(.sum, axes, false, .unknown)
    return total / counts.converted(to: dtype).reduced(.sum, axes, false, .unknown).maximum(1)
  }

  /// Whether the greatest of these logits is at the place that the label names.
  fileprivate func predicts(_ label: Tensor) -> Tensor {
    argmax(-1).isEqual(to: label.converted(to: .i32))
  }

  /// These labels in the dtype of an output, and in its shape where they have as many elements.
  fileprivate func asTarget(of output: Tensor) -> Tensor {
    // What is wrong has been told: labels that cannot be converted now must not add to it.
    guard type != nil else { return self }
    guard output.type != nil else { return output }
    let target = converted(to: output.dtype)
    return target.shape.elementCount == output.shape.elementCount
      ? target.reshaped(to: output.shape.extents) : target
  }
}
