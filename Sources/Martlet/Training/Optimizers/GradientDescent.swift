import GraphIR

/// Gradient descent: `p -= rate * g` (Cauchy, 1847).
///
/// With all examples in one batch it is batch gradient descent.
public struct GradientDescent: Optimizer {
  /// The learning rate.
  public let learningRate: Double
  /// What pulls parameters towards 0.
  public let weightDecay: WeightDecay

  /// Makes the optimizer.
  public init(learningRate: Double, weightDecay: WeightDecay = .none) {
    self.learningRate = learningRate
    self.weightDecay = weightDecay
  }

  /// Nothing is kept.
  public var stateNames: [String] { [] }
  /// Nothing else can be wrong.
  public var problem: String? { nil }

  /// The update of one parameter.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    { parameter, gradient, _ in
      (parameter - gradient * learningRate.converted(to: parameter.dtype), [])
    }
  }
}

/// Gradient descent with momentum b (Polyak, "Some methods of speeding up the convergence of iteration methods", 1964).
///
/// With `nesterov` the step looks ahead along the velocity (Nesterov, 1983, as in Sutskever et al., "On the importance of
/// initialization and momentum in deep learning", ICML 2013).
public struct SGD: Optimizer {
  /// What the velocity v is; the forms differ once the learning rate a changes.
  public enum Form: Hashable, Sendable {
    /// A sum of gradients, as in PyTorch: `v = b v + g; p -= a v`.
    case gradients
    /// A sum of steps: `v = b v - a g; p += v` (Rumelhart, Hinton and Williams, 1986).
    case steps
    /// A mean of gradients: `v = b v + (1 - b) g; p -= a v`.
    case mean
  }

  /// The learning rate.
  public let learningRate: Double
  /// The share of the velocity that stays: from 0 to below 1.
  public let momentum: Double
  /// What the velocity is.
  public let form: Form
  /// Whether the step looks ahead along the velocity.
  public let nesterov: Bool
  /// What pulls parameters towards 0.
  public let weightDecay: WeightDecay

  /// Makes the optimizer.
  public init(
    learningRate: Double, momentum: Double = 0.9, form: Form = .gradients, nesterov: Bool = false,
    weightDecay: WeightDecay = .none
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.form = form
    self.nesterov = nesterov
    self.weightDecay = weightDecay
  }

  /// The velocity.
  public var stateNames: [String] { ["velocity"] }
  /// What is wrong with the momentum.
  public var problem: String? {
    (0..<1).contains(momentum) ? nil : "the momentum \(momentum) is not in 0..<1"
  }

  /// The update of one parameter.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    { parameter, gradient, state in
      let rate = learningRate.converted(to: parameter.dtype)
      let addition =
        switch form {
        case .gradients: gradient
        case .steps: -(gradient * rate)
        case .mean: gradient * (1 - momentum)
        }
      let velocity = state[0] * momentum + addition
      let direction = nesterov ? velocity * momentum + addition : velocity
      return (form == .steps ? parameter + direction : parameter - direction * rate, [velocity])
    }
  }
}
