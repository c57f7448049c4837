import GraphIR

/// What came out of going through the data once.
public struct EpochReport: Sendable {
  /// The number of the epoch, from 1.
  public let epoch: Int
  /// The means over the examples while training went on.
  public let training: Evaluation
  /// The means over the validation examples afterwards; nil without any.
  public let validation: Evaluation?
  /// Steps of training in a second.
  public let stepsPerSecond: Double
}

/// The loss and the metrics of a model on a data set.
public struct Evaluation: Sendable, CustomStringConvertible {
  /// The mean loss.
  public let loss: Double
  /// The means of the metrics, in order.
  public let metrics: [(metric: Metric, value: Double)]
  /// The number of examples.
  public let count: Int

  /// The mean of the metric of the given name; nil when there is none.
  public subscript(name: String) -> Double? { metrics.first { $0.metric.name == name }?.value }

  /// The share of examples whose label is predicted, from 0 to 1; nil when it was not measured.
  public var accuracy: Double? { self["accuracy"] }

  /// `loss 0.1234, accuracy 96.2 %`.
  public var description: String {
    (["loss \(loss.formatted(digits: 4))"]
      + metrics.map { metric, value in
        metric.isShare
          ? "\(metric.name) \((value * 100).formatted(digits: 1)) %"
          : "\(metric.name) \(value.formatted(digits: 4))"
      }).joined(separator: ", ")
  }
}

extension Trainer {
  /// Trains: goes through the examples `epochs` times, in a new order each time that the seed decides.
  ///
  /// - Parameters:
  ///   - examples: The examples to train on.
  ///   - validation: Examples on which the model is judged after each epoch.
  ///   - batch: The number of examples in a step. What is left at the end of an epoch makes a smaller step.
  ///   - epochs: How many times to go through the examples, those before a checkpoint included.
  ///   - schedule: How the learning rate changes from update to update, from the first; it stays as it is without.
  ///   - progress: Where and how progress is shown.
  ///   - checkpoint: The file from which a run that was killed goes on.
  ///   - callbacks: What is called after each step and each epoch, in order; training ends early when one says so.
  ///   - onEpoch: Called after each epoch, after the callbacks; training ends early when it gives false.
  /// - Returns: what came out of each epoch, those before a checkpoint included.
  /// - Throws: everything that is wrong with the model, each with the line of the call that did; what is wrong with the
  ///   checkpoint, or that training was interrupted.
  @discardableResult
  public func fit(
    _ examples: Dataset, validation: Dataset? = nil, batch: Int = 32, epochs: Int = 1,
    schedule: Schedule? = nil, progress: Progress = .automatic, checkpoint: Checkpoint? = nil,
    callbacks: [any Callback] = [], onEpoch: ((EpochReport) -> Bool)? = nil
  ) throws(Diagnostics) -> [EpochReport] {
    try check(examples, batch: batch, epochs: epochs)
    var run = try TrainingRun(
      self, examples, validation: validation, batch: batch, epochs: epochs, schedule: schedule,
      checkpoint: checkpoint, callbacks: callbacks)
    if let validation { try prepare(toEvaluate: validation, batch: batch) }
    for callback in callbacks { try callback.trainingBegan(on: examples, of: self) }
    var display = ProgressDisplay(
      progress, epochs: epochs, steps: run.stepsPerEpoch, metrics: metrics)
    display.announce(bytes: plannedBytes)
    let feed = BatchFeed(examples)
    while epoch < run.lastEpoch, !run.isEnded {
      display.begin(epoch: epochs - (run.lastEpoch - epoch) + 1)
      feed.draw = AugmentationDraw(seed: seed, epoch: epoch)
      try goThrough(feed, examples.count, &run, &display)
      epoch += 1
      let report = EpochReport(
        epoch: epoch, training: run.totals.means,
        validation: try validation.map { part throws(Diagnostics) in
          try evaluate(part, batch: batch)
        },
        stepsPerSecond: display.stepsPerSecond)
      display.end(report)
      run.reports.append(report)
      for callback in callbacks where try !callback.epochEnded(report, of: self) {
        run.isEnded = true
      }
      if onEpoch?(report) == false { run.isEnded = true }
      run.totals = Totals(metrics, run.programs.full)
      try run.save(self)
    }
    return run.reports
  }

  /// Takes the steps of an epoch that are left.
  ///
  /// A step allocates nothing.
  private func goThrough(
    _ feed: BatchFeed, _ count: Int, _ run: inout TrainingRun, _ display: inout ProgressDisplay
  ) throws(Diagnostics) {
    let order = order(count)
    var start = run.totals.steps * run.batch
    while start < count {
      let end = min(start + run.batch, count)
      let program = end - start == run.batch ? run.programs.full : run.programs.rest
      try run.schedule(self)
      try self.run(program, feed, start..<end, of: order, &run.totals)
      start = end
      try run.update(self, isLast: end == count)
      display.update(run.totals)
      for callback in run.callbacks { try callback.stepEnded(of: self) }
      try run.stepEnded(self, isLast: end == count)
    }
  }

  /// The mean loss and metrics over all examples, none left out.
  ///
  /// Dropout and the like do not act.
  public func evaluate(
    _ examples: Dataset, batch: Int = 256
  ) throws(Diagnostics) -> Evaluation {
    try totals(.evaluation, metrics, over: examples, batch: batch).means
  }

  /// How often each class is taken for each other.
  ///
  /// - Throws: when the outputs are not scores of classes, or everything else that is wrong.
  public func confusionMatrix(
    on examples: Dataset, batch: Int = 256
  ) throws(Diagnostics) -> ConfusionMatrix {
    let totals = try totals(.confusion, [.confusion], over: examples, batch: batch)
    return ConfusionMatrix(
      counts: totals.terms(ofMetric: 0).map { Int($0) }, classNames: examples.classNames)
  }

  /// Compiles what evaluates examples, before training: so that the memory of both is known.
  func prepare(toEvaluate examples: Dataset, batch: Int = 256) throws(Diagnostics) {
    try check(examples, batch: batch, epochs: 1)
    _ = try programs(.evaluation, for: examples, batch: batch)
  }

  /// The model's outputs for inputs `[n, ...]`: probabilities where the loss is a cross-entropy, else as they are.
  ///
  /// - Throws: when the inputs do not fit the model, or everything that is wrong with the model.
  public func predict(_ inputs: Literal) throws(Diagnostics) -> Literal {
    let (example, count) = try signature(of: inputs.type)
    let program = try program(.prediction, example, batch: count)
    return try Diagnostics.collecting { () throws(Diagnostic) in
      try program.run(input: inputs.bytes[...])
      return program.outputs[program.outputs.count - 1].literal()
    }
  }

  // MARK: Parts

  private func check(_ examples: Dataset, batch: Int, epochs: Int) throws(Diagnostics) {
    var problems: [Diagnostic] = []
    let most = Trainer.most
    if !(1...most).contains(batch) {
      problems.append(
        Diagnostic(.argument, "a batch of \(batch) examples", hint: "from 1 to \(most)"))
    }
    if !(0...most).contains(epochs) {
      problems.append(Diagnostic(.argument, "\(epochs) epochs", hint: "from 0 to \(most)"))
    }
    if examples.count == 0 { problems.append(Diagnostic(.argument, "the data set is empty")) }
    if !problems.isEmpty { throw Diagnostics(problems) }
  }

  /// The programs for whole batches and for what is left; both are the one that is needed when only one is.
  func programs(
    _ purpose: Purpose, for examples: Dataset, batch: Int
  ) throws(Diagnostics) -> (full: Program, rest: Program) {
    let rest = examples.count % batch
    let full = try program(purpose, examples.signature, batch: min(batch, examples.count))
    return (full, rest == 0 ? full : try program(purpose, examples.signature, batch: rest))
  }

  /// The sums of loss and metrics over all examples, in their order.
  private func totals(
    _ purpose: Purpose, _ metrics: [Metric], over examples: Dataset, batch: Int
  ) throws(Diagnostics) -> Totals {
    try check(examples, batch: batch, epochs: 1)
    let programs = try programs(purpose, for: examples, batch: batch)
    let order = Array(0..<examples.count)
    let feed = BatchFeed(examples)
    var totals = Totals(metrics, programs.full)
    for start in stride(from: 0, to: examples.count, by: batch) {
      let end = min(start + batch, examples.count)
      try run(
        end - start == batch ? programs.full : programs.rest, feed, start..<end, of: order,
        &totals, areSums: true)
    }
    return totals
  }

  /// The order of an epoch, which the seed and the number of epochs so far decide.
  private func order(_ count: Int) -> [Int] {
    var generator = Philox(seed: seed, stream: Philox.hash("shuffle"), step: UInt64(epoch))
    return generator.permutation(count)
  }

  /// Runs a step and adds what it gives to the totals.
  ///
  /// Allocates nothing.
  private func run(
    _ program: Program, _ feed: BatchFeed, _ positions: Range<Int>, of order: [Int],
    _ totals: inout Totals, areSums: Bool = false
  ) throws(Diagnostics) {
    do {
      try program.run(feed, positions, of: order, learningRate: learningRate)
    } catch {
      throw Diagnostics([error])
    }
    totals.add(program, count: positions.count, areSums: areSums)
  }
}
