import GraphIR

/// Brings groups of channels to mean 0 and variance 1 within each example, then scales and shifts each channel (Wu and
/// He, "Group normalization", ECCV 2018); what one example becomes does not depend on the others.
///
/// Maps `[n, spatial..., channels]` to its own type. Parameters: `scale` and `bias` `[channels]`.
public struct GroupNorm: Layer {
  /// The number of groups of neighbouring channels.
  public let groups: Int
  /// What is added to the variance.
  public let epsilon: Double
  /// The layer's identity and line.
  public let place: Place
  let scale = Parameter(.ones)
  let bias = Parameter(.zeros)

  /// Makes a layer that at first only normalizes.
  public init(
    groups: Int, epsilon: Double = 1e-5, file: String = #fileID, line: Int = #line
  ) {
    self.groups = groups
    self.epsilon = epsilon
    place = Place(file: file, line: line)
  }

  /// The normalized input, of the same floating-point type.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked(
        "GroupNorm with epsilon \(epsilon) from 0 takes floats [n, ..., channels], not empty, with "
          + "channels in \(groups) groups"
      ) {
        $0.shape.rank >= 2 && $0.shape.elementCount > 0 && $0.dtype.isFloat && groups >= 1
          && $0.shape[$0.shape.rank - 1] % groups == 0 && epsilon >= 0
      } then: {
        let extents = input.shape.extents
        let channels = input.shape[-1]
        let grouped = input.reshaped(to: extents.dropLast() + [groups, channels / groups])
        let axes = Array(1..<input.rank - 1) + [input.rank]
        return grouped.standardized(over: axes, epsilon: epsilon).reshaped(to: extents)
          * scale([channels], input.dtype) + bias([channels], input.dtype)
      }
    }
  }
}

/// Brings each channel of each image to mean 0 and variance 1, then scales and shifts it (Ulyanov, Vedaldi and Lempitsky,
/// "Instance normalization: the missing ingredient for fast stylization", 2016).
///
/// Maps `[n, spatial..., channels]` to its own type. Parameters: `scale` and `bias` `[channels]`.
public struct InstanceNorm: Layer {
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
        "InstanceNorm with epsilon \(epsilon) from 0 takes floats [n, spatial..., channels], not empty"
      ) {
        $0.shape.rank >= 3 && $0.shape.elementCount > 0 && $0.dtype.isFloat && epsilon >= 0
      } then: {
        let (shape, dtype) = ([input.shape[-1]], input.dtype)
        return input.standardized(over: Array(1..<input.rank - 1), epsilon: epsilon)
          * scale(shape, dtype) + bias(shape, dtype)
      }
    }
  }
}

/// Divides each row by the root of its mean square, then scales its elements (Zhang and Sennrich, "Root mean square layer
/// normalization", NeurIPS 2019): `x / sqrt(mean(x²) + epsilon) * scale`.
///
/// Maps `[..., features]` to its own type. Parameter: `scale` `[features]`.
public struct RMSNorm: Layer {
  /// What is added to the mean square.
  public let epsilon: Double
  /// The layer's identity and line.
  public let place: Place
  let scale = Parameter(.ones)

  /// Makes a layer that at first only normalizes.
  public init(epsilon: Double = 1e-6, file: String = #fileID, line: Int = #line) {
    self.epsilon = epsilon
    place = Place(file: file, line: line)
  }

  /// The normalized input, of the same floating-point type.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked(
        "RMSNorm with epsilon \(epsilon) from 0 takes floats [..., features] with at least one feature"
      ) {
        $0.shape.rank >= 1 && $0.shape[$0.shape.rank - 1] >= 1 && $0.dtype.isFloat && epsilon >= 0
      } then: {
        let squares = input.squared().mean(over: [-1], keepingDimensions: true, .unknown)
        return input * (squares + epsilon).rsqrt() * scale([input.shape[-1]], input.dtype)
      }
    }
  }
}

/// Divides each element by a power of the squares of its neighbours among the channels (Krizhevsky, Sutskever and Hinton,
/// "ImageNet classification with deep convolutional neural networks", NIPS 2012):
/// `x / (bias + alpha * sum(x²))^beta`, over `size` channels around the element's own.
///
/// Maps `[n, ..., channels]` to its own type. The defaults are the paper's.
public struct LocalResponseNorm: Layer {
  /// The number of channels that a sum goes over; of an even one, one more lies before than after.
  public let size: Int
  /// The factor of the sum of squares.
  public let alpha: Double
  /// The exponent.
  public let beta: Double
  /// What the divisor is at 0, before the power.
  public let bias: Double
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer.
  public init(
    size: Int = 5, alpha: Double = 1e-4, beta: Double = 0.75, bias: Double = 2,
    file: String = #fileID, line: Int = #line
  ) {
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.bias = bias
    place = Place(file: file, line: line)
  }

  /// The damped input, of the same floating-point type.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("LocalResponseNorm takes floats [n, ..., channels] and a size from 1") {
        $0.shape.rank >= 2 && $0.dtype.isFloat && (1...0xFFFF).contains(size)
      } then: {
        let outer = [Int](repeating: 1, count: input.rank - 1)
        let window = Window(
          size: outer + [size], stride: outer + [1],
          padding: outer.map { _ in [0, 0] } + [[size / 2, (size - 1) / 2]])
        let squares = Tensor.apply(
          .reduceWindow(ReduceWindow(.sum, window: window)), [input.squared()], .unknown)
        return input * (squares * alpha + bias).power(-beta)
      }
    }
  }
}

extension Tensor {
  /// The elements less their mean over axes, divided by their standard deviation.
  fileprivate func standardized(over axes: [Int], epsilon: Double) -> Tensor {
    let (mean, variance) = moments(over: axes, keepingDimensions: true, .unknown)
    return (self - mean) * (variance + epsilon).rsqrt()
  }
}
