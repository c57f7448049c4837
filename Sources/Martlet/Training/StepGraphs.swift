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
  /// The optimizer's state: names of inputs and their types.
  package let optimizerState: [(name: String, type: TensorType)]

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

  let model: any Layer
  let loss: Loss
  let optimizer: any Optimizer
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
    let context = context("training", .training)
    var optimizerState: [(name: String, type: TensorType)] = []
    let graph = try context.trace(at: location) { context in
      let (output, label) = forward(context)
      var results = measures(context, output, label) { name, values in (name, values.mean()) }
      let meanLoss = results[0].tensor
      var donations: [(input: Value, output: Int)] = []
      func donate(_ input: Tensor, _ name: String, to new: Tensor) {
        if case .traced(let value, _, _) = input.storage {
          donations.append((value, results.count))
        }
        results.append((name, new))
      }
      let gradients = update(context, loss: meanLoss, &optimizerState, donate)
      for variable in context.variables where !variable.isTrained {
        if let updated = variable.updated {
          donate(context.tensor(of: variable), variable.name, to: updated)
        }
      }
      if withGradients {
        for (variable, gradient) in zip(context.variables.filter(\.isTrained), gradients) {
          results.append(("gradient.\(variable.name)", gradient))
        }
      }
      return context.finish(results, donations: donations, at: location)
    }
    return StepGraph(graph: graph, variables: context.variables, optimizerState: optimizerState)
  }

  /// The sums over the batch of losses (`loss.sum`) and metrics (`accuracy.sum`).
  func evaluation() throws(Diagnostics) -> StepGraph {
    let context = context("evaluation", .inference)
    let graph = try context.trace(at: location) { context in
      let (output, label) = forward(context)
      let results = measures(context, output, label) { name, values in ("\(name).sum", values.sum())
      }
      return context.finish(results, at: location)
    }
    return StepGraph(graph: graph, variables: context.variables, optimizerState: [])
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

  private func context(_ purpose: String, _ mode: Mode) -> TraceContext {
    let name = "\(type(of: model))".prefix {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")
    }
    return TraceContext(name: "\(name).\(purpose)", mode: mode, model: model, at: location)
  }

  private func input(_ context: TraceContext) -> Tensor {
    context.input(example.inputName, example.batchedInput(batch), at: location)
  }

  private func forward(_ context: TraceContext) -> (output: Tensor, label: Tensor) {
    let input = input(context)
    let label = context.input(example.labelName, example.batchedLabel(batch), at: location)
    return (model(input), label)
  }

  private func at<Result>(_ path: String, _ context: TraceContext, _ body: () -> Result) -> Result {
    context.pinned(at: Location(file: location.file, line: location.line, path: path), body)
  }

  /// The loss and the metrics, each computed from a float for each example.
  private func measures(
    _ context: TraceContext, _ output: Tensor, _ label: Tensor,
    _ summarize: (String, Tensor) -> (name: String, tensor: Tensor)
  ) -> [(name: String, tensor: Tensor)] {
    func measure(
      _ name: String, _ path: String, _ perExample: (Tensor, Tensor) -> Tensor
    ) -> (name: String, tensor: Tensor) {
      at(path, context) {
        let values = perExample(output, label)
        guard let type = values.type else { return summarize(name, values) }
        guard type.shape.extents == [batch], type.dtype.isFloat else {
          let diagnostic = Diagnostic(
            .shapeMismatch,
            "\(path) must give a float for each of \(batch) examples, it is \(type)",
            at: location)
          return summarize(name, context.fail(diagnostic))
        }
        return summarize(name, values)
      }
    }
    return [measure(StepTracer.lossName, "loss", loss.perExample)]
      + metrics.map { measure($0.name, "metrics.\($0.name)", $0.perExample) }
  }

  /// Traces the backward pass and the updates of all parameters; gives the gradients.
  private func update(
    _ context: TraceContext, loss: Tensor,
    _ optimizerState: inout [(name: String, type: TensorType)],
    _ donate: (Tensor, String, Tensor) -> Void
  ) -> [Tensor] {
    let parameters = context.variables.filter(\.isTrained)
    if parameters.isEmpty, loss.type != nil {
      context.record(
        Diagnostic(.argument, "\(type(of: model)) has no parameters to train", at: location))
    }
    let tensors = parameters.map { context.tensor(of: $0) }
    let gradients = at("loss", context) {
      context.gradients(of: loss, withRespectTo: tensors, at: location)
    }
    guard gradients.count == parameters.count else { return [] }
    let (randomState, rule) = at("optimizer", context) {
      let rate = context.input(StepTracer.learningRateName, TensorType(.f32, []), at: location)
      let state = context.randomStateTensor(at: location)
      let step = (state[1] + 1).converted(to: .f32)
      return (state, optimizer.rule(learningRate: rate, step: step))
    }
    for (parameter, (tensor, gradient)) in zip(parameters, zip(tensors, gradients)) {
      at("optimizer.\(parameter.name)", context) {
        let names = optimizer.stateNames.map { "optimizer.\($0).\(parameter.name)" }
        let state = names.map { context.input($0, parameter.type, at: location) }
        let new = rule(tensor, gradient, state)
        donate(tensor, parameter.name, new.parameter)
        for (name, (old, new)) in zip(names, zip(state, new.state)) {
          donate(old, name, new)
          optimizerState.append((name, parameter.type))
        }
      }
    }
    at("optimizer", context) {
      // (seed, step) + (0, 1)
      donate(randomState, TraceContext.randomStateName, randomState + Tensor.iota([2], .u64))
    }
    return gradients
  }
}
