import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015):
/// `m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g²;`
/// `p -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)`, with t the number of the step from 1.
public struct Adam: Optimizer {
  /// The learning rate.
  public let learningRate: Double
  /// The share of the mean of gradients that stays: from 0 to below 1.
  public let beta1: Double
  /// The share of the mean of squared gradients that stays: from 0 to below 1.
  public let beta2: Double
  /// What keeps the divisor from 0.
  public let epsilon: Double
  /// What pulls parameters towards 0.
  public let weightDecay: WeightDecay

  /// Makes the optimizer.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: WeightDecay = .none
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The means of gradients and of squared gradients.
  public var stateNames: [String] { ["first_moment", "second_moment"] }
  /// What is wrong with the numbers given.
  public var problem: String? {
    Martlet.problem(ofShares: [("beta1", beta1), ("beta2", beta2)])
      ?? Martlet.problem(ofEpsilon: epsilon)
  }

  /// The corrections of this step, shared by all parameters, and the update of one.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    let rate = learningRate / correction(beta1, step)
    let scale = correction(beta2, step).rsqrt()
    return { parameter, gradient, state in
      let dtype = parameter.dtype
      let first = state[0] * beta1 + gradient * (1 - beta1)
      let second = state[1] * beta2 + gradient.squared() * (1 - beta2)
      let divisor = second.sqrt() * scale.converted(to: dtype) + epsilon
      return (parameter - first * rate.converted(to: dtype) / divisor, [first, second])
    }
  }
}

/// Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019).
public struct AdamW: Optimizer {
  private let adam: Adam

  /// Makes the optimizer.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0.01
  ) {
    adam = Adam(
      learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weightDecay: .decoupled(weightDecay))
  }

  /// The learning rate.
  public var learningRate: Double { adam.learningRate }
  /// What pulls parameters towards 0.
  public var weightDecay: WeightDecay { adam.weightDecay }
  /// The means of gradients and of squared gradients.
  public var stateNames: [String] { adam.stateNames }
  /// What is wrong with the numbers given.
  public var problem: String? { adam.problem }

  /// The corrections of this step, shared by all parameters, and the update of one.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    adam.rule(learningRate: learningRate, step: step)
  }
}

/// Adam with the greatest of past gradients in place of their mean square (Kingma and Ba, "Adam", ICLR 2015, section
/// 7.1): `m = beta1 * m + (1 - beta1) * g; u = max(beta2 * u, |g| + epsilon); p -= rate / (1 - beta1^t) * m / u`.
public struct Adamax: Optimizer {
  /// The learning rate.
  public let learningRate: Double
  /// The share of the mean of gradients that stays: from 0 to below 1.
  public let beta1: Double
  /// The share of the greatest gradient that stays: from 0 to below 1.
  public let beta2: Double
  /// What keeps the divisor from 0.
  public let epsilon: Double
  /// What pulls parameters towards 0.
  public let weightDecay: WeightDecay

  /// Makes the optimizer.
  public init(
    learningRate: Double = 0.002, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: WeightDecay = .none
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// The mean of gradients, and the greatest of them.
  public var stateNames: [String] { ["first_moment", "greatest"] }
  /// What is wrong with the numbers given.
  public var problem: String? {
    Martlet.problem(ofShares: [("beta1", beta1), ("beta2", beta2)])
      ?? Martlet.problem(ofEpsilon: epsilon)
  }

  /// The correction of this step, shared by all parameters, and the update of one.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    let rate = learningRate / correction(beta1, step)
    return { parameter, gradient, state in
      let first = state[0] * beta1 + gradient * (1 - beta1)
      let greatest = (state[1] * beta2).maximum(gradient.abs() + epsilon)
      let step = first * rate.converted(to: parameter.dtype) / greatest
      return (parameter - step, [first, greatest])
    }
  }
}

/// `1 - beta^step`: what a running mean that begins at 0 lacks.
private func correction(_ beta: Double, _ step: Tensor) -> Tensor {
  // As -expm1(step * log(beta)): the plain form would lose digits in the first steps.
  -(step * log(beta)).expm1()
}
