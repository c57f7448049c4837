import GraphIR

/// The update of each parameter in one step: the optimizer's rule, with weight decay and the parameter's group.
///
/// What a rule computes from the learning rate is traced once for all parameters that share it.
final class UpdateRules {
  private let optimizer: any Optimizer
  private let options: TrainingOptions
  private let learningRate: Tensor
  private let step: Tensor
  private var rules: [Treatment: UpdateRule] = [:]

  private struct Treatment: Hashable {
    var learningRateFactor: Double
    var weightDecay: WeightDecay
  }

  init(_ optimizer: any Optimizer, _ options: TrainingOptions, learningRate: Tensor, step: Tensor) {
    self.optimizer = optimizer
    self.options = options
    self.learningRate = learningRate
    self.step = step
  }

  /// The update of the parameter of a name.
  subscript(parameter: String) -> UpdateRule {
    let group = options.group(of: parameter)
    let treatment = Treatment(
      learningRateFactor: group?.learningRateFactor ?? 1,
      weightDecay: group?.weightDecay ?? optimizer.weightDecay)
    if let known = rules[treatment] { return known }
    let factor = treatment.learningRateFactor
    let rate = factor == 1 ? learningRate : learningRate * factor
    let rule = treatment.weightDecay.decaying(
      learningRate: rate, optimizer.rule(learningRate: rate, step: step))
    rules[treatment] = rule
    return rule
  }
}
