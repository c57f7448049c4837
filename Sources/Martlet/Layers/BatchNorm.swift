import GraphIR

/// Brings each channel to mean 0 and variance 1 over the batch, then scales and shifts it (Ioffe and Szegedy, "Batch
/// normalization", ICML 2015): `(x - mean) / sqrt(variance + epsilon) * scale + bias`.
///
/// Maps `[n, ..., channels]` to its own type. In training, mean and variance are the batch's, over all dimensions but
/// the last, and the running ones move towards them by the share `momentum` (the variance as the estimate that
/// divides by one less than the count; a single element has none); otherwise the running ones are used. Parameters:
/// `scale` and `bias` `[channels]`; untrained state: `runningMean` and `runningVariance` `[channels]`.
public struct BatchNorm: Layer {
  /// The share by which the running statistics move towards a batch's.
  public let momentum: Double
  /// What is added to the variance.
  public let epsilon: Double
  /// The layer's identity and line.
  public let place: Place
  let scale = Parameter(.ones)
  let bias = Parameter(.zeros)
  let runningMean = UntrainedState(.zeros)
  let runningVariance = UntrainedState(.ones)

  /// Makes a layer that leaves a batch as it is, but for its statistics.
  public init(
    momentum: Double = 0.1, epsilon: Double = 1e-5, file: String = #fileID, line: Int = #line
  ) {
    self.momentum = momentum
    self.epsilon = epsilon
    place = Place(file: file, line: line)
  }

  /// The normalized input, of the same floating-point type.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked(
        "BatchNorm with momentum \(momentum) within 0 and 1 and epsilon \(epsilon) from 0 takes "
          + "floats [n, ..., channels], not empty"
      ) {
        $0.shape.rank >= 2 && $0.shape.elementCount > 0 && $0.dtype.isFloat
          && (0...1).contains(momentum) && epsilon >= 0
      } then: {
        let (shape, dtype) = ([input.shape[-1]], input.dtype)
        let mean = runningMean(shape, dtype)
        let variance = runningVariance(shape, dtype)
        guard TraceContext.current?.mode == .training else {
          let factor = (variance + epsilon).rsqrt() * scale(shape, dtype)
          return input * factor + (bias(shape, dtype) - mean * factor)
        }
        let batch = input.moments(over: Array(0..<input.rank - 1), .unknown)
        runningMean.update(mean + (batch.mean - mean) * momentum)
        let count = Double(input.shape.elementCount / max(shape[0], 1))
        if count > 1 {
          let estimate = batch.variance * (count / (count - 1))
          runningVariance.update(variance + (estimate - variance) * momentum)
        }
        let factor = (batch.variance + epsilon).rsqrt() * scale(shape, dtype)
        // The mean's gradient takes the way of the bias, through a number per channel that is 0: so backward needs
        // two sums over the batch, of the gradient and of its product with the distance, and not a third.
        let center = batch.mean.stoppingGradient()
        let offset = bias(shape, dtype) + (center - batch.mean) * factor
        return (input - center) * factor + offset
      }
    }
  }
}
