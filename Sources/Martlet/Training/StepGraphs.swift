import GraphIR

/// What one example of a data set looks like: the names and types of a graph's data inputs, without the batch.
public struct ExampleSignature: Hashable, Sendable {
  /// The name of the model's input: `image`.
  public var inputName: String
  /// The type of one input: `f32[28,28,1]`.
  public var input: TensorType
  /// The name of the label.
  public var labelName: String
  /// The type of one label: `i32`.
  public var label: TensorType

  /// Makes a signature.
  public init(
    inputName: String = "input", input: TensorType, labelName: String = "label",
    label: TensorType
  ) {
    self.inputName = inputName
    self.input = input
    self.labelName = labelName
    self.label = label
  }

  func batchedInput(_ count: Int) -> TensorType {
    TensorType(input.dtype, Shape([count] + input.shape.extents))
  }

  func batchedLabel(_ count: Int) -> TensorType {
    TensorType(label.dtype, Shape([count] + label.shape.extents))
  }
}

/// A traced graph together with what its inputs are.
package struct StepGraph: Sendable {
  /// The graph.
  package let graph: Graph
  /// Parameters and untrained state, which are inputs by their names.
  package let variables: [Variable]
  /// What the optimizer and the running means keep from step to step.
  package let optimizerState: [KeptTensor]
  /// The integers that labels may be; nil where they may be anything.
  var labelRange: ClosedRange<Int>? = nil

  /// An input that a training step keeps beside a parameter.
  package struct KeptTensor: Sendable {
    /// The name of the input.
    package let name: String
    /// Its type, which is the parameter's.
    package let type: TensorType
    /// The parameter as which it begins; nil when it begins at 0.
    let begins: Variable?
  }

  /// What an input of a training step or a prediction is for.
  package enum InputRole: String, Hashable, Sendable, CaseIterable {
    /// A parameter that is trained.
    case weights
    /// What the optimizer keeps for each parameter.
    case optimizerState
    /// What else lives from step to step: statistics of normalization, the random state.
    case otherState
    /// The batch, and the numbers of a step.
    case data
  }

  /// What each input is for, in the graph's order.
  package var inputRoles: [InputRole] {
    var roles: [String: InputRole] = [TraceContext.randomStateName: .otherState]
    for variable in variables { roles[variable.name] = variable.isTrained ? .weights : .otherState }
    for state in optimizerState { roles[state.name] = .optimizerState }
    return graph.inputs.map { roles[$0.name] ?? .data }
  }
}

/// Traces the graphs of a model: a step of training, the evaluation of a batch, and the prediction for one.
struct StepTracer {
  static let learningRateName = "learning_rate"
  static let lossName = "loss"
  static let exampleCountName = "examples"

  let model: any Layer
  let loss: Loss
  let optimizer: any Optimizer
  let options: TrainingOptions
  let metrics: [Metric]
  let example: ExampleSignature
  let batch: Int
  /// The line that made the trainer: the loss, the metrics and the optimizer have no other.
  let location: Location

  /// A whole step: forward, loss, backward, update.
  ///
  /// Parameters and state are donated to their new values.
  ///
  /// Inputs: the batch, parameters, state, random state and learning rate. Outputs: the mean loss and metrics,
  /// then the new values under the inputs' names, then the gradients (`gradient.conv1.filter`) if asked for.
  func training(withGradients: Bool) throws(Diagnostics) -> StepGraph {
    try backward("training", withGradients: withGradients) { parameters, gradients, step in
      apply(gradients, to: parameters, &step)
    }
  }

  /// The number whose gradient a step follows, in training mode.
  func objective() throws(Diagnostics) -> StepGraph {
    let context = context("objective", .training)
    let graph = try context.trace(at: location) { context in
      let (output, label) = forward(context)
      var followed: Tensor?
      _ = measures(context, output, label) { name, values in
        if followed == nil { followed = loss.reduced(values, loss.reduction) }
        return (name, values)
      }
      return context.finish([(StepTracer.lossName, followed ?? output)], at: location)
    }
    return StepGraph(graph: graph, variables: context.variables, optimizerState: [])
  }

  /// A step as far as its gradients, with what a body makes of them.
  func backward(
    _ purpose: String, withGradients: Bool = false,
    _ body: ([Variable], [Tensor], inout StepUnderWay) -> Void
  ) throws(Diagnostics) -> StepGraph {
    let context = context(purpose, .training)
    var kept: [StepGraph.KeptTensor] = []
    var labelRange: ClosedRange<Int>?
    let graph = try context.trace(at: location) { context in
      let (output, label) = forward(context)
      var followed: Tensor?
      var step = StepUnderWay(context: context)
      step.results = measures(context, output, label) { name, values in
        if followed == nil { followed = loss.reduced(values, loss.reduction) }
        return (name, values.mean(0))
      }
      labelRange = self.labelRange(output, label)
      if output.type != nil { requireNamedParameters(context) }
      let trained = context.variables.filter { isTrained($0) }
      let gradients = gradients(of: followed ?? step.results[0].tensor, trained, context)
      if gradients.count == trained.count { body(trained, gradients, &step) }
      for variable in context.variables where !variable.isTrained {
        if let updated = variable.updated {
          step.donate(context.tensor(of: variable), variable.name, to: updated)
        }
      }
      if withGradients {
        for (parameter, gradient) in zip(trained, gradients) {
          step.results.append(("gradient.\(parameter.name)", gradient))
        }
      }
      kept = step.kept
      return context.finish(step.results, donations: step.donations, at: location)
    }
    return StepGraph(
      graph: graph, variables: context.variables, optimizerState: kept, labelRange: labelRange)
  }

  /// The sums over the batch of losses (`loss.sum`) and metrics (`accuracy.sum`).
  func evaluation() throws(Diagnostics) -> StepGraph {
    let context = context("evaluation", .inference)
    var labelRange: ClosedRange<Int>?
    let graph = try context.trace(at: location) { context in
      let (output, label) = forward(context)
      labelRange = self.labelRange(output, label)
      let results = measures(context, output, label) { name, values in
        ("\(name).sum", values.sum(0))
      }
      return context.finish(results, at: location)
    }
    return StepGraph(
      graph: graph, variables: context.variables, optimizerState: [], labelRange: labelRange)
  }

  /// The model's outputs for a batch, as they are and as what they mean.
  func prediction() throws(Diagnostics) -> StepGraph {
    let context = context("prediction", .inference)
    let graph = try context.trace(at: location) { context in
      let output = model(input(context))
      var results = [(name: loss.outputName, tensor: output)]
      if let interpretation = loss.interpretation {
        let tensor = at(interpretation.name, context) { interpretation.function(output) }
        results.append((interpretation.name, tensor))
      }
      return context.finish(results, at: location)
    }
    return StepGraph(graph: graph, variables: context.variables, optimizerState: [])
  }

  // MARK: Parts

  func context(_ purpose: String, _ mode: Mode) -> TraceContext {
    let name = "\(type(of: model))".prefix {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")
    }
    return TraceContext(name: "\(name).\(purpose)", mode: mode, model: model, at: location)
  }

  func input(_ context: TraceContext) -> Tensor {
    context.input(example.inputName, example.batchedInput(batch), at: location)
  }

  func forward(_ context: TraceContext) -> (output: Tensor, label: Tensor) {
    let input = input(context)
    let label = context.input(example.labelName, example.batchedLabel(batch), at: location)
    return (model(input), label)
  }

  private func labelRange(_ output: Tensor, _ label: Tensor) -> ClosedRange<Int>? {
    guard let output = output.type, let label = label.type else { return nil }
    return loss.labelRange(output, label)
  }

  func at<Result>(_ path: String, _ context: TraceContext, _ body: () -> Result) -> Result {
    context.pinned(at: Location(file: location.file, line: location.line, path: path), body)
  }

  /// The loss and the metrics, each computed from floats for each example.
  func measures(
    _ context: TraceContext, _ output: Tensor, _ label: Tensor,
    _ summarize: (String, Tensor) -> (name: String, tensor: Tensor)
  ) -> [(name: String, tensor: Tensor)] {
    func measure(
      _ name: String, _ path: String, ranks: ClosedRange<Int>, _ terms: (Tensor, Tensor) -> Tensor
    ) -> (name: String, tensor: Tensor) {
      at(path, context) {
        let values = terms(output, label)
        guard let type = values.type else { return summarize(name, values) }
        guard ranks.contains(type.shape.rank), type.shape[0] == batch, type.dtype.isFloat else {
          let diagnostic = Diagnostic(
            .shapeMismatch,
            "\(path) must give a float for each of \(batch) examples, it is \(type)",
            at: location)
          return summarize(name, context.fail(diagnostic))
        }
        return summarize(name, values)
      }
    }
    return [measure(StepTracer.lossName, "loss", ranks: 1...1, loss.perExample)]
      + metrics.map { metric in
        measure(metric.name, "metrics.\(metric.name)", ranks: 1...2) { metric.terms($0, $1, loss) }
      }
  }
}
