import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How parameters follow from their gradients.
///
/// It is traced into the training step, not run.
public protocol Optimizer: Sendable {
  /// The learning rate at which training begins; it is an input of the step, so a schedule can change it.
  var learningRate: Double { get }
  /// What is kept for each parameter from step to step, a tensor of its type each, which begins at 0.
  var stateNames: [String] { get }
  /// What is wrong with the numbers given; nil when nothing is.
  var problem: String? { get }

  /// Traces what all parameters share, and gives the rule that updates one.
  ///
  /// - Parameters:
  ///   - learningRate: The rate of this step: f32, a scalar.
  ///   - step: The number of this step, from 1: f32, a scalar.
  func rule(learningRate: Tensor, step: Tensor) -> UpdateRule
}

/// Gives the new value of a parameter and its state from the parameter, its gradient, and its state.
public typealias UpdateRule =
  (_ parameter: Tensor, _ gradient: Tensor, _ state: [Tensor]) -> (
    parameter: Tensor, state: [Tensor]
  )

/// Gradient descent: `p -= rate * g`, with `g = gradient + weightDecay * p`.
public struct GradientDescent: Optimizer {
  /// The learning rate.
  public let learningRate: Double
  /// The factor of the parameter in its gradient (L2 regularization).
  public let weightDecay: Double

  /// Makes the optimizer.
  public init(learningRate: Double, weightDecay: Double = 0) {
    self.learningRate = learningRate
    self.weightDecay = weightDecay
  }

  /// Nothing is kept.
  public var stateNames: [String] { [] }
  /// What is wrong with the numbers given.
  public var problem: String? { commonProblem(learningRate, weightDecay) }

  /// The update of one parameter.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    { parameter, gradient, _ in
      let gradient = gradient.decayed(parameter, by: weightDecay)
      return (parameter - gradient * learningRate.converted(to: parameter.dtype), [])
    }
  }
}

/// Gradient descent with momentum: `v = momentum * v + g; p -= rate * v`, with
/// `g = gradient + weightDecay * p` (Sutskever et al., "On the importance of initialization and momentum in deep
/// learning", ICML 2013, in PyTorch's form).
public struct SGD: Optimizer {
  /// The learning rate.
  public let learningRate: Double
  /// The share of the velocity that stays: from 0 to below 1.
  public let momentum: Double
  /// The factor of the parameter in its gradient (L2 regularization).
  public let weightDecay: Double

  /// Makes the optimizer.
  public init(learningRate: Double, momentum: Double = 0.9, weightDecay: Double = 0) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
  }

  /// The velocity.
  public var stateNames: [String] { ["velocity"] }
  /// What is wrong with the numbers given.
  public var problem: String? {
    (0..<1).contains(momentum)
      ? commonProblem(learningRate, weightDecay) : "the momentum \(momentum) is not in 0..<1"
  }

  /// The update of one parameter.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    { parameter, gradient, state in
      let velocity = state[0] * momentum + gradient.decayed(parameter, by: weightDecay)
      return (parameter - velocity * learningRate.converted(to: parameter.dtype), [velocity])
    }
  }
}

/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015):
/// `m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g²;`
/// `p -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)`, with
/// `g = gradient + weightDecay * p` and t the number of the step from 1.
public struct Adam: Optimizer {
  /// The learning rate.
  public let learningRate: Double
  /// The share of the mean of gradients that stays: between 0 and 1.
  public let beta1: Double
  /// The share of the mean of squared gradients that stays: between 0 and 1.
  public let beta2: Double
  /// What keeps the divisor from 0.
  public let epsilon: Double
  /// The factor of the parameter in its gradient (L2 regularization).
  public let weightDecay: Double

  /// Makes the optimizer.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0
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
    for (name, beta) in [("beta1", beta1), ("beta2", beta2)] where !(beta > 0 && beta < 1) {
      return "\(name) is \(beta) and must lie between 0 and 1"
    }
    return epsilon > 0
      ? commonProblem(learningRate, weightDecay) : "epsilon is \(epsilon) and must be positive"
  }

  /// The corrections of this step, shared by all parameters, and the update of one.
  public func rule(learningRate: Tensor, step: Tensor) -> UpdateRule {
    // 1 - beta^t as -expm1(t * log(beta)): the plain form would lose half of f32's digits in the first steps.
    let correction1 = -(step * log(beta1)).expm1()
    let correction2 = -(step * log(beta2)).expm1()
    let rate = learningRate / correction1
    let scale = correction2.rsqrt()
    return { parameter, gradient, state in
      let dtype = parameter.dtype
      let gradient = gradient.decayed(parameter, by: weightDecay)
      let first = state[0] * beta1 + gradient * (1 - beta1)
      let second = state[1] * beta2 + gradient * gradient * (1 - beta2)
      let divisor = second.sqrt() * scale.converted(to: dtype) + epsilon
      return (parameter - first * rate.converted(to: dtype) / divisor, [first, second])
    }
  }
}

extension Tensor {
  /// This gradient with weight decay added.
  fileprivate func decayed(_ parameter: Tensor, by factor: Double) -> Tensor {
    factor == 0 ? self : self + parameter * factor
  }
}

private func commonProblem(_ learningRate: Double, _ weightDecay: Double) -> String? {
  guard learningRate.isFinite, learningRate > 0 else {
    return "the learning rate \(learningRate) is not a positive number"
  }
  guard weightDecay.isFinite, weightDecay >= 0 else {
    return "the weight decay \(weightDecay) is not a number from 0"
  }
  return nil
}
