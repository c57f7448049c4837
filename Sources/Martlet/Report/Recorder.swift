import GraphIR

/// Keeps what there is to see of a training run: before the first epoch and after each, the loss and the metrics, the
/// learning rate, the norm of each parameter's gradient, and the distributions of weights and of layers' outputs.
///
/// Gradients and outputs are those of the first training examples, always the same ones, in a step of training that
/// changes nothing. Nothing is computed for a run that has no recorder.
public final class Recorder: Callback {
  /// The numbers, a row for each epoch.
  public private(set) var history = History()
  /// The distribution of each parameter after the epochs of `history`, in the model's order.
  package private(set) var weights: [Track] = []
  /// The distribution of each layer's outputs after the epochs of `history`, in the order in which they end.
  package private(set) var layers: [Track] = []

  /// The distributions of one thing, one for each row of the history.
  package struct Track: Sendable, Codable {
    /// A parameter's name or a layer's path.
    package let name: String
    /// Its distributions over time.
    package var distributions: [Distribution]
  }

  /// What the names of columns with norms of gradients begin with: `gradient.conv1.filter`.
  public static let gradientPrefix = StepTracer.gradientPrefix

  private let path: String?
  private let test: Dataset?
  private let count: Int
  private var examples: Dataset?

  /// Makes a recorder of one training run.
  ///
  /// - Parameters:
  ///   - path: A file (`.csv`) that is replaced by the history after each epoch; nil writes none.
  ///   - test: Examples on which the model is judged after each epoch of a run that has no validation examples.
  ///   - count: The number of examples by which gradients and outputs of layers are seen.
  public init(path: String? = nil, test: Dataset? = nil, examples count: Int = 64) {
    self.path = path
    self.test = test
    self.count = max(count, 1)
  }

  /// Keeps what the model is before training; a run that goes on has done so.
  public func trainingBegan(on examples: Dataset, of trainer: Trainer) throws(Diagnostics) {
    self.examples = examples[0..<count]
    if history.rows.isEmpty { try record(trainer, []) }
  }

  /// Keeps what came out of an epoch.
  public func epochEnded(_ report: EpochReport, of trainer: Trainer) throws(Diagnostics) -> Bool {
    var values = report.training.numbers(prefix: "")
    if let validation = report.validation {
      values += validation.numbers(prefix: "validation.")
    } else if let test {
      values += try trainer.evaluate(test).numbers(prefix: "test.")
    }
    values.append(("learning_rate", trainer.learningRate))
    try record(trainer, values)
    return true
  }

  /// All that is kept, for a checkpoint.
  private struct Kept: Codable {
    var history: History
    var weights: [Track]
    var layers: [Track]
  }

  /// All that is kept.
  public var memory: String {
    get { RunRecord.Memory.text(Kept(history: history, weights: weights, layers: layers)) }
    set {
      guard let kept = RunRecord.Memory.value(Kept.self, of: newValue) else { return }
      (history, weights, layers) = (kept.history, kept.weights, kept.layers)
    }
  }

  private func record(
    _ trainer: Trainer, _ measured: [(name: String, value: Double)]
  ) throws(Diagnostics) {
    guard let examples else { return }
    let probe = try trainer.probe(examples, count: count)
    let norms = probe.gradientNorms.map {
      (name: Recorder.gradientPrefix + $0.parameter, value: $0.norm)
    }
    history.append(epoch: trainer.epoch, measured + norms)
    for (path, values) in probe.layers { add(Distribution(values), of: path, to: &layers) }
    for name in trainer.parameterNames {
      guard let value = trainer.value(of: name) else { continue }
      add(Distribution(value.doubles()), of: name, to: &weights)
    }
    guard let path else { return }
    try Diagnostics.collecting { () throws(Diagnostic) in try history.write(to: path) }
  }

  private func add(_ distribution: Distribution, of name: String, to tracks: inout [Track]) {
    if let index = tracks.firstIndex(where: { $0.name == name }) {
      tracks[index].distributions.append(distribution)
    } else {
      tracks.append(Track(name: name, distributions: [distribution]))
    }
  }
}

extension Evaluation {
  /// The loss and the metrics under their names.
  fileprivate func numbers(prefix: String) -> [(name: String, value: Double)] {
    [(prefix + "loss", loss)] + metrics.map { (prefix + $0.metric.name, $0.value) }
  }
}
