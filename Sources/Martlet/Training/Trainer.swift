import Compiler
import GraphIR
import Runtime

/// A model with its loss, optimizer and state, and the compiled graphs that train and use it.
///
/// ```swift
/// let trainer = try Trainer(LeNet(), loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.002))
/// try trainer.fit(digits.train, batch: 64, epochs: 20)
/// print(try trainer.evaluate(digits.test))
/// ```
///
/// A step of training is one compiled graph: forward pass, loss, backward pass and update. It is traced and
/// compiled at the first use for each size of batch; the last, partial batch of an epoch gets a graph of its own.
/// A trainer belongs to one task at a time.
public final class Trainer {
  /// The model.
  public let model: any Layer
  /// What training makes small.
  public let loss: Loss
  /// How parameters follow from gradients.
  public let optimizer: any Optimizer
  /// What is done with gradients and parameters besides.
  public let options: TrainingOptions
  /// What is shown beside the loss.
  public let metrics: [Metric]
  /// Where the graphs run.
  public let backend: any Backend
  /// Decides first values, shuffling and dropout.
  public let seed: UInt64
  /// The learning rate of the next step; begins as the optimizer's.
  public var learningRate: Double
  /// The learning rate at which training begins, of which a schedule gives parts.
  public let firstLearningRate: Double
  /// How many times training has gone through its data, loaded checkpoints included.
  public internal(set) var epoch = 0

  var state: ModelState
  private let location: Location
  private var programs: [ProgramKey: Program] = [:]

  private struct ProgramKey: Hashable {
    var purpose: Purpose
    var example: ExampleSignature
    var batch: Int
  }

  /// The most examples in a batch, epochs and batches in an update: positions and numbers of steps can be added and
  /// multiplied below it.
  static let most = 0x7FFF_FFFF

  enum Purpose: Hashable {
    case training
    case accumulation
    case update
    case evaluation
    case confusion
    case prediction
    case layerOutputs
    case probe

    /// Whether parameters are meant as they are, and not their running means.
    var isTraining: Bool {
      switch self {
      case .training, .accumulation, .update, .probe: true
      case .evaluation, .confusion, .prediction, .layerOutputs: false
      }
    }
  }

  /// Makes a trainer of a model whose parameters have their first values.
  ///
  /// - Parameters:
  ///   - learningRate: The learning rate at which training begins, in place of the optimizer's.
  ///   - options: What is done with gradients and parameters besides; nothing unless told otherwise.
  ///   - metrics: What is shown beside the loss; by default what the loss suggests.
  ///   - seed: Decides first values, shuffling and dropout: the same seed gives the same result.
  ///   - backend: Where the graphs run: native code on all cores unless told otherwise.
  /// - Throws: when the optimizer's numbers make no sense.
  public init(
    _ model: some Layer, loss: Loss, optimizer: some Optimizer, learningRate: Double? = nil,
    options: TrainingOptions = TrainingOptions(), metrics: [Metric]? = nil, seed: UInt64 = 0,
    backend: any Backend = defaultBackend(), file: String = #fileID, line: Int = #line
  ) throws(Diagnostics) {
    location = Location(file: file, line: line)
    let rateProblem = learningRate.flatMap { learningRateProblem($0) }
    if let problem = rateProblem ?? optimizer.anyProblem ?? options.problem {
      throw Diagnostics([Diagnostic(.argument, problem, at: location)])
    }
    self.model = model
    self.loss = loss
    self.optimizer = optimizer
    self.options = options
    self.metrics = metrics ?? loss.defaultMetrics
    self.seed = seed
    self.backend = backend
    firstLearningRate = learningRate ?? optimizer.learningRate
    self.learningRate = firstLearningRate
    state = ModelState(seed: seed)
  }

  // MARK: Graphs

  /// The graph of a training step for a batch.
  package func trainingGraph(
    _ example: ExampleSignature, batch: Int, withGradients: Bool = false
  ) throws(Diagnostics) -> StepGraph {
    try tracer(example, batch).training(withGradients: withGradients)
  }

  /// The graph that adds a batch's gradients to those of the batches before it, and changes no parameter.
  package func accumulationGraph(
    _ example: ExampleSignature, batch: Int
  ) throws(Diagnostics) -> StepGraph {
    try tracer(example, batch).accumulation()
  }

  /// The graph that changes the parameters by the gradients that were summed up, which are zeros then.
  package func updateGraph(_ example: ExampleSignature) throws(Diagnostics) -> StepGraph {
    try tracer(example, 1).update()
  }

  /// The graph of the number whose gradient a training step follows.
  package func objectiveGraph(
    _ example: ExampleSignature, batch: Int
  ) throws(Diagnostics) -> StepGraph {
    try tracer(example, batch).objective()
  }

  /// The graph that sums loss and metrics over a batch.
  package func evaluationGraph(
    _ example: ExampleSignature, batch: Int
  ) throws(Diagnostics) -> StepGraph {
    try tracer(example, batch).evaluation()
  }

  /// The graph that gives the model's outputs for a batch.
  package func predictionGraph(
    _ example: ExampleSignature, batch: Int
  ) throws(Diagnostics) -> StepGraph {
    try tracer(example, batch).prediction()
  }

  /// The present or first values of a graph's inputs but for the batch, by name.
  package func initialValues(_ step: StepGraph) -> [String: Literal] {
    var values = [StepTracer.learningRateName: Literal([], [learningRate])]
    for (name, _, first) in state.firstValues(step) {
      values[name] = (state[name] ?? first()).literal()
    }
    let names = Set(step.graph.inputs.map(\.name))
    return values.filter { names.contains($0.key) }
  }

  func tracer(
    _ example: ExampleSignature, _ batch: Int, metrics: [Metric]? = nil
  ) throws(Diagnostics) -> StepTracer {
    guard batch >= 1 else {
      throw Diagnostics([
        Diagnostic(.argument, "a batch of \(batch) examples", hint: "a batch has at least one")
      ])
    }
    return StepTracer(
      model: model, loss: loss, optimizer: optimizer, options: options,
      metrics: metrics ?? self.metrics, example: example, batch: batch, location: location)
  }

  /// The compiled graph for a purpose and a size of batch; made at the first use.
  func program(
    _ purpose: Purpose, _ example: ExampleSignature, batch: Int
  ) throws(Diagnostics) -> Program {
    let key = ProgramKey(purpose: purpose, example: example, batch: batch)
    if let program = programs[key] { return program }
    let step =
      switch purpose {
      case .training: try trainingGraph(example, batch: batch)
      case .accumulation: try accumulationGraph(example, batch: batch)
      case .update: try updateGraph(example)
      case .evaluation: try evaluationGraph(example, batch: batch)
      case .confusion: try tracer(example, batch, metrics: [.confusion]).evaluation()
      case .prediction: try predictionGraph(example, batch: batch)
      case .layerOutputs: try tracer(example, batch).layerOutputs()
      case .probe: try tracer(example, batch).probe(elements: 4096)
      }
    let program = try program(of: step, purpose, example, batch: batch)
    programs[key] = program
    return program
  }

  /// A graph, compiled and bound to the state, to which it adds what it needs.
  func program(
    of step: StepGraph, _ purpose: Purpose, _ example: ExampleSignature, batch: Int
  ) throws(Diagnostics) -> Program {
    try state.add(step)
    return try Diagnostics.collecting { () throws(Diagnostic) in
      try Program(
        step, state: state, usingAverages: !purpose.isTraining,
        example: example, batch: batch, backend: backend)
    }
  }

  /// The memory of the state and of all programs compiled so far, planned before they run: what training takes, beside
  /// the examples; nil where the backend plans none.
  package var plannedBytes: Int? {
    programs.values.reduce(state.bytes) { sum, program in
      sum.flatMap { sum in program.ownBytes.map { sum + $0 } }
    }
  }

  /// Makes the state of a model for the given examples, so that it can be loaded or looked at before training.
  func prepareState(_ example: ExampleSignature) throws(Diagnostics) {
    if options.accumulation > 1 {
      try state.add(try accumulationGraph(example, batch: 1))
      try state.add(try updateGraph(example))
    } else {
      try state.add(try trainingGraph(example, batch: 1))
    }
  }

  // MARK: Parameters

  /// The parameters' names in the order in which the model uses them; empty before the first use of data.
  public var parameterNames: [String] {
    state.entries.filter { $0.role == .parameter }.map(\.name)
  }

  /// The present value of a parameter or of state; nil when there is none of the name.
  public func value(of name: String) -> Literal? { state[name]?.literal() }
}
