import GraphIR

/// What a step gives, as far as it is traced.
struct StepUnderWay {
  let context: TraceContext
  /// The outputs.
  var results: [(name: String, tensor: Tensor)] = []
  /// Which inputs become which outputs.
  var donations: [(input: Value, output: Int)] = []
  /// What the step keeps beside parameters and untrained state.
  var kept: [StepGraph.KeptTensor] = []

  /// Adds the new value of an input to the outputs.
  mutating func donate(_ input: Tensor, _ name: String, to new: Tensor) {
    if case .traced(let value, _, _) = input.storage { donations.append((value, results.count)) }
    results.append((name, new))
  }
}

/// The backward half of a training step: gradients, and what becomes of parameters and the optimizer's state.
extension StepTracer {
  /// Whether a step changes a variable by its gradient.
  func isTrained(_ variable: Variable) -> Bool {
    variable.isTrained && options.group(of: variable.name)?.isFrozen != true
  }

  /// Records each group that names none of the model's parameters: a name that is misspelled would freeze nothing.
  func requireNamedParameters(_ context: TraceContext) {
    let names = context.variables.filter(\.isTrained).map(\.name)
    for group in options.groups where !names.contains(where: { group.contains($0) }) {
      let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
      context.record(
        Diagnostic(
          .name, "the group '\(group.path)' names no parameter", at: location,
          hint: "the parameters are \(shown)"))
    }
  }

  /// Traces the backward pass; gives no gradients when something is wrong.
  func gradients(
    of loss: Tensor, _ parameters: [Variable], _ context: TraceContext
  ) -> [Tensor] {
    if parameters.isEmpty, loss.type != nil {
      context.record(
        Diagnostic(.argument, "\(type(of: model)) has no parameters to train", at: location))
    }
    return at("loss", context) {
      context.gradients(
        of: loss, withRespectTo: parameters.map { context.tensor(of: $0) }, at: location)
    }
  }

  /// Traces the updates of parameters by their gradients, and the count of steps.
  func apply(_ gradients: [Tensor], to parameters: [Variable], _ step: inout StepUnderWay) {
    let context = step.context
    let (rate, randomState, number) = at("optimizer", context) {
      let rate = context.input(StepTracer.learningRateName, TensorType(.f64, []), at: location)
      let state = context.randomStateTensor(at: location)
      return (rate, state, (state[1] + 1).converted(to: .f64))
    }
    apply(
      gradients, to: parameters.map { ($0, context.tensor(of: $0)) }, rate: rate, number: number,
      &step)
    at("optimizer", context) { countStep(randomState, &step) }
  }

  /// Traces the updates of parameters, given with their tensors, in the update of a number.
  func apply(
    _ gradients: [Tensor], to parameters: [(variable: Variable, tensor: Tensor)], rate: Tensor,
    number: Tensor, _ step: inout StepUnderWay
  ) {
    let context = step.context
    let used = at("optimizer.clipping", context) {
      options.clipping?.clipped(gradients) ?? gradients
    }
    let rules = at("optimizer", context) {
      UpdateRules(optimizer, options, learningRate: rate, step: number)
    }
    for ((parameter, tensor), gradient) in zip(parameters, used) {
      at("optimizer.\(parameter.name)", context) {
        let names = optimizer.stateNames.map { "optimizer.\($0).\(parameter.name)" }
        let state = names.map { context.input($0, parameter.type, at: location) }
        let new = rules[parameter.name](tensor, gradient, state)
        step.donate(tensor, parameter.name, to: new.parameter)
        average(parameter, new.parameter, &step)
        for (name, (old, new)) in zip(names, zip(state, new.state)) {
          step.donate(old, name, to: new)
          step.kept.append(StepGraph.KeptTensor(name: name, type: parameter.type, begins: nil))
        }
      }
    }
  }

  /// Traces the random state of the next step: `(seed, step) + (0, 1)`.
  func countStep(_ randomState: Tensor, _ step: inout StepUnderWay) {
    step.donate(
      randomState, TraceContext.randomStateName, to: randomState + Tensor.iota([2], .u64))
  }

  /// Traces the running mean of a parameter, which begins as the parameter does.
  private func average(_ parameter: Variable, _ new: Tensor, _ step: inout StepUnderWay) {
    guard let share = options.averaging else { return }
    let name = StepTracer.averageName(parameter.name)
    let old = step.context.input(name, parameter.type, at: location)
    step.donate(old, name, to: old + (new - old) * (1 - share))
    step.kept.append(StepGraph.KeptTensor(name: name, type: parameter.type, begins: parameter))
  }

  /// What the names of running means begin with.
  static let averagePrefix = "average."
  /// The name of the running mean of a parameter.
  static func averageName(_ parameter: String) -> String { averagePrefix + parameter }
}
