import GraphIR

/// The means and standard deviations of inputs, which bring them to mean 0 and standard deviation 1.
///
/// They are to be taken from the training part alone: the test part must not tell the model anything, its mean included.
///
/// ```swift
/// let normalization = try Normalization(fitting: data.train, per: .channel)
/// let normalized = try normalization.applied(to: data)
/// ```
public struct Normalization: Hashable, Sendable {
  /// What has a mean and a standard deviation of its own.
  public enum Granularity: Hashable, Sendable {
    /// Each element of an input, as the columns of a table.
    case feature
    /// Each place of the last dimension, as the colours of an image.
    case channel
    /// All elements together.
    case whole
  }

  /// The means.
  public let mean: [Double]
  /// The standard deviations, of which each divides by the number of values; never 0: what does not vary has 1.
  public let deviation: [Double]
  /// The last dimensions of an input, over which the means lie.
  private let extents: [Int]

  /// Measures the inputs of a data set.
  ///
  /// - Throws: when it is empty, or what is wrong with reading it.
  public init(
    fitting examples: Dataset, per granularity: Granularity = .feature
  ) throws(Diagnostic) {
    guard examples.count > 0 else {
      throw Diagnostic(.argument, "the data set is empty", hint: "measure the training part")
    }
    let input = examples.signature.input.shape.extents
    extents =
      switch granularity {
      case .feature: input
      case .channel: input.suffix(1)
      case .whole: []
      }
    let places = extents.reduce(1, *)
    var (mean, spread) = (
      [Double](repeating: 0, count: places), [Double](repeating: 0, count: places)
    )
    var count = 0.0
    for index in 0..<examples.count {
      let values = try examples.example(index).input.doubles()
      // One pass that does not cancel (Welford, "Note on a method for calculating corrected sums of squares", 1962).
      for start in stride(from: 0, to: values.count, by: max(places, 1)) {
        count += 1
        for place in 0..<places {
          let distance = values[start + place] - mean[place]
          mean[place] += distance / count
          spread[place] += distance * (values[start + place] - mean[place])
        }
      }
    }
    self.mean = mean
    deviation = spread.map { value in
      let deviation = (value / count).squareRoot()
      return deviation > 0 ? deviation : 1
    }
  }

  /// Makes a normalization of known numbers for each place of the last dimension, as the colours of an image.
  ///
  /// - Throws: when there are not as many of both, or a standard deviation is not above 0.
  public init(mean: [Double], deviation: [Double]) throws(Diagnostic) {
    guard mean.count == deviation.count, deviation.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw Diagnostic(
        .argument, "means of \(mean) and standard deviations of \(deviation)",
        hint: "there are as many of both, and the latter are above 0")
    }
    self.mean = mean
    self.deviation = deviation
    extents = [mean.count]
  }

  /// The normalized tensor of one input, or of a batch of them: floats keep their dtype, integers become f32.
  ///
  /// - Throws: when its last dimensions are not those that were measured.
  public func applied(to input: Literal) throws(Diagnostic) -> Literal {
    try check(input.type)
    let values = input.doubles().enumerated().map { index, value in
      (value - mean[index % mean.count]) / deviation[index % mean.count]
    }
    return Literal(Normalization.outcome(input.type), doubles: values)
  }

  /// Throws when the last dimensions are not those that were measured.
  private func check(_ input: TensorType) throws(Diagnostic) {
    guard input.shape.extents.suffix(extents.count) == extents[...] else {
      throw Diagnostic(
        .shapeMismatch, "\(input) is to be normalized",
        hint: "its last dimensions should be \(extents)")
    }
  }

  /// The data set whose inputs are normalized: at once of what is in memory, else when they are read or, behind the other
  /// changes, augmented.
  ///
  /// - Throws: when the inputs are not as those that were measured.
  public func applied(to examples: Dataset) throws(Diagnostic) -> Dataset {
    try check(examples.signature.input)
    if !examples.pipeline.changes.isEmpty {
      // What acts in training on pictures as they are has to come before.
      return try examples.augmented(by: change, seed: examples.pipeline.seed)
    }
    return try examples.replacing(
      inputs: examples.inputs.mapped(to: Normalization.outcome(examples.inputs.type)) {
        row throws(Diagnostic) in try applied(to: row)
      })
  }

  /// The split whose parts are all normalized.
  ///
  /// - Throws: when the inputs are not as those that were measured.
  public func applied(to split: DataSplit) throws(Diagnostic) -> DataSplit {
    var validation: Dataset?
    if let part = split.validation { validation = try applied(to: part) }
    return DataSplit(
      train: try applied(to: split.train), validation: validation,
      test: try applied(to: split.test))
  }

  /// This as a last change of examples that are augmented, which is not at random.
  private var change: Augmentation {
    @Sendable func apply(_ example: inout AugmentedExample) throws(Diagnostic) {
      let input = Literal(Shape(example.extents), example.values)
      example.values = try applied(to: input).elements() ?? example.values
    }
    return Augmentation(
      "normalization",
      outcome: { signature throws(Diagnostic) in
        try check(signature.input)
        return signature
      }, ofImages: false,
      act: { example, _, _ throws(Diagnostic) in try apply(&example) }, rest: apply)
  }

  /// The type of what is normalized.
  static func outcome(_ type: TensorType) -> TensorType {
    TensorType(type.dtype.isFloat ? type.dtype : .f32, type.shape)
  }
}
