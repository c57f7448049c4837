import GraphIR

/// How the first value of a parameter is made.
///
/// Random ones depend on the seed and the parameter's path alone, so that a model begins with the same values on
/// every machine. `fan in` and `fan out` are the numbers of inputs and outputs that one output and input meet:
/// for a filter `[h, w, i, o]` these are `h * w * i` and `h * w * o`.
public enum Initializer: Hashable, Sendable {
  /// All 0: for biases. Weights that are alike learn alike (Rumelhart, Hinton and Williams, "Learning internal
  /// representations by error propagation", 1986: "symmetry breaking").
  case zeros
  /// All 1: for the scales of normalization (Ioffe and Szegedy, "Batch normalization", ICML 2015).
  case ones
  /// All the same number: 1 for the bias of an LSTM's forget gate, for one (Jozefowicz, Zaremba and Sutskever, "An
  /// empirical exploration of recurrent network architectures", ICML 2015).
  case constant(Double)
  /// Normal with mean 0 and a standard deviation, as in LeCun et al., "Gradient-based learning applied to document
  /// recognition", 1998, and Krizhevsky et al., NIPS 2012: small numbers, whatever the layer's size.
  case gaussian(standardDeviation: Double = 0.01)
  /// Uniform between -bound and bound (Rumelhart, Hinton and Williams, "Learning representations by back-propagating
  /// errors", Nature 323, 1986, who take 0.3).
  case uniform(bound: Double = 0.05)
  /// Uniform in ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio, "Understanding the difficulty of training deep
  /// feedforward neural networks", AISTATS 2010); for sigmoid and tanh.
  case xavier
  /// Normal with mean 0 and variance 2 / (fan in + fan out), the same spread as `xavier` (same paper).
  case xavierNormal
  /// Normal with mean 0 and variance 2 / fan in (He et al., "Delving deep into rectifiers", ICCV 2015); for ReLU.
  case he
  /// Uniform in ±sqrt(6 / fan in), the same spread as `he` (same paper).
  case heUniform
  /// Normal with mean 0 and variance 1 / fan in (LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998); for SELU.
  case leCun
  /// A matrix whose columns (or rows, of which there are fewer) are orthogonal and of length `gain`: all dimensions but the
  /// last are rows (Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
  /// neural networks", ICLR 2014).
  case orthogonal(gain: Double = 1)

  /// The first value of a parameter of the given type and path: the same for the same seed.
  public func literal(_ type: TensorType, path: String, seed: UInt64) -> Literal {
    var generator = Philox(seed: seed, stream: Philox.hash(path))
    let (fanIn, fanOut) = Initializer.fans(type.shape.extents)
    func normal(variance: Double) -> Literal {
      let deviation = variance.squareRoot()
      return Literal(type) { deviation * generator.nextGaussian() }
    }
    func uniform(_ bound: Double) -> Literal {
      Literal(type) { bound * (2 * generator.nextUniform() - 1) }
    }
    switch self {
    case .zeros: return Literal(zeros: type)
    case .ones: return Literal(type) { 1 }
    case .constant(let value): return Literal(type) { value }
    case .gaussian(let deviation):
      return Literal(type) { deviation * generator.nextGaussian() }
    case .uniform(let bound): return uniform(bound)
    case .xavier: return uniform((6 / Double(fanIn + fanOut)).squareRoot())
    case .xavierNormal: return normal(variance: 2 / Double(fanIn + fanOut))
    case .he: return normal(variance: 2 / Double(fanIn))
    case .heUniform: return uniform((6 / Double(fanIn)).squareRoot())
    case .leCun: return normal(variance: 1 / Double(fanIn))
    case .orthogonal(let gain):
      let columns = type.shape.extents.last ?? 1
      let rows = type.shape.elementCount / max(columns, 1)
      return Literal(
        type, doubles: orthogonalMatrix(rows: rows, columns: columns, gain: gain, &generator))
    }
  }

  private static func fans(_ extents: [Int]) -> (in: Int, out: Int) {
    guard let outputs = extents.last else { return (1, 1) }
    guard extents.count >= 2 else { return (max(outputs, 1), max(outputs, 1)) }
    let inputs = extents[extents.count - 2]
    let taps = extents.dropLast(2).reduce(1, *)
    return (max(taps * inputs, 1), max(taps * outputs, 1))
  }
}

extension Literal {
  /// Makes a literal of numbers that a function gives one after the other.
  ///
  /// Floats are stored as they come: a list of doubles would be most of what a program with large parameters takes.
  fileprivate init(_ type: TensorType, generating next: () -> Double) {
    let count = type.shape.elementCount
    guard type.dtype == .f32 else {
      self.init(type, doubles: (0..<count).map { _ in next() })
      return
    }
    let bytes = [UInt8](unsafeUninitializedCapacity: 4 * count) { memory, filled in
      let memory = UnsafeMutableRawBufferPointer(memory)
      for index in 0..<count {
        memory.storeBytes(of: Float(next()), toByteOffset: 4 * index, as: Float.self)
      }
      filled = 4 * count
    }
    self = Literal(type, bytes: bytes) ?? Literal(zeros: type)
  }
}

/// A row-major matrix whose shorter vectors, rows or columns, are orthogonal and of length `gain`.
///
/// Gaussian vectors are made orthogonal one after the other by the modified Gram-Schmidt process, twice, which leaves
/// angles right to the last digits (Giraud, Langou and Rozloznik, "The loss of orthogonality in the Gram-Schmidt
/// orthogonalization process", 2005). Gaussian vectors have no preferred direction, so neither has the matrix.
private func orthogonalMatrix(
  rows: Int, columns: Int, gain: Double, _ generator: inout Philox
) -> [Double] {
  let (count, length) = (min(rows, columns), max(rows, columns))
  var vectors: [[Double]] = []
  for _ in 0..<count {
    var vector = (0..<length).map { _ in generator.nextGaussian() }
    for _ in 0..<2 {
      for other in vectors {
        let share = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
        for index in 0..<length { vector[index] -= share * other[index] }
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // A vector within the others' span happens with no probability that matters.
      for index in 0..<length { vector[index] /= max(norm, .leastNormalMagnitude) }
    }
    vectors.append(vector)
  }
  return (0..<rows * columns).map { index in
    let (row, column) = index.quotientAndRemainder(dividingBy: columns)
    return gain * (rows < columns ? vectors[row][column] : vectors[column][row])
  }
}
