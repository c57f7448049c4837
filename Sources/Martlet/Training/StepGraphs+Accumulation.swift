import GraphIR

/// An update from the gradients of several batches, as two graphs: one adds a batch's gradients to the sums, the other
/// changes the parameters by the mean and begins the sums anew.
extension StepTracer {
  /// What the names of sums begin with.
  static let sumPrefix = "gradient_sum."
  private static func sumName(_ parameter: String) -> String { sumPrefix + parameter }
  private static let updateCountName = "optimizer.updates"

  /// Forward, loss and backward: the sums of gradients grow by those of a batch, parameters stay as they are.
  ///
  /// The random state goes on, so that each batch has a dropout of its own.
  func accumulation() throws(Diagnostics) -> StepGraph {
    try backward("accumulation") { parameters, gradients, step in
      let context = step.context
      for (parameter, gradient) in zip(parameters, gradients) {
        at("accumulation.\(parameter.name)", context) {
          let name = StepTracer.sumName(parameter.name)
          let old = context.input(name, parameter.type, at: location)
          // A mean's gradient weighs as much as it has examples.
          let share = loss.reduction == .sum ? gradient : gradient * Double(batch)
          step.donate(old, name, to: old + share)
          step.kept.append(StepGraph.KeptTensor(name: name, type: parameter.type, begins: nil))
        }
      }
      at("accumulation", context) {
        countStep(context.randomStateTensor(at: location), &step)
      }
    }
  }

  /// The update of the parameters by the sums of gradients, which are zeros afterwards.
  ///
  /// Inputs: parameters, sums, state, the number of examples, of updates so far, and the learning rate.
  func update() throws(Diagnostics) -> StepGraph {
    let parameters = try accumulation().variables.filter { isTrained($0) }
    let context = context("update", .training)
    var kept: [StepGraph.KeptTensor] = []
    let graph = try context.trace(at: location) { context in
      var step = StepUnderWay(context: context)
      let tensors = parameters.map { context.input($0.name, $0.type, at: location) }
      let sums = parameters.map {
        context.input(StepTracer.sumName($0.name), $0.type, at: location)
      }
      let scalar = TensorType(.f64, [])
      let updates = context.input(StepTracer.updateCountName, scalar, at: location)
      let gradients = at("accumulation", context) {
        step.kept.append(
          StepGraph.KeptTensor(name: StepTracer.updateCountName, type: scalar, begins: nil))
        for (parameter, sum) in zip(parameters, sums) {
          let zeros = Tensor.filled(0.0, parameter.type.shape.extents, parameter.type.dtype)
          step.donate(sum, StepTracer.sumName(parameter.name), to: zeros)
        }
        guard loss.reduction != .sum else { return sums }
        let count = context.input(StepTracer.exampleCountName, scalar, at: location)
        return sums.map { $0 / count.converted(to: $0.dtype) }
      }
      let (rate, number) = at("optimizer", context) {
        (context.input(StepTracer.learningRateName, scalar, at: location), updates + 1)
      }
      apply(gradients, to: Array(zip(parameters, tensors)), rate: rate, number: number, &step)
      step.donate(updates, StepTracer.updateCountName, to: number)
      kept = step.kept
      return context.finish(step.results, donations: step.donations, at: location)
    }
    return StepGraph(graph: graph, variables: parameters, optimizerState: kept)
  }
}
