/// An optimizer with its usual numbers, by name.
public enum OptimizerName: String, Sendable, CaseIterable {
  /// Gradient descent.
  case sgd
  /// Gradient descent with a momentum of 0.9.
  case momentum
  /// Gradient descent with a momentum of 0.9 that looks ahead.
  case nesterov
  /// AdaGrad.
  case adagrad
  /// RMSProp.
  case rmsprop
  /// Adadelta.
  case adadelta
  /// Adam.
  case adam
  /// Adam with decoupled weight decay.
  case adamw
  /// Adamax.
  case adamax

  /// The optimizer.
  public var optimizer: any Optimizer {
    switch self {
    case .sgd: GradientDescent(learningRate: 0.1)
    case .momentum: SGD(learningRate: 0.01)
    case .nesterov: SGD(learningRate: 0.01, nesterov: true)
    case .adagrad: AdaGrad()
    case .rmsprop: RMSProp()
    case .adadelta: Adadelta()
    case .adam: Adam()
    case .adamw: AdamW()
    case .adamax: Adamax()
    }
  }
}

extension Optimizer {
  /// The same optimizer with a weight decay of another factor, coupled or decoupled as it was.
  public func withWeightDecay(_ factor: Double) -> any Optimizer {
    let decay: WeightDecay =
      switch weightDecay {
      case .coupled: .coupled(factor)
      case .decoupled: .decoupled(factor)
      }
    return DecayingOptimizer(base: self, weightDecay: decay)
  }
}

/// An optimizer with a weight decay in place of its own.
private struct DecayingOptimizer: Optimizer {
  let base: any Optimizer
  let weightDecay: WeightDecay

  var learningRate: Double { base.learningRate }
  var stateNames: [String] { base.stateNames }
  var problem: String? { base.problem }

  func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    base.rule(learningRate: learningRate, step: step)
  }
}
