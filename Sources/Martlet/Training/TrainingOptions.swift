import GraphIR

/// What training does with gradients and parameters besides the optimizer's rule.
public struct TrainingOptions: Sendable {
  /// What keeps gradients from being too large; nil leaves them as they are.
  public var clipping: GradientClipping?
  /// Parameters that are treated in a way of their own; the first group that names a parameter counts.
  public var groups: [ParameterGroup]
  /// The share of a running mean of the weights that stays in each step, as 0.999 (Polyak and Juditsky, "Acceleration of
  /// stochastic approximation by averaging", 1992, in its exponential form); nil keeps none.
  public var averaging: Double?
  /// The number of batches whose gradients make one update, as those of one batch of all their examples would.
  ///
  /// An epoch's last update has what is left. It saves memory, not time; batch normalization still sees one batch at a time.
  public var accumulation: Int

  /// Makes options; by default nothing is done.
  public init(
    clipping: GradientClipping? = nil, groups: [ParameterGroup] = [], averaging: Double? = nil,
    accumulation: Int = 1
  ) {
    self.accumulation = accumulation
    self.clipping = clipping
    self.groups = groups
    self.averaging = averaging
  }

  /// The group of a parameter; nil when no group names it.
  func group(of parameter: String) -> ParameterGroup? {
    groups.first { $0.contains(parameter) }
  }

  /// What is wrong with the numbers given; nil when nothing is.
  var problem: String? {
    if let averaging, !(averaging > 0 && averaging < 1) {
      return "the share of averaged weights is \(averaging) and must lie between 0 and 1"
    }
    if let limit = clipping?.limit, !(limit > 0) {
      return "gradients cannot be clipped to \(limit); the limit is a positive number"
    }
    if !(1...Trainer.most).contains(accumulation) {
      return "an update of \(accumulation) batches; there are from 1 to \(Trainer.most)"
    }
    return groups.lazy.compactMap(\.problem).first
  }
}

/// What keeps gradients from being too large (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
/// networks", ICML 2013).
public enum GradientClipping: Hashable, Sendable {
  /// Each element is held within ± a limit.
  case value(Double)
  /// All gradients are scaled together so that the root of the sum of all squares is at most a limit.
  case globalNorm(Double)

  /// The greatest value or norm.
  var limit: Double {
    switch self {
    case .value(let limit), .globalNorm(let limit): limit
    }
  }

  /// The gradients, clipped.
  func clipped(_ gradients: [Tensor]) -> [Tensor] {
    switch self {
    case .value(let limit):
      return gradients.map { $0.clamped(to: -limit...limit) }
    case .globalNorm(let limit):
      let squares = gradients.map { $0.squared().sum().converted(to: .f64) }
      guard let first = squares.first else { return [] }
      let norm = squares.dropFirst().reduce(first, +).sqrt()
      // What keeps the quotient finite at 0 is PyTorch's.
      let factor = (limit / (norm + 1e-6)).minimum(1)
      return gradients.map { $0 * factor.converted(to: $0.dtype) }
    }
  }
}

/// Parameters that are treated in a way of their own, named by the path of a layer that holds them.
public struct ParameterGroup: Hashable, Sendable {
  /// A parameter's name, or the beginning of several up to a dot: `features` names `features.0.filter`.
  ///
  /// A component that is `*` stands for any one: `blocks.*.bias`.
  public let path: String
  /// The factor of the learning rate.
  public let learningRateFactor: Double
  /// What pulls these parameters towards 0; nil leaves it to the optimizer.
  public let weightDecay: WeightDecay?
  /// Whether the parameters stay as they are: no gradient is computed for them.
  public let isFrozen: Bool

  /// Makes a group of parameters that are trained.
  public init(
    _ path: String, learningRateFactor: Double = 1, weightDecay: WeightDecay? = nil
  ) {
    self.path = path
    self.learningRateFactor = learningRateFactor
    self.weightDecay = weightDecay
    isFrozen = false
  }

  private init(frozen path: String) {
    self.path = path
    learningRateFactor = 1
    weightDecay = nil
    isFrozen = true
  }

  /// Makes a group of parameters that stay as they are.
  public static func frozen(_ path: String) -> ParameterGroup { ParameterGroup(frozen: path) }

  /// Whether the group names a parameter.
  func contains(_ parameter: String) -> Bool {
    let wanted = path.split(separator: ".")
    let found = parameter.split(separator: ".")
    return wanted.count <= found.count && zip(wanted, found).allSatisfy { $0 == "*" || $0 == $1 }
  }

  /// What is wrong with the numbers given; nil when nothing is.
  fileprivate var problem: String? {
    guard learningRateFactor.isFinite, learningRateFactor > 0 else {
      return "the learning rate's factor of '\(path)' is \(learningRateFactor) and must be positive"
    }
    guard let factor = weightDecay?.factor, !(factor.isFinite && factor >= 0) else { return nil }
    return "the weight decay \(factor) of '\(path)' is not a number from 0"
  }
}
