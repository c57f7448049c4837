import GraphIR

/// What is shown beside the loss: a number for a data set, from sums over its examples.
public struct Metric: Sendable {
  /// The name: a word of lowercase letters, which also names the graph's output.
  public let name: String
  /// Whether the number is a share and is shown in percent.
  public let isShare: Bool
  /// What is added up: floats `[n]` or `[n, k]` of a batch, from the outputs and the labels.
  let terms: @Sendable (Tensor, Tensor) -> Tensor
  /// The number, from the sums of the terms and the number of examples.
  let value: @Sendable (_ sums: [Double], _ count: Int) -> Double
  /// Whether the sign of a single output is read as yes or no.
  private(set) var readsSigns = false

  /// Makes a metric that is a mean over examples.
  ///
  /// - Parameter perExample: Gives floats `[n]` from the outputs and the labels of a batch of n.
  public init(
    _ name: String, isShare: Bool = false,
    _ perExample: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) {
    self.init(name, isShare: isShare, terms: perExample) { sums, count in
      (sums.first ?? 0) / Double(count)
    }
  }

  /// Makes a metric of sums over all examples, as a share of two counts is.
  ///
  /// - Parameters:
  ///   - terms: Gives floats `[n]` or `[n, k]` from the outputs and the labels of a batch of n.
  ///   - value: The number, from the sums of the terms over all examples and their count.
  public init(
    _ name: String, isShare: Bool = false,
    terms: @escaping @Sendable (Tensor, Tensor) -> Tensor,
    value: @escaping @Sendable (_ sums: [Double], _ count: Int) -> Double
  ) {
    self.name = name
    self.isShare = isShare
    self.terms = terms
    self.value = value
  }
}

extension Metric {
  /// The same metric, which reads the sign of a single output as yes or no.
  func readingSigns() -> Metric {
    var metric = self
    metric.readsSigns = true
    return metric
  }

  /// The terms of a batch, from the outputs of a model that is trained with a loss, and the labels.
  func terms(_ output: Tensor, _ label: Tensor, _ loss: Loss) -> Tensor {
    terms(readsSigns && loss.boundary != 0 ? output - loss.boundary : output, label)
  }
}

/// Metrics of classes: outputs are scores `[n, ..., classes]` with integer labels `[n, ...]`.
///
/// Outputs may also be single logits, whose sign is the prediction, or probabilities if the loss takes them, with as many
/// labels 0 or 1: then precision and what follows it are those of class 1 alone.
extension Metric {
  /// The share of labels that are predicted: by the greatest of several logits, or by the sign of one.
  public static let accuracy = Metric("accuracy", isShare: true) { output, label in
    if output.rank == label.rank + 1, output.shape[-1] > 1 {
      return output.predicts(label).converted(to: .f32).meanOfExamples()
    }
    let isOne = label.asTarget(of: output).isGreater(than: 0.5)
    return output.isGreater(than: 0).isEqual(to: isOne).converted(to: .f32).meanOfExamples()
  }.readingSigns()

  /// As `accuracy`, but labels may also be a probability for each class, of which the greatest counts.
  static let classAccuracy = Metric("accuracy", isShare: true) { output, label in
    guard output.type != nil, label.type == output.type, output.shape[-1] > 1 else {
      return accuracy.terms(output, label)
    }
    return accuracy.terms(output, label.argmax(-1))
  }

  /// As `accuracy` by the greatest of several logits, but negative labels do not count.
  public static let maskedAccuracy = Metric("accuracy", isShare: true) { output, label in
    output.predicts(label).converted(to: .f32).meanOfExamples(where: label.isAtLeast(0))
  }

  /// The share of labels whose score is among the `count` greatest; of equal scores those of the first classes come first,
  /// as for `accuracy`.
  ///
  /// A label that names no class, or whose score is NaN, is not among them.
  public static func topAccuracy(_ count: Int) -> Metric {
    Metric("top\(count)", isShare: true) { output, label in
      Tensor.apply([output, label], "a metric is computed", .unknown) { context, location in
        guard count >= 1, output.rank >= 2,
          label.shape.extents == output.shape.extents.dropLast()
        else {
          return context.fail(
            Diagnostic(
              .shapeMismatch,
              "the \(count) greatest scores of \(output.shape) with labels \(label.shape)",
              at: location,
              hint: "one or more of scores [n, ..., classes], labels are integers [n, ...]"))
        }
        return output.ranksFirst(label, among: count).converted(to: .f32).meanOfExamples()
      }
    }
  }

  /// Of the predictions of a class, the share that is right; the mean over classes, where one that is never predicted
  /// counts 0.
  public static let precision = ofCounts("precision") { hits, predicted, _ in hits / predicted }

  /// Of the labels of a class, the share that is predicted; the mean over classes, where one without labels counts 0.
  public static let recall = ofCounts("recall") { hits, _, actual in hits / actual }

  /// The harmonic mean of precision and recall, `2 hits / (predictions + labels)`; the mean over classes.
  public static let f1 = ofCounts("f1") { hits, predicted, actual in
    2 * hits / (predicted + actual)
  }

  /// The intersection of a class's predictions and labels over their union (Jaccard, 1912); the mean over classes, of which
  /// those do not count that appear in neither.
  public static let meanIoU = ofCounts("iou", countingAbsent: false) { hits, predicted, actual in
    hits / (predicted + actual - hits)
  }

  /// Twice the intersection of a class's predictions and labels over the sum of both (Dice, 1945); the mean over classes,
  /// of which those do not count that appear in neither.
  public static let dice = ofCounts("dice", countingAbsent: false) { hits, predicted, actual in
    2 * hits / (predicted + actual)
  }

  /// A mean over classes of a share of three counts.
  private static func ofCounts(
    _ name: String, countingAbsent: Bool = true,
    _ share: @escaping @Sendable (_ hits: Double, _ predicted: Double, _ actual: Double) -> Double
  ) -> Metric {
    Metric(
      name, isShare: true,
      terms: { output, label in
        ClassIndicators.of(output, label) { classes in
          let (actual, predicted) = (classes.actual, classes.predicted)
          let counts = [actual * predicted, predicted, actual].map {
            let counts = $0.sum(1)
            return classes.isOfOneLogit ? counts.sliced(1..<2, axis: 1) : counts
          }
          return Tensor.concatenated(counts, axis: 1)
        }
      },
      value: { sums, _ in
        let classes = sums.count / 3
        let shares = (0..<classes).compactMap { index -> Double? in
          let counts = (sums[index], sums[classes + index], sums[2 * classes + index])
          if !countingAbsent, counts.1 + counts.2 == 0 { return nil }
          let share = share(counts.0, counts.1, counts.2)
          return share.isNaN ? 0 : share
        }
        return shares.isEmpty ? 0 : shares.reduce(0, +) / Double(shares.count)
      }
    ).readingSigns()
  }
}

/// Metrics of numbers: outputs and labels have as many elements.
extension Metric {
  /// The share of the labels' variance that the outputs explain: `1 - sum (label - output)² / sum (label - mean)²`; the mean
  /// over the last dimension of outputs `[n, ..., k]`.
  ///
  /// Where labels do not vary it is 1 if all is right, else 0.
  public static let rSquared = Metric(
    "r2",
    terms: { output, label in
      let label = label.asTarget(of: output).converted(to: .f64)
      let rest = (label - output.converted(to: .f64)).squared()
      let ones = Tensor.filled(1.0, label.shape.extents, .f64)
      let columns = [rest, label, label.squared(), ones].map {
        $0.rank <= 1 ? $0.expanded(at: -1) : $0.summedButFirstAndLast()
      }
      return Tensor.concatenated(columns, axis: 1)
    },
    value: { sums, _ in
      let outputs = sums.count / 4
      let shares = (0..<outputs).map { index -> Double in
        let (rest, total) = (sums[index], sums[outputs + index])
        let (squares, count) = (sums[2 * outputs + index], sums[3 * outputs + index])
        let spread = squares - total * total / count
        // What rounding leaves is no spread.
        return spread > squares * .ulpOfOne ? 1 - rest / spread : rest == 0 ? 1 : 0
      }
      return shares.reduce(0, +) / Double(max(outputs, 1))
    })
}

extension Tensor {
  /// The mean over all dimensions but the first.
  func meanOfExamples() -> Tensor {
    rank <= 1 ? self : mean(over: Array(1..<rank), .unknown)
  }

  /// The mean over those elements of an example of which a tensor of bools is true; 0 where it never is.
  func meanOfExamples(where counts: Tensor) -> Tensor {
    let kept = counts.select(self, otherwise: Tensor(0, dtype))
    guard rank > 1 else { return kept }
    let axes = Array(1..<rank)
    let total = kept.reduced(.sum, axes, false, .unknown)
    return total / counts.converted(to: dtype).reduced(.sum, axes, false, .unknown).maximum(1)
  }

  /// The sum over all dimensions but the first and the last.
  fileprivate func summedButFirstAndLast() -> Tensor {
    rank <= 2 ? self : reduced(.sum, Array(1..<rank - 1), false, .unknown)
  }

  /// Whether the scores of the classes that labels name are among the greatest of these.
  fileprivate func ranksFirst(_ label: Tensor, among count: Int) -> Tensor {
    let isLabel = label.isClass(of: self)
    let own = isLabel.select(self, otherwise: Tensor(0, dtype)).sum(-1).expanded(at: -1)
    let classes = Tensor.iota(shape.extents, axis: rank - 1, .i32)
    let isEarlier = classes.isLess(than: label.converted(to: .i32).expanded(at: -1))
    // NaN is at most nothing, so that it is ahead of all.
    let isAhead = ~isAtMost(own) | (isEqual(to: own) & isEarlier)
    let isNumber = (isLabel & isEqual(to: self)).converted(to: .i32).sum(-1)
    return isAhead.converted(to: .i32).sum(-1).isLess(than: count) & isNumber.isGreater(than: 0)
  }

  /// Whether the greatest of these logits is at the place that the label names.
  fileprivate func predicts(_ label: Tensor) -> Tensor {
    argmax(-1).isEqual(to: label.converted(to: .i32))
  }

  /// These labels in the dtype of an output, and in its shape where they have as many elements.
  func asTarget(of output: Tensor) -> Tensor {
    // What is wrong has been told: labels that cannot be converted now must not add to it.
    guard type != nil else { return self }
    guard output.type != nil else { return output }
    let target = converted(to: output.dtype)
    return target.shape.elementCount == output.shape.elementCount
      ? target.reshaped(to: output.shape.extents) : target
  }
}
