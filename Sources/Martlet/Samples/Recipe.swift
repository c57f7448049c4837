import GraphIR
import Runtime

/// All that it takes to train a model: the model with its data, loss, optimizer and settings.
///
/// ```swift
/// Recipe(
///   data: .digits, model: LeNet(), loss: .softmaxCrossEntropy,
///   optimizer: Adam(learningRate: 0.002), epochs: 60, batch: 64)
/// ```
public struct Recipe: Sendable {
  /// What tells it from the others of its sample, as `adam`; empty where it stands alone.
  public var name: String
  /// Where its examples come from.
  public var data: ExampleSource
  /// What training makes small.
  public var loss: Loss
  /// How parameters follow from gradients.
  public var optimizer: any Optimizer
  /// How the learning rate changes from step to step; it stays as it is without.
  public var schedule: Schedule?
  /// What is done with gradients and parameters besides.
  public var options: TrainingOptions
  /// What is shown beside the loss; nil for what the loss suggests.
  public var metrics: [Metric]?
  /// How many times training goes through the data unless told otherwise.
  public var epochs: Int
  /// The number of examples in a step unless told otherwise.
  public var batch: Int
  /// The parameters whose values the outcome keeps for each epoch.
  public var watching: [String]
  private let place: (file: String, line: Int)
  private let makeModel: @Sendable () -> any Layer
  private let prepare: (@Sendable (Trainer, DataSplit) throws(Diagnostics) -> Void)?

  /// Makes a recipe.
  ///
  /// - Parameters:
  ///   - model: The model, made anew for each trainer.
  ///   - watching: The parameters whose values the outcome keeps for each epoch, as `neuron.weight`.
  ///   - prepare: What happens before training, as taking over weights that were learned from other data.
  public init(
    _ name: String = "", data: ExampleSource,
    model: @autoclosure @escaping @Sendable () -> any Layer, loss: Loss,
    optimizer: any Optimizer, schedule: Schedule? = nil,
    options: TrainingOptions = TrainingOptions(), metrics: [Metric]? = nil, epochs: Int,
    batch: Int, watching: [String] = [],
    prepare: (@Sendable (Trainer, DataSplit) throws(Diagnostics) -> Void)? = nil,
    file: String = #fileID, line: Int = #line
  ) {
    place = (file, line)
    self.name = name
    self.data = data
    self.loss = loss
    self.optimizer = optimizer
    self.schedule = schedule
    self.options = options
    self.metrics = metrics
    self.epochs = epochs
    self.batch = batch
    self.watching = watching
    makeModel = model
    self.prepare = prepare
  }

  /// What one example looks like.
  public var example: ExampleSignature { data.example }
  /// The names of the classes that it tells apart; may be empty.
  public var classNames: [String] { data.classNames }

  /// The file that makes it, as `Samples/LeNet.swift`.
  package var file: String { place.file }

  // MARK: Training

  /// What can be chosen for a training run.
  public struct Options: Sendable {
    /// The optimizer in place of the recipe's.
    public var optimizer: OptimizerName?
    /// The learning rate in place of the optimizer's.
    public var learningRate: Double?
    /// The factor of weight decay in place of the optimizer's.
    public var weightDecay: Double?
    /// How many times to go through the data in place of the recipe's.
    public var epochs: Int?
    /// The number of examples in a step in place of the recipe's.
    public var batch: Int?
    /// The number of batches whose gradients make one update, in place of the recipe's.
    public var accumulation: Int?
    /// Decides first values, shuffling and dropout.
    public var seed: UInt64
    /// The file from which a run that was killed goes on; nil for none.
    public var checkpoint: Checkpoint?
    /// Where and how progress is shown.
    public var progress: Progress
    /// Where the graphs run.
    public var backend: any Backend

    /// Makes options.
    public init(
      optimizer: OptimizerName? = nil, learningRate: Double? = nil, weightDecay: Double? = nil,
      epochs: Int? = nil, batch: Int? = nil, accumulation: Int? = nil, seed: UInt64 = 0,
      checkpoint: Checkpoint? = nil, progress: Progress = .automatic, backend: any Backend
    ) {
      self.accumulation = accumulation
      self.checkpoint = checkpoint
      self.optimizer = optimizer
      self.learningRate = learningRate
      self.weightDecay = weightDecay
      self.epochs = epochs
      self.batch = batch
      self.seed = seed
      self.progress = progress
      self.backend = backend
    }
  }

  /// What came out of following a recipe.
  public struct Outcome {
    /// The recipe.
    public let recipe: Recipe
    /// The trained model.
    public let trainer: Trainer
    /// The data with which it was trained and judged.
    public let data: DataSplit
    /// What came out of each epoch.
    public let epochs: [EpochReport]
    /// The loss and the metrics on the test examples.
    public let test: Evaluation
    /// The values of the parameters that the recipe watches, by name: before training, and after each epoch.
    public let watched: [String: [Literal]]
  }

  /// Makes a trainer of a fresh model.
  public func trainer(_ options: Options) throws(Diagnostics) -> Trainer {
    let base = options.optimizer?.optimizer ?? optimizer
    var training = self.options
    training.accumulation = options.accumulation ?? training.accumulation
    let optimizer = options.weightDecay.map { base.withWeightDecay($0) } ?? base
    return try Trainer(
      makeModel(), loss: loss, optimizer: optimizer, learningRate: options.learningRate,
      options: training, metrics: metrics, seed: options.seed, backend: options.backend,
      file: place.file, line: place.line)
  }

  /// Trains a fresh model and judges it by the test examples.
  ///
  /// - Parameters:
  ///   - data: The examples; nil for the recipe's own.
  ///   - callbacks: What is called after each epoch, in order.
  /// - Throws: what is wrong with the data or the model.
  public func train(
    _ options: Options, on data: DataSplit? = nil, callbacks: [any Callback] = []
  ) throws(Diagnostics) -> Outcome {
    let trainer = try trainer(options)
    let data = if let data { data } else { try loadData() }
    try prepare?(trainer, data)
    try trainer.prepare(toEvaluate: data.test)
    let watch = ParameterWatch(watching)
    if !watching.isEmpty {
      try trainer.prepareState(example)
      try watch.note(trainer)
    }
    let epochs = try trainer.fit(
      data.train, validation: data.validation, batch: options.batch ?? batch,
      epochs: options.epochs ?? self.epochs, schedule: schedule, progress: options.progress,
      checkpoint: options.checkpoint, callbacks: [watch] + callbacks)
    return Outcome(
      recipe: self, trainer: trainer, data: data, epochs: epochs,
      test: try trainer.evaluate(data.test), watched: watch.values)
  }

  private func loadData() throws(Diagnostics) -> DataSplit {
    try Diagnostics.collecting { () throws(Diagnostic) in try data.load() }
  }

  // MARK: Graphs

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
    let trainer = try trainer(Options(backend: InterpreterBackend()))
    return training
      ? try trainer.trainingGraph(example, batch: batch, withGradients: withGradients)
      : try trainer.predictionGraph(example, batch: batch)
  }

  /// Values for the inputs of `graph(training:batch:)`, by name: first parameters, state and a batch of the data
  /// that the seed chooses.
  package func exampleInputs(
    training: Bool, batch: Int, seed: UInt64 = 0
  ) throws(Diagnostics) -> [String: Literal] {
    let trainer = try trainer(Options(seed: seed, backend: InterpreterBackend()))
    let step =
      training
      ? try trainer.trainingGraph(example, batch: batch)
      : try trainer.predictionGraph(example, batch: batch)
    var values = trainer.initialValues(step)
    let train = try loadData().train
    let examples = try Diagnostics.collecting { () throws(Diagnostic) in
      try train.shuffled(seed: seed).batch(batch)
    }
    values[example.inputName] = examples.inputs
    if training { values[example.labelName] = examples.labels }
    return values
  }
}

/// Keeps the values of parameters for each epoch.
private final class ParameterWatch: Callback {
  private let names: [String]
  private(set) var values: [String: [Literal]] = [:]

  init(_ names: [String]) { self.names = names }

  /// A value, for a checkpoint.
  private struct Kept: Codable {
    var dtype: DType
    var shape: [Int]
    var elements: [Double]
  }

  /// The values so far.
  var memory: String {
    get {
      RunRecord.Memory.text(
        values.mapValues { values in
          values.map {
            Kept(
              dtype: $0.type.dtype, shape: $0.type.shape.extents, elements: $0.doubles())
          }
        })
    }
    set {
      guard let kept = RunRecord.Memory.value([String: [Kept]].self, of: newValue) else { return }
      values = kept.mapValues { values in
        values.filter { Shape.checked($0.shape)?.elementCount == $0.elements.count }.map {
          Literal(TensorType($0.dtype, Shape($0.shape)), doubles: $0.elements)
        }
      }
    }
  }

  func note(_ trainer: Trainer) throws(Diagnostics) {
    for name in names {
      guard let value = trainer.value(of: name) else {
        throw Diagnostics([
          Diagnostic(
            .name, "a recipe watches '\(name)', which the model does not have",
            hint: "it has " + trainer.parameterNames.joined(separator: ", "))
        ])
      }
      values[name, default: []].append(value)
    }
  }

  func epochEnded(_ report: EpochReport, of trainer: Trainer) throws(Diagnostics) -> Bool {
    try note(trainer)
    return true
  }
}

extension Diagnostics {
  /// Runs a body that throws one diagnostic, as one that throws several.
  package static func collecting<Result>(
    _ body: () throws(Diagnostic) -> Result
  ) throws(Diagnostics) -> Result {
    do {
      return try body()
    } catch {
      throw Diagnostics([error])
    }
  }
}
