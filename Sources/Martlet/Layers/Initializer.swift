import GraphIR

/// How the first value of a parameter is made.
///
/// Random ones depend on the seed and the parameter's path alone, so that a model begins with the same values on
/// every machine. `fan in` and `fan out` are the numbers of inputs and outputs that one output and input meet:
/// for a filter `[h, w, i, o]` these are `h * w * i` and `h * w * o`.
public enum Initializer: Hashable, Sendable {
  /// All 0.
  case zeros
  /// All 1.
  case ones
  /// All the same number.
  case constant(Double)
  /// Normal with mean 0 and a standard deviation.
  case gaussian(standardDeviation: Double = 0.01)
  /// Uniform in ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio, "Understanding the difficulty of training deep
  /// feedforward neural networks", AISTATS 2010); for sigmoid and tanh.
  case xavier
  /// Normal with mean 0 and variance 2 / fan in (He et al., "Delving deep into rectifiers", ICCV 2015); for ReLU.
  case he

  /// The first value of a parameter of the given type and path.
  package func literal(_ type: TensorType, path: String, seed: UInt64) -> Literal {
    var generator = Philox(seed: seed, stream: Philox.hash(path))
    let count = type.shape.elementCount
    let (fanIn, fanOut) = Initializer.fans(type.shape.extents)
    let values: [Double]
    switch self {
    case .zeros: return Literal(zeros: type)
    case .ones: values = [Double](repeating: 1, count: count)
    case .constant(let value): values = [Double](repeating: value, count: count)
    case .gaussian(let deviation):
      values = (0..<count).map { _ in deviation * generator.nextGaussian() }
    case .xavier:
      let bound = (6 / Double(fanIn + fanOut)).squareRoot()
      values = (0..<count).map { _ in bound * (2 * generator.nextUniform() - 1) }
    case .he:
      let deviation = (2 / Double(fanIn)).squareRoot()
      values = (0..<count).map { _ in deviation * generator.nextGaussian() }
    }
    return Literal(type, doubles: values)
  }

  private static func fans(_ extents: [Int]) -> (in: Int, out: Int) {
    guard let outputs = extents.last else { return (1, 1) }
    guard extents.count >= 2 else { return (max(outputs, 1), max(outputs, 1)) }
    let inputs = extents[extents.count - 2]
    let taps = extents.dropLast(2).reduce(1, *)
    return (max(taps * inputs, 1), max(taps * outputs, 1))
  }
}
