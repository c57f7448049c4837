import GraphIR

/// How parameters follow from their gradients.
///
/// It is traced into the training step, not run.
public protocol Optimizer: Sendable {
  /// The learning rate at which training begins; it is an input of the step, so a schedule can change it.
  var learningRate: Double { get }
  /// What pulls parameters towards 0 in every step.
  var weightDecay: WeightDecay { get }
  /// What is kept for each parameter from step to step, a tensor of its type each, which begins at 0.
  var stateNames: [String] { get }
  /// What is wrong with the numbers given, besides learning rate and weight decay; nil when nothing is.
  var problem: String? { get }

  /// Traces what all parameters share, and gives the rule that updates one.
  ///
  /// - Parameters:
  ///   - learningRate: The rate of this step: f64, a scalar.
  ///   - step: The number of this step, from 1: f64, a scalar.
  func rule(learningRate: Tensor, step: Tensor) -> UpdateRule
}

/// Gives the new value of a parameter and its state from the parameter, its gradient, and its state.
public typealias UpdateRule =
  (_ parameter: Tensor, _ gradient: Tensor, _ state: [Tensor]) -> (
    parameter: Tensor, state: [Tensor]
  )

/// What pulls parameters towards 0 in every step; a number alone is coupled.
public enum WeightDecay: Hashable, Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral
{
  /// Adds `factor * p` to the gradient, as the penalty `factor / 2 * p²` in the loss would (L2 regularization).
  case coupled(Double)
  /// Multiplies p by `1 - rate * factor` beside the step that the gradient asks for (Loshchilov and Hutter, "Decoupled
  /// weight decay regularization", ICLR 2019).
  case decoupled(Double)

  /// Nothing pulls.
  public static let none = WeightDecay.coupled(0)

  /// Makes a coupled decay.
  public init(floatLiteral factor: Double) { self = .coupled(factor) }
  /// Makes a coupled decay.
  public init(integerLiteral factor: Int) { self = .coupled(Double(factor)) }

  /// The factor.
  public var factor: Double {
    switch self {
    case .coupled(let factor), .decoupled(let factor): factor
    }
  }

  /// The rule of an optimizer with this decay before it.
  func decaying(learningRate: Tensor, _ rule: @escaping UpdateRule) -> UpdateRule {
    guard factor != 0 else { return rule }
    return { parameter, gradient, state in
      switch self {
      case .coupled(let factor): rule(parameter, gradient + parameter * factor, state)
      case .decoupled(let factor):
        rule(
          parameter * (1 - learningRate * factor).converted(to: parameter.dtype), gradient, state)
      }
    }
  }
}

extension Optimizer {
  /// What is wrong with any of the numbers given; nil when nothing is.
  var anyProblem: String? {
    if let problem { return problem }
    if let problem = learningRateProblem(learningRate) { return problem }
    guard weightDecay.factor.isFinite, weightDecay.factor >= 0 else {
      return "the weight decay \(weightDecay.factor) is not a number from 0"
    }
    return nil
  }
}

/// What is wrong with a learning rate; nil when nothing is.
func learningRateProblem(_ rate: Double) -> String? {
  rate.isFinite && rate > 0 ? nil : "the learning rate \(rate) is not a positive number"
}

/// What is wrong with shares of a mean that stay; nil when nothing is.
func problem(ofShares shares: [(name: String, value: Double)]) -> String? {
  shares.first { !(0..<1).contains($0.value) }.map {
    "\($0.name) is \($0.value) and must be from 0 to below 1"
  }
}

/// What is wrong with what keeps a divisor from 0; nil when nothing is.
func problem(ofEpsilon epsilon: Double) -> String? {
  epsilon > 0 && epsilon.isFinite ? nil : "epsilon is \(epsilon) and must be positive"
}
