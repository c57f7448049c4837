import GraphIR

/// Brings each row to mean 0 and variance 1, then scales and shifts its elements (Ba, Kiros and Hinton, "Layer
/// normalization", 2016): `(x - mean) / sqrt(variance + epsilon) * scale + bias`, with the row's own mean and variance.
///
/// Maps `[..., features]` to its own type. Parameters: `scale` and `bias` `[features]`.
public struct LayerNorm: Layer {
  /// What is added to the variance.
  public let epsilon: Double
  /// The layer's identity and line.
  public let place: Place
  let scale = Parameter(.ones)
  let bias = Parameter(.zeros)

  /// Makes a layer that at first only normalizes.
  public init(epsilon: Double = 1e-5, file: String = #fileID, line: Int = #line) {
    self.epsilon = epsilon
    place = Place(file: file, line: line)
  }

  /// The normalized input, of the same floating-point type.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked(
        "LayerNorm with epsilon \(epsilon) from 0 takes floats [..., features] with at least one "
          + "feature"
      ) {
        $0.shape.rank >= 1 && $0.shape[$0.shape.rank - 1] >= 1 && $0.dtype.isFloat && epsilon >= 0
      } then: {
        let (shape, dtype) = ([input.shape[-1]], input.dtype)
        return input.layerNormalized(
          scale: scale(shape, dtype), bias: bias(shape, dtype), epsilon: epsilon)
      }
    }
  }
}

extension Tensor {
  /// Each row (along the last axis) with mean 0 and variance 1, times `scale` `[features]`, plus `bias`
  /// `[features]`.
  public func layerNormalized(
    scale: Tensor, bias: Tensor, epsilon: Double = 1e-5, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.composite("layer_norm", [self, scale, bias], Caller(file, line)) { operands in
      let x = operands[0]
      let (mean, variance) = x.moments(over: [-1], keepingDimensions: true, .unknown)
      return (x - mean) * (variance + epsilon).rsqrt() * operands[1] + operands[2]
    }
  }

  /// The mean over axes, and the mean square of the distance from it, in two passes: a difference of large sums would
  /// lose the variance of a tensor that lies far from 0.
  ///
  /// The variance is stationary in the mean: the distances from it add up to 0. So no gradient flows to the mean through
  /// the variance, and backward all sums over a row depend on the gradient alone, not on one another.
  func moments(
    over axes: [Int], keepingDimensions: Bool = false, _ caller: Caller
  ) -> (mean: Tensor, variance: Tensor) {
    let mean = mean(over: axes, keepingDimensions: keepingDimensions, caller)
    let distance = self - mean.stoppingGradient()
    return (mean, distance.squared().mean(over: axes, keepingDimensions: keepingDimensions, caller))
  }
}
