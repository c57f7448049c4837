import GraphIR
import Runtime

/// A model that comes with its data and settings, so that the program `martlet` can train and examine it by name.
public struct Sample: Sendable {
  /// What can be chosen for a training run.
  public struct Options: Sendable {
    /// The learning rate of the optimizer.
    public var learningRate: Double
    /// Decides first values, shuffling and dropout.
    public var seed: UInt64
    /// Where the graphs run.
    public var backend: any Backend

    /// Makes options.
    public init(learningRate: Double, seed: UInt64 = 0, backend: any Backend) {
      self.learningRate = learningRate
      self.seed = seed
      self.backend = backend
    }
  }

  /// The name on the command line: `lenet`.
  public let name: String
  /// One line on what it is.
  public let summary: String
  /// How many times training goes through the data unless told otherwise.
  public let epochs: Int
  /// The number of examples in a step unless told otherwise.
  public let batch: Int
  /// The learning rate unless told otherwise.
  public let learningRate: Double
  /// What one example looks like.
  public let example: ExampleSignature
  /// The names of the classes that it tells apart.
  public let classNames: [String]
  private let makeData: @Sendable () throws(Diagnostic) -> DataSplit
  private let makeTrainer: @Sendable (Options) throws(Diagnostics) -> Trainer

  /// Makes a sample; `data` and `trainer` are called when they are needed.
  public init(
    name: String, summary: String, epochs: Int, batch: Int, learningRate: Double,
    example: ExampleSignature, classNames: [String],
    data: @escaping @Sendable () throws(Diagnostic) -> DataSplit,
    trainer: @escaping @Sendable (Options) throws(Diagnostics) -> Trainer
  ) {
    self.name = name
    self.summary = summary
    self.epochs = epochs
    self.batch = batch
    self.learningRate = learningRate
    self.example = example
    self.classNames = classNames
    makeData = data
    makeTrainer = trainer
  }

  /// Reads the data.
  public func data() throws(Diagnostic) -> DataSplit { try makeData() }

  /// Makes a trainer of a fresh model.
  public func trainer(_ options: Options) throws(Diagnostics) -> Trainer {
    try makeTrainer(options)
  }

  /// Makes a trainer with the sample's learning rate.
  public func trainer(seed: UInt64 = 0, backend: any Backend) throws(Diagnostics) -> Trainer {
    try makeTrainer(Options(learningRate: learningRate, seed: seed, backend: backend))
  }

  /// The graph of a training step, or of a prediction, for a batch.
  ///
  /// - Parameter withGradients: Whether a training step also gives the gradients as outputs.
  package func graph(
    training: Bool, batch: Int, withGradients: Bool = false
  ) throws(Diagnostics) -> Graph {
    try step(training: training, batch: batch, withGradients: withGradients).graph
  }

  /// The graph of a training step, or of a prediction, with what its inputs are.
  ///
  /// - Parameter withGradients: Whether a training step also gives the gradients as outputs.
  package func step(
    training: Bool, batch: Int, withGradients: Bool = false
  ) throws(Diagnostics) -> StepGraph {
    let trainer = try trainer(backend: InterpreterBackend())
    return training
      ? try trainer.trainingGraph(example, batch: batch, withGradients: withGradients)
      : try trainer.predictionGraph(example, batch: batch)
  }

  /// Values for the inputs of `graph(training:batch:)`, by name: first parameters, state and a batch of the data
  /// that the seed chooses.
  package func exampleInputs(
    training: Bool, batch: Int, seed: UInt64 = 0
  ) throws(Diagnostics) -> [String: Literal] {
    let trainer = try trainer(seed: seed, backend: InterpreterBackend())
    let step =
      training
      ? try trainer.trainingGraph(example, batch: batch)
      : try trainer.predictionGraph(example, batch: batch)
    var values = trainer.initialValues(step)
    let examples = try Diagnostics.collecting { () throws(Diagnostic) in
      try data().train.shuffled(seed: seed).batch(batch)
    }
    values[example.inputName] = examples.inputs
    if training { values[example.labelName] = examples.labels }
    return values
  }
}

extension Diagnostics {
  /// Runs a body that throws one diagnostic, as one that throws several.
  static func collecting<Result>(
    _ body: () throws(Diagnostic) -> Result
  ) throws(Diagnostics) -> Result {
    do {
      return try body()
    } catch {
      throw Diagnostics([error])
    }
  }
}
