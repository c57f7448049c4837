import GraphIR

/// A call of `fit`: its programs, where it is, and its checkpoint.
struct TrainingRun {
  let batch: Int
  let stepsPerEpoch: Int
  /// The number of the epoch after which training ends.
  let lastEpoch: Int
  let callbacks: [any Callback]
  /// What takes a step of a whole batch, and of what is left.
  let programs: (full: Program, rest: Program)
  /// The sums of the epoch under way.
  var totals: Totals
  /// The epochs that are done.
  var reports: [EpochReport] = []
  /// Whether a callback has ended training.
  var isEnded = false

  private let examples: Int
  /// Stands for the examples, and those of validation; empty without a checkpoint.
  private let data: [UInt32]
  private let learningRates: Schedule?
  private let checkpoint: Checkpoint?
  /// What changes the parameters where gradients of several batches are summed up first.
  private let updating: Program?
  private let batchesPerUpdate: Int
  private let graph: UInt32

  /// Begins a run, or goes on where its checkpoint is.
  ///
  /// - Throws: what is wrong with the model or the checkpoint; the trainer is as it was then.
  init(
    _ trainer: Trainer, _ examples: Dataset, validation: Dataset?, batch: Int, epochs: Int,
    schedule: Schedule?, checkpoint: Checkpoint?, callbacks: [any Callback]
  ) throws(Diagnostics) {
    self.batch = batch
    self.examples = examples.count
    self.checkpoint = checkpoint
    self.callbacks = callbacks
    learningRates = schedule
    stepsPerEpoch = (examples.count + batch - 1) / batch
    lastEpoch = trainer.epoch + epochs
    batchesPerUpdate = trainer.options.accumulation
    let accumulates = batchesPerUpdate > 1
    programs = try trainer.programs(
      accumulates ? .accumulation : .training, for: examples, batch: batch)
    updating =
      accumulates ? try trainer.program(.update, examples.signature, batch: 1) : nil
    totals = Totals(trainer.metrics, programs.full)
    // A run that ended with an error may have left gradients that wait for an update.
    for entry in trainer.state.entries where entry.name.hasPrefix(StepTracer.sumPrefix) {
      entry.buffer.write(Literal(zeros: entry.buffer.type))
    }
    graph =
      checkpoint == nil
      ? 0 : try trainer.fingerprint(examples.signature, batch: min(batch, examples.count))
    data =
      checkpoint == nil
      ? []
      : try Diagnostics.collecting { () throws(Diagnostic) in
        [try examples.checksum().value, try validation?.checksum().value ?? 0]
      }
    checkpoint?.removeLeftovers()
    if let checkpoint, checkpoint.resumes { try resume(trainer, checkpoint.path) }
  }

  // MARK: Steps

  private var updatesPerEpoch: Int { (stepsPerEpoch + batchesPerUpdate - 1) / batchesPerUpdate }

  /// The learning rate's part at an update.
  private func factor(_ update: Int) -> Double {
    learningRates?.factor(
      Schedule.Position(
        step: update, steps: lastEpoch * updatesPerEpoch, stepsPerEpoch: updatesPerEpoch)) ?? 1
  }

  /// Sets the learning rate of the next step.
  ///
  /// - Throws: when the schedule gives none that makes sense; the trainer keeps the one before.
  func schedule(_ trainer: Trainer) throws(Diagnostics) {
    guard learningRates != nil else { return }
    let update = trainer.epoch * updatesPerEpoch + totals.steps / batchesPerUpdate
    let rate = trainer.firstLearningRate * factor(update)
    guard rate >= 0, rate.isFinite else {
      throw Diagnostics([
        Diagnostic(
          .argument, "the schedule makes the learning rate \(rate) in update \(update + 1)",
          hint: "a learning rate is a number from 0")
      ])
    }
    trainer.learningRate = rate
  }

  /// Changes the parameters once the gradients of enough batches, or of the epoch's last, are summed up.
  func update(_ trainer: Trainer, isLast: Bool) throws(Diagnostics) {
    guard let updating, isLast || totals.steps % batchesPerUpdate == 0 else { return }
    let first = (totals.steps - 1) / batchesPerUpdate * batchesPerUpdate * batch
    do {
      try updating.update(of: totals.count - first, learningRate: trainer.learningRate)
    } catch {
      throw Diagnostics([error])
    }
  }

  /// Writes a checkpoint when it is time; the end of an epoch has one of its own.
  func stepEnded(_ trainer: Trainer, isLast: Bool) throws(Diagnostics) {
    guard let checkpoint else { return }
    if checkpoint.isInterrupted?() == true {
      try save(trainer)
      throw Diagnostics([
        Diagnostic(
          .file,
          "training was interrupted in epoch \(trainer.epoch + 1) after step \(totals.steps) of "
            + "\(stepsPerEpoch)",
          hint: "it can go on from '\(checkpoint.path)'")
      ])
    }
    let step = trainer.epoch * stepsPerEpoch + totals.steps
    if let every = checkpoint.everySteps, every > 0, step % every == 0, !isLast {
      try save(trainer)
    }
  }

  // MARK: Checkpoints

  private func settings(_ trainer: Trainer) -> RunRecord.Settings {
    let updates = lastEpoch * updatesPerEpoch
    let places = learningRates == nil ? [] : (0...16).map { $0 * max(updates - 1, 0) / 16 }
    return RunRecord.Settings(
      seed: trainer.seed, backend: trainer.backend.name, examples: examples, data: data,
      batch: batch, accumulation: batchesPerUpdate,
      learningRate: RunRecord.Exact(trainer.firstLearningRate), lastEpoch: lastEpoch,
      factors: places.map { RunRecord.Exact(factor($0)) }, graph: graph)
  }

  /// Writes the checkpoint, if there is to be one.
  func save(_ trainer: Trainer) throws(Diagnostics) {
    guard let checkpoint else { return }
    let record = RunRecord(
      settings: settings(trainer), epoch: trainer.epoch, totals: totals.saved,
      learningRate: RunRecord.Exact(trainer.learningRate),
      reports: reports.map {
        RunRecord.Report(
          epoch: $0.epoch, training: RunRecord.Measured($0.training),
          validation: $0.validation.map { RunRecord.Measured($0) },
          stepsPerSecond: RunRecord.Exact($0.stepsPerSecond))
      },
      memories: callbacks.map { RunRecord.Memory($0) }, isEnded: isEnded)
    try trainer.save(to: checkpoint.path, run: record)
  }

  /// Takes over what a checkpoint holds; a file that is not there leaves all as it is.
  private mutating func resume(_ trainer: Trainer, _ path: String) throws(Diagnostics) {
    let present = settings(trainer)
    let found = try trainer.loadRun(from: path) { record in
      present.problems(with: record.settings, path)
        + record.problems(path, batch: batch, examples: examples, sums: totals.sumCount)
    }
    guard let record = found else { return }
    trainer.learningRate = record.learningRate.value
    totals.saved = record.totals
    isEnded = record.isEnded
    reports = record.reports.map {
      EpochReport(
        epoch: $0.epoch, training: $0.training.evaluation(trainer.metrics),
        validation: $0.validation?.evaluation(trainer.metrics),
        stepsPerSecond: $0.stepsPerSecond.value)
    }
    for (callback, memory) in zip(callbacks, record.memories) { memory.restore(callback) }
  }
}
