import GraphIR

/// What training makes small: a function of the model's outputs and the labels, for each example.
public struct Loss: Sendable {
  /// The name, as diagnostics show it.
  public let name: String
  /// The losses `[n]` of a batch, from the outputs and the labels.
  let perExample: @Sendable (Tensor, Tensor) -> Tensor
  /// What the outputs are called in a prediction.
  let outputName: String
  /// What the outputs mean to the user, when they are not meant to be read as they are.
  let interpretation: (name: String, function: @Sendable (Tensor) -> Tensor)?
  /// What a single output is above when it says yes.
  let boundary: Double
  /// The metrics that are shown unless others are asked for.
  public let defaultMetrics: [Metric]
  /// Which integer labels make sense for outputs of a number of classes; nil where labels are no classes.
  let classLabels: (@Sendable (_ classes: Int) -> ClosedRange<Int>)?
  /// How the losses of a batch become the number whose gradient a step follows.
  public private(set) var reduction = Reduction.mean

  /// How losses of examples are put together.
  public enum Reduction: Hashable, Sendable {
    /// Not at all.
    case none
    /// Their sum.
    case sum
    /// Their mean.
    case mean
  }

  /// Makes a loss of your own.
  ///
  /// - Parameter perExample: Gives the losses `[n]` from the outputs and the labels of a batch of n.
  public init(_ name: String, _ perExample: @escaping @Sendable (Tensor, Tensor) -> Tensor) {
    self.init(name, perExample, outputName: "output")
  }

  init(
    _ name: String, _ perExample: @escaping @Sendable (Tensor, Tensor) -> Tensor,
    problem: String? = nil, outputName: String = "output",
    interpretation: (String, @Sendable (Tensor) -> Tensor)? = nil, boundary: Double = 0,
    defaultMetrics: [Metric] = [],
    classLabels: (@Sendable (_ classes: Int) -> ClosedRange<Int>)? = nil
  ) {
    self.name = name
    if let problem {
      self.perExample = { output, _ in Loss.refuse(name, problem, output) }
    } else {
      self.perExample = perExample
    }
    self.outputName = outputName
    self.interpretation = interpretation.map { (name: $0.0, function: $0.1) }
    self.boundary = boundary
    self.defaultMetrics = defaultMetrics
    self.classLabels = classLabels
  }

  /// The integers that labels may be, for outputs and labels of some types; nil where they may be anything.
  func labelRange(_ output: TensorType, _ label: TensorType) -> ClosedRange<Int>? {
    guard let classLabels, label.dtype.isInteger, output.shape.rank == label.shape.rank + 1,
      let classes = output.shape.extents.last, classes >= 1
    else { return nil }
    return classLabels(classes)
  }

  /// The same loss, of which a step follows the gradient of the sum over a batch instead of the mean's; what is shown is
  /// the mean all the same.
  public func summed() -> Loss {
    var loss = self
    loss.reduction = .sum
    return loss
  }

  /// The losses of a batch of n: `[n]`, or a scalar.
  public func callAsFunction(
    _ output: Tensor, _ label: Tensor, reduction: Reduction = .mean
  ) -> Tensor {
    reduced(perExample(output, label), reduction)
  }

  func reduced(_ losses: Tensor, _ reduction: Reduction) -> Tensor {
    switch reduction {
    case .none: losses
    case .sum: losses.sum()
    case .mean: losses.mean()
    }
  }
}

extension Loss {
  /// Records that a loss was made of numbers that make no sense.
  private static func refuse(_ name: String, _ problem: String, _ output: Tensor) -> Tensor {
    Tensor.apply([output], "a loss is used", .unknown) { context, location in
      context.fail(Diagnostic(.argument, "\(name): \(problem)", at: location))
    }
  }

  /// What is wrong with the share of a label that is spread; nil when nothing is.
  static func problem(ofSmoothing share: Double) -> String? {
    (0...1).contains(share) ? nil : "the smoothing is \(share) and must lie within 0 and 1"
  }

  /// What is wrong with the weights of classes; nil when nothing is.
  static func problem(ofWeights weights: [Double]?) -> String? {
    weights?.first { !($0 >= 0 && $0.isFinite) }.map { "the weight \($0) is not a number from 0" }
  }

  /// What is wrong with the exponent of a focal loss; nil when nothing is.
  static func problem(ofGamma gamma: Double) -> String? {
    gamma >= 0 && gamma.isFinite ? nil : "gamma is \(gamma) and must be a number from 0"
  }

  /// Goes on when output and label have one type; otherwise records both.
  static func requireEqualTypes(
    _ name: String, _ output: Tensor, _ label: Tensor, _ body: () -> Tensor
  ) -> Tensor {
    Tensor.apply([output, label], "a loss is used", .unknown) { context, location in
      guard output.type == label.type else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "\(name): the output \(output.describedType) and the label \(label.describedType) differ",
            at: location,
            notes: [context.note("the output", output), context.note("the label", label)]))
      }
      return body()
    }
  }
}
