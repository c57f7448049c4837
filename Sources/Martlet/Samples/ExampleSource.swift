import GraphIR

/// Where examples come from: what one looks like is known before any file is read.
public struct ExampleSource: Sendable {
  /// What one example looks like.
  public let example: ExampleSignature
  /// The names of the classes that labels count; may be empty.
  public let classNames: [String]
  private let read: @Sendable () throws(Diagnostic) -> DataSplit
  /// What is done with the examples that were read, in order.
  private var preparations: [@Sendable (DataSplit) throws(Diagnostic) -> DataSplit] = []

  /// Makes a source; `read` is called when the examples are needed.
  public init(
    example: ExampleSignature, classNames: [String] = [],
    read: @escaping @Sendable () throws(Diagnostic) -> DataSplit
  ) {
    self.example = example
    self.classNames = classNames
    self.read = read
  }

  /// Makes a source of examples in memory: inputs `[n, ...]` and labels `[n, ...]`.
  ///
  /// - Parameter test: The inputs and labels by which the result is judged; those of training when nil.
  public init(
    inputs: Literal, labels: Literal, test: (inputs: Literal, labels: Literal)? = nil,
    inputName: String = "input"
  ) {
    func element(_ type: TensorType) -> TensorType {
      TensorType(type.dtype, Shape(Array(type.shape.extents.dropFirst())))
    }
    let example = ExampleSignature(
      inputName: inputName, input: element(inputs.type), label: element(labels.type))
    self.init(example: example) { () throws(Diagnostic) in
      let train = try Dataset(inputs: inputs, labels: labels, inputName: inputName)
      guard let test else { return DataSplit(train: train, test: train) }
      return DataSplit(
        train: train,
        test: try Dataset(inputs: test.inputs, labels: test.labels, inputName: inputName))
    }
  }

  /// Reads the examples.
  public func load() throws(Diagnostic) -> DataSplit { try prepared(try read()) }

  /// Reads the examples and parts them otherwise.
  ///
  /// Each split is prepared as if it were the whole, so that what is fitted on training examples sees those of its own alone.
  func load(
    parting: (DataSplit) throws(Diagnostic) -> [DataSplit]
  ) throws(Diagnostic) -> [DataSplit] {
    var splits: [DataSplit] = []
    for split in try parting(try read()) { splits.append(try prepared(split)) }
    return splits
  }

  private func prepared(_ split: DataSplit) throws(Diagnostic) -> DataSplit {
    var split = split
    for prepare in preparations { split = try prepare(split) }
    return split
  }

  /// The source whose training part is changed at random in training, in the order of the changes.
  ///
  /// What is wrong with them is told when the examples are loaded.
  public func augmented(by changes: Augmentation..., seed: UInt64 = 0) -> ExampleSource {
    let pipeline = AugmentationPipeline(changes: changes, seed: seed)
    return preparing((try? pipeline.outcome(example)) ?? example) { split throws(Diagnostic) in
      try split.augmented(by: changes, seed: seed)
    }
  }

  /// The source whose inputs are brought to mean 0 and standard deviation 1, as the training part alone has them.
  public func normalized(per granularity: Normalization.Granularity) -> ExampleSource {
    var example = example
    example.input = Normalization.outcome(example.input)
    return preparing(example) { split throws(Diagnostic) in
      try Normalization(fitting: split.train, per: granularity).applied(to: split)
    }
  }

  /// The source with one preparation more, after which examples look as given.
  private func preparing(
    _ example: ExampleSignature,
    _ prepare: @escaping @Sendable (DataSplit) throws(Diagnostic) -> DataSplit
  ) -> ExampleSource {
    var source = ExampleSource(example: example, classNames: classNames, read: read)
    source.preparations = preparations + [prepare]
    return source
  }
}
