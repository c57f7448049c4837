import GraphIR

/// What a recipe does on parts of its training examples that it was not trained on (Stone, "Cross-validatory choice and
/// assessment of statistical predictions", Journal of the Royal Statistical Society B 36, 1974).
public struct CrossValidation {
  /// What came out of each fold; its test examples are the fold's.
  public let folds: [Recipe.Outcome]

  /// The mean loss and metrics over the folds, each with its standard deviation (that of a sample, which divides by one
  /// less than their number).
  public var summary: [(name: String, isShare: Bool, mean: Double, deviation: Double)] {
    guard let metrics = folds.first?.test.metrics.map(\.metric) else { return [] }
    func statistics(_ values: [Double]) -> (mean: Double, deviation: Double) {
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      return (mean, (squares / Double(max(values.count - 1, 1))).squareRoot())
    }
    let loss = statistics(folds.map(\.test.loss))
    return [(name: "loss", isShare: false, mean: loss.mean, deviation: loss.deviation)]
      + metrics.indices.map { index in
        let found = statistics(folds.map { $0.test.metrics[index].value })
        return (
          name: metrics[index].name, isShare: metrics[index].isShare, mean: found.mean,
          deviation: found.deviation
        )
      }
  }
}

extension Recipe {
  /// Trains a fresh model for each of `k` folds of the training examples, and judges it by the fold that it has not seen.
  ///
  /// The test examples are not looked at. Classes are spread evenly over the folds where they have names and each example
  /// has one.
  ///
  /// - Parameters:
  ///   - options: What all folds share; the seed also decides the folds.
  ///   - onFold: Called after each fold, in order.
  /// - Throws: when `k` does not fit the data, or what is wrong with the data or the model.
  public func crossValidate(
    folds k: Int, _ options: Options, onFold: ((Int, Outcome) -> Void)? = nil
  ) throws(Diagnostics) -> CrossValidation {
    let splits = try Diagnostics.collecting { () throws(Diagnostic) in
      let label = example.label
      let hasClasses = !classNames.isEmpty && label.dtype.isInteger && label.shape.rank == 0
      return try data.load { whole throws(Diagnostic) in
        try whole.train.folds(k, stratified: hasClasses, seed: options.seed)
      }
    }
    var outcomes: [Outcome] = []
    for (index, split) in splits.enumerated() {
      let outcome = try train(options, on: split)
      onFold?(index + 1, outcome)
      outcomes.append(outcome)
    }
    return CrossValidation(folds: outcomes)
  }
}
