import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Settings of training among which the best are looked for.
///
/// ```swift
/// let search = Search(learningRates: 0.0001...0.1, batches: [16, 64])
/// let found = try recipe.search(search, trials: 12, Recipe.Options(backend: backend))
/// print(found.best.setting)
/// ```
public struct Search: Sendable {
  /// How settings are chosen.
  public enum Strategy: String, Sendable, CaseIterable {
    /// Each setting on its own, at random: better than a grid where only some settings matter (Bergstra and Bengio,
    /// "Random search for hyper-parameter optimization", JMLR 13, 2012).
    case random
    /// Every combination, with as many learning rates as the number of trials allows.
    case grid
  }

  /// Settings of one training run; what is nil is as the recipe has it.
  public struct Setting: Hashable, Sendable, CustomStringConvertible {
    /// The optimizer.
    public var optimizer: OptimizerName?
    /// The learning rate.
    public var learningRate: Double
    /// The number of examples in a step.
    public var batch: Int
    /// The factor of weight decay.
    public var weightDecay: Double?

    /// The options of `martlet train` that stand for the setting.
    public var description: String {
      ((optimizer.map { ["--optimizer \($0.rawValue)"] } ?? [])
        + ["--learning-rate \(learningRate)", "--batch \(batch)"]
        + (weightDecay.map { ["--weight-decay \($0)"] } ?? [])).joined(separator: " ")
    }
  }

  /// How settings are chosen.
  public var strategy: Strategy
  /// The least and the greatest learning rate, between which equal factors are equally likely; nil for a thirtieth to
  /// thirty times the optimizer's own.
  public var learningRates: ClosedRange<Double>?
  /// The numbers of examples in a step; empty for the recipe's own, its half and its double.
  public var batches: [Int]
  /// The factors of weight decay; empty for the optimizer's own.
  public var weightDecays: [Double]
  /// The optimizers; empty for the recipe's own.
  public var optimizers: [OptimizerName]
  /// The share of the training examples that is held back to judge by, where the data has no validation part.
  public var validationShare: Double

  /// Makes a search.
  public init(
    _ strategy: Strategy = .random, learningRates: ClosedRange<Double>? = nil,
    batches: [Int] = [], weightDecays: [Double] = [], optimizers: [OptimizerName] = [],
    validationShare: Double = 0.2
  ) {
    self.strategy = strategy
    self.learningRates = learningRates
    self.batches = batches
    self.weightDecays = weightDecays
    self.optimizers = optimizers
    self.validationShare = validationShare
  }

  /// The most settings that are tried.
  static let mostTrials = 1_000_000
  /// The learning rates that may be tried: their logarithms and digits can be computed.
  static let possibleRates = 1e-100...1e100

  /// A setting that was tried.
  public struct Trial: Sendable {
    /// The number of the trial, from 1.
    public let number: Int
    /// The setting.
    public let setting: Setting
    /// What the trained model does on the validation examples.
    public let validation: Evaluation

    /// Whether it did better than another: by the first metric that is a share, or else by the loss.
    func isBetter(than other: Trial) -> Bool {
      // A loss that is no number is the worst there is.
      func rank(_ trial: Trial) -> (Double, Double) {
        let loss = trial.validation.loss.isNaN ? -Double.infinity : -trial.validation.loss
        let share = trial.validation.metrics.first { $0.metric.isShare }?.value ?? 0
        return (share.isNaN || loss == -.infinity ? -1 : share, loss)
      }
      return rank(self) > rank(other)
    }
  }

  /// What a search found.
  public struct Outcome: Sendable {
    /// The trials, the best first.
    public let trials: [Trial]
    /// The best trial.
    public let best: Trial
  }

  // MARK: Settings

  /// The settings of a number of trials for a recipe.
  ///
  /// - Throws: when the space or the number of trials makes no sense.
  func settings(
    of recipe: Recipe, _ options: Recipe.Options, trials: Int
  ) throws(Diagnostic) -> [Setting] {
    try check(trials: trials)
    let batch = options.batch ?? recipe.batch
    let double = batch.multipliedReportingOverflow(by: 2)
    let batches =
      batches.isEmpty
      ? [max(batch / 2, 1), batch, double.overflow ? batch : double.partialValue] : batches
    let decays: [Double?] = weightDecays.isEmpty ? [options.weightDecay] : weightDecays
    let optimizers: [OptimizerName?] = optimizers.isEmpty ? [options.optimizer] : optimizers
    func own(_ optimizer: OptimizerName?) -> Double {
      options.learningRate ?? (optimizer?.optimizer ?? recipe.optimizer).learningRate
    }
    if let problem = optimizers.lazy.compactMap({ learningRateProblem(own($0)) }).first {
      throw Diagnostic(.argument, problem)
    }
    func rates(_ optimizer: OptimizerName?) -> ClosedRange<Double> {
      let rate = own(optimizer)
      return learningRates ?? (rate / 30...rate * 30).clamped(to: Search.possibleRates)
    }
    switch strategy {
    case .random:
      var generator = Philox(seed: options.seed, stream: Philox.hash("search"))
      return (0..<trials).map { _ in
        let optimizer = optimizers[Int(generator.next() % UInt64(optimizers.count))]
        return Setting(
          optimizer: optimizer,
          learningRate: between(rates(optimizer), generator.nextUniform()),
          batch: batches[Int(generator.next() % UInt64(batches.count))],
          weightDecay: decays[Int(generator.next() % UInt64(decays.count))])
      }
    case .grid:
      let others = batches.count * decays.count * optimizers.count
      let points = trials / others
      guard points >= 1 else {
        throw Diagnostic(
          .argument,
          "a grid of \(others) combinations beside the learning rate does not fit \(trials) trials",
          hint:
            "allow \(others) trials or more, or name fewer batches, weight decays and optimizers")
      }
      return optimizers.flatMap { optimizer in
        (0..<points).flatMap { point in
          let part = points == 1 ? 0.5 : Double(point) / Double(points - 1)
          return batches.flatMap { batch in
            decays.map { decay in
              Setting(
                optimizer: optimizer, learningRate: between(rates(optimizer), part), batch: batch,
                weightDecay: decay)
            }
          }
        }
      }
    }
  }

  /// The number at a part of the way between two, by factors, to two digits: what is printed is what was tried.
  private func between(_ range: ClosedRange<Double>, _ part: Double) -> Double {
    let value = exp(log(range.lowerBound) * (1 - part) + log(range.upperBound) * part)
    let exponent = Int(log10(value).rounded(.down)) - 1
    let digits = Int((value / pow(10, Double(exponent))).rounded())
    return Double("\(digits)e\(exponent)") ?? value
  }

  /// The examples by which settings are judged, in place of the test: the validation part, or a share of the training part.
  fileprivate func judged(_ data: DataSplit, seed: UInt64) throws(Diagnostic) -> DataSplit {
    if let validation = data.validation {
      return DataSplit(train: data.train, test: validation)
    }
    let parts = try data.train.split(test: validationShare, seed: seed)
    guard parts.test.count > 0 else {
      throw Diagnostic(
        .argument,
        "a share of \(validationShare) of \(data.train.count) training examples leaves none to judge by"
      )
    }
    return parts
  }

  private func check(trials: Int) throws(Diagnostic) {
    guard (1...Search.mostTrials).contains(trials) else {
      throw Diagnostic(.argument, "\(trials) trials", hint: "from 1 to \(Search.mostTrials)")
    }
    let possible = Search.possibleRates
    if let rates = learningRates, rates.clamped(to: possible) != rates {
      throw Diagnostic(
        .argument, "learning rates from \(rates.lowerBound) to \(rates.upperBound)",
        hint: "they are from \(possible.lowerBound) to \(possible.upperBound)")
    }
    if let batch = batches.first(where: { $0 < 1 }) {
      throw Diagnostic(.argument, "a batch of \(batch) examples", hint: "at least 1")
    }
    guard validationShare > 0, validationShare < 1 else {
      throw Diagnostic(
        .argument, "a share of \(validationShare) for validation", hint: "between 0 and 1")
    }
  }
}

extension Recipe {
  /// Trains with several settings, and judges each by validation examples; the test examples are not looked at.
  ///
  /// Where the data has no validation part, a share of the training examples is held back for it.
  ///
  /// - Parameters:
  ///   - trials: The number of settings, or the most that a grid may have.
  ///   - options: What all trials share; the seed also chooses the settings.
  ///   - onTrial: Called after each trial, in order.
  /// - Throws: what is wrong with the search, the data or the model.
  public func search(
    _ search: Search, trials: Int, _ options: Options, onTrial: ((Search.Trial) -> Void)? = nil
  ) throws(Diagnostics) -> Search.Outcome {
    let (settings, parts) = try Diagnostics.collecting { () throws(Diagnostic) in
      let settings = try search.settings(of: self, options, trials: trials)
      let judged = try data.load { data throws(Diagnostic) in
        [try search.judged(data, seed: options.seed)]
      }
      return (settings, judged[0])
    }
    var tried: [Search.Trial] = []
    for (index, setting) in settings.enumerated() {
      let outcome = try train(options.with(setting), on: parts)
      let trial = Search.Trial(number: index + 1, setting: setting, validation: outcome.test)
      onTrial?(trial)
      tried.append(trial)
    }
    // Sorted by hand for what is equal to stay in order.
    let order = tried.indices.sorted {
      tried[$0].isBetter(than: tried[$1])
        || (!tried[$1].isBetter(than: tried[$0]) && $0 < $1)
    }
    return Search.Outcome(trials: order.map { tried[$0] }, best: tried[order[0]])
  }
}

extension Recipe.Options {
  /// These options with a setting of a search.
  public func with(_ setting: Search.Setting) -> Recipe.Options {
    var options = self
    options.optimizer = setting.optimizer
    options.learningRate = setting.learningRate
    options.batch = setting.batch
    options.weightDecay = setting.weightDecay
    return options
  }
}
