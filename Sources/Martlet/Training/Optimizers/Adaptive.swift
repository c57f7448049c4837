import GraphIR

/// Steps that shrink with the squares of all gradients so far (Duchi, Hazan and Singer, "Adaptive subgradient methods",
/// JMLR 12, 2011): `s += g²; p -= rate * g / (sqrt(s) + epsilon)`.
public struct AdaGrad: Optimizer {
  /// The learning rate.
  public let learningRate: Double
  /// What keeps the divisor from 0.
  public let epsilon: Double
  /// What pulls parameters towards 0.
  public let weightDecay: WeightDecay

  /// Makes the optimizer.
  public init(
    learningRate: Double = 0.01, epsilon: Double = 1e-10, weightDecay: WeightDecay = .none
  ) {
    self.learningRate = learningRate
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The sum of squared gradients.
  public var stateNames: [String] { ["squares"] }
  /// What is wrong with the numbers given.
  public var problem: String? { Martlet.problem(ofEpsilon: epsilon) }

  /// The update of one parameter.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    { parameter, gradient, state in
      let squares = state[0] + gradient.squared()
      let rate = learningRate.converted(to: parameter.dtype)
      return (parameter - gradient * rate / (squares.sqrt() + epsilon), [squares])
    }
  }
}

/// Steps that shrink with a running mean of squared gradients (Hinton, Srivastava and Swersky, "Neural networks for
/// machine learning", lecture 6e, 2012): `s = decay * s + (1 - decay) * g²; p -= rate * g / (sqrt(s) + epsilon)`.
public struct RMSProp: Optimizer {
  /// The learning rate.
  public let learningRate: Double
  /// The share of the mean of squared gradients that stays: from 0 to below 1.
  public let decay: Double
  /// What keeps the divisor from 0.
  public let epsilon: Double
  /// What pulls parameters towards 0.
  public let weightDecay: WeightDecay

  /// Makes the optimizer.
  public init(
    learningRate: Double = 0.001, decay: Double = 0.9, epsilon: Double = 1e-8,
    weightDecay: WeightDecay = .none
  ) {
    self.learningRate = learningRate
    self.decay = decay
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The mean of squared gradients.
  public var stateNames: [String] { ["squares"] }
  /// What is wrong with the numbers given.
  public var problem: String? {
    Martlet.problem(ofShares: [("the decay", decay)]) ?? Martlet.problem(ofEpsilon: epsilon)
  }

  /// The update of one parameter.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    { parameter, gradient, state in
      let squares = state[0] * decay + gradient.squared() * (1 - decay)
      let rate = learningRate.converted(to: parameter.dtype)
      return (parameter - gradient * rate / (squares.sqrt() + epsilon), [squares])
    }
  }
}

/// Steps in the parameter's own unit, from running means of squared gradients and of squared steps (Zeiler, "ADADELTA: an
/// adaptive learning rate method", 2012): `s = decay * s + (1 - decay) * g²; d = sqrt(u + epsilon) / sqrt(s + epsilon) * g;`
/// `u = decay * u + (1 - decay) * d²; p -= rate * d`.
public struct Adadelta: Optimizer {
  /// The learning rate: 1 in the paper, which has none.
  public let learningRate: Double
  /// The share of the means that stays: from 0 to below 1.
  public let decay: Double
  /// What keeps the divisor from 0, and begins the motion.
  public let epsilon: Double
  /// What pulls parameters towards 0.
  public let weightDecay: WeightDecay

  /// Makes the optimizer.
  public init(
    learningRate: Double = 1, decay: Double = 0.9, epsilon: Double = 1e-6,
    weightDecay: WeightDecay = .none
  ) {
    self.learningRate = learningRate
    self.decay = decay
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The means of squared gradients and of squared steps.
  public var stateNames: [String] { ["squares", "steps"] }
  /// What is wrong with the numbers given.
  public var problem: String? {
    Martlet.problem(ofShares: [("the decay", decay)]) ?? Martlet.problem(ofEpsilon: epsilon)
  }

  /// The update of one parameter.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    { parameter, gradient, state in
      let squares = state[0] * decay + gradient.squared() * (1 - decay)
      let step = (state[1] + epsilon).sqrt() / (squares + epsilon).sqrt() * gradient
      let steps = state[1] * decay + step.squared() * (1 - decay)
      let rate = learningRate.converted(to: parameter.dtype)
      return (parameter - step * rate, [squares, steps])
    }
  }
}
