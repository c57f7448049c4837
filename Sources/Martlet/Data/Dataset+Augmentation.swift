import GraphIR

extension Dataset {
  /// The data set whose examples are changed at random in training, in the order of the changes.
  ///
  /// What is drawn follows from this seed, the trainer's, the epoch and the example: it is the same for any size of batch
  /// and number of threads, and when training is resumed.
  ///
  /// - Throws: when a change is not one for such examples, or its numbers make no sense.
  public func augmented(
    by changes: Augmentation..., seed: UInt64 = 0
  ) throws(Diagnostic) -> Dataset {
    try augmented(by: changes, seed: seed)
  }

  /// The data set whose examples are changed at random in training, in the order of the changes.
  ///
  /// - Throws: when a change is not one for such examples, or its numbers make no sense.
  public func augmented(
    by changes: [Augmentation], seed: UInt64 = 0
  ) throws(Diagnostic) -> Dataset {
    guard pipeline.changes.isEmpty || pipeline.seed == seed else {
      throw Diagnostic(
        .argument, "the data set is augmented with the seeds \(pipeline.seed) and \(seed)",
        hint: "one seed decides all changes")
    }
    return try replacing(
      pipeline: AugmentationPipeline(changes: pipeline.changes + changes, seed: seed))
  }

  /// An example as training sees it in an epoch.
  ///
  /// - Parameters:
  ///   - epoch: The number of epochs before it.
  ///   - seed: The trainer's seed.
  /// - Throws: when there is no such example, or what is wrong with reading it.
  public func augmentedExample(
    _ index: Int, epoch: Int, seed: UInt64 = 0
  ) throws(Diagnostic) -> (input: Literal, label: Literal) {
    try checkIndex(index)
    let example = try changed(order[index], AugmentationDraw(seed: seed, epoch: epoch))
    return (Literal(signature.input.shape, example.values), example.label)
  }

  /// An example after the first changes of the pipeline, or all; without a draw, as it is when it is only looked at.
  func changed(
    _ row: Int, _ draw: AugmentationDraw?, first count: Int? = nil
  ) throws(Diagnostic) -> AugmentedExample {
    var example = AugmentedExample(
      extents: inputs.type.shape.extents, values: try inputs.floats(row), label: try labels.row(row)
    )
    for (index, change) in pipeline.changes.prefix(count ?? pipeline.changes.count).enumerated() {
      guard let draw else {
        try change.rest(&example)
        continue
      }
      var random = pipeline.random(for: index, row, draw)
      try change.act(&example, &random) { share throws(Diagnostic) in
        try changed(order[Int(share * Double(order.count))], draw, first: index)
      }
    }
    return example
  }
}

extension DataSplit {
  /// The split whose training part is changed at random, in the order of the changes; the others only get its type.
  ///
  /// - Throws: when a change is not one for such examples, or its numbers make no sense.
  public func augmented(
    by changes: Augmentation..., seed: UInt64 = 0
  ) throws(Diagnostic) -> DataSplit {
    try augmented(by: changes, seed: seed)
  }

  /// The split whose training part is changed at random, in the order of the changes; the others only get its type.
  ///
  /// - Throws: when a change is not one for such examples, or its numbers make no sense.
  public func augmented(
    by changes: [Augmentation], seed: UInt64 = 0
  ) throws(Diagnostic) -> DataSplit {
    // Evaluation changes nothing at random, whatever part it sees.
    var part: Dataset?
    if let validation { part = try validation.augmented(by: changes, seed: seed) }
    return DataSplit(
      train: try train.augmented(by: changes, seed: seed), validation: part,
      test: try test.augmented(by: changes, seed: seed))
  }
}

/// What decides the random changes of an epoch.
struct AugmentationDraw: Hashable, Sendable {
  /// The trainer's seed.
  var seed: UInt64
  /// The number of epochs before.
  var epoch: Int
}

/// Random changes, one after the other.
struct AugmentationPipeline: Sendable {
  let changes: [Augmentation]
  let seed: UInt64
  /// The stream of random numbers of each change.
  private let streams: [UInt32]

  init(changes: [Augmentation] = [], seed: UInt64 = 0) {
    self.changes = changes
    self.seed = seed
    streams = changes.indices.map { Philox.hash("augmentation \($0)") }
  }

  /// What examples look like afterwards.
  func outcome(_ signature: ExampleSignature) throws(Diagnostic) -> ExampleSignature {
    var outcome = signature
    for change in changes { outcome = try change.outcome(outcome) }
    return outcome
  }

  /// The random numbers of a change of one example in one epoch, which are no others'.
  func random(for change: Int, _ row: Int, _ draw: AugmentationDraw) -> Philox {
    Philox(
      seed: seed &+ draw.seed &* 0x9E37_79B9_7F4A_7C15, stream: streams[change],
      step: UInt64(truncatingIfNeeded: draw.epoch) << 32 | UInt64(truncatingIfNeeded: row))
  }
}
