import GraphIR

/// The backward half of a training step: gradients, and what becomes of parameters and the optimizer's state.
extension StepTracer {
  /// Whether a step changes a variable by its gradient.
  func isTrained(_ variable: Variable) -> Bool {
    variable.isTrained && options.group(of: variable.name)?.isFrozen != true
  }

  /// Traces the backward pass and the updates of parameters; gives their gradients.
  func update(
    _ parameters: [Variable], _ context: TraceContext, loss: Tensor,
    _ optimizerState: inout [StepGraph.KeptTensor],
    _ donate: (Tensor, String, Tensor) -> Void
  ) -> [Tensor] {
    if parameters.isEmpty, loss.type != nil {
      context.record(
        Diagnostic(.argument, "\(type(of: model)) has no parameters to train", at: location))
    }
    let tensors = parameters.map { context.tensor(of: $0) }
    let gradients = at("loss", context) {
      context.gradients(of: loss, withRespectTo: tensors, at: location)
    }
    guard gradients.count == parameters.count else { return [] }
    let (randomState, rate, step) = at("optimizer", context) {
      let rate = context.input(StepTracer.learningRateName, TensorType(.f64, []), at: location)
      let state = context.randomStateTensor(at: location)
      return (state, rate, (state[1] + 1).converted(to: .f64))
    }
    let used = at("optimizer.clipping", context) {
      options.clipping?.clipped(gradients) ?? gradients
    }
    let rules = at("optimizer", context) {
      UpdateRules(optimizer, options, learningRate: rate, step: step)
    }
    for (parameter, (tensor, gradient)) in zip(parameters, zip(tensors, used)) {
      at("optimizer.\(parameter.name)", context) {
        let names = optimizer.stateNames.map { "optimizer.\($0).\(parameter.name)" }
        let state = names.map { context.input($0, parameter.type, at: location) }
        let new = rules[parameter.name](tensor, gradient, state)
        donate(tensor, parameter.name, new.parameter)
        average(parameter, new.parameter, context, &optimizerState, donate)
        for (name, (old, new)) in zip(names, zip(state, new.state)) {
          donate(old, name, new)
          optimizerState.append(StepGraph.KeptTensor(name: name, type: parameter.type, begins: nil))
        }
      }
    }
    at("optimizer", context) {
      // (seed, step) + (0, 1)
      donate(randomState, TraceContext.randomStateName, randomState + Tensor.iota([2], .u64))
    }
    return gradients
  }

  /// Traces the running mean of a parameter, which begins as the parameter does.
  private func average(
    _ parameter: Variable, _ new: Tensor, _ context: TraceContext,
    _ kept: inout [StepGraph.KeptTensor], _ donate: (Tensor, String, Tensor) -> Void
  ) {
    guard let share = options.averaging else { return }
    let name = StepTracer.averageName(parameter.name)
    let old = context.input(name, parameter.type, at: location)
    donate(old, name, old + (new - old) * (1 - share))
    kept.append(StepGraph.KeptTensor(name: name, type: parameter.type, begins: parameter))
  }

  /// The name of the running mean of a parameter.
  static func averageName(_ parameter: String) -> String { "average.\(parameter)" }
}
