import GraphIR

/// In training sets each element to 0 with a probability (Srivastava et al., "Dropout", JMLR 15, 2014).
///
/// Which elements are dropped depends on the seed, the step and the layer's path alone.
public struct Dropout: Layer {
  /// How the expectation of an element is kept.
  public enum Form: Hashable, Sendable {
    /// What stays is scaled by `1 / (1 - probability)` in training; otherwise the layer gives its input.
    case inverted
    /// What stays is not scaled in training; otherwise all is scaled by `1 - probability`, as in the paper.
    case scaledInUse
  }

  /// The probability with which an element is dropped: from 0 to below 1.
  public let probability: Double
  /// How the expectation of an element is kept.
  public let form: Form
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer that drops elements with the given probability.
  public init(
    _ probability: Double, form: Form = .inverted, file: String = #fileID, line: Int = #line
  ) {
    self.probability = probability
    self.form = form
    place = Place(file: file, line: line)
  }

  /// The input with elements dropped, of the same floating-point type.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("Dropout takes floats and a probability in 0..<1, not \(probability)") {
        (0..<1).contains(probability) && $0.dtype.isFloat
      } then: {
        input.dropped(probability, form, by: input.shape.extents)
      }
    }
  }
}

/// In training sets whole channels of an image to 0 with a probability: neighbours in a channel are so alike that single
/// elements would hardly be missed (Tompson et al., "Efficient object localization using convolutional networks", CVPR
/// 2015).
///
/// Maps `[n, spatial..., channels]` to its own type. What stays is scaled so that the expectation stays.
public struct SpatialDropout: Layer {
  /// The probability with which a channel of an image is dropped: from 0 to below 1.
  public let probability: Double
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer that drops channels with the given probability.
  public init(_ probability: Double, file: String = #fileID, line: Int = #line) {
    self.probability = probability
    place = Place(file: file, line: line)
  }

  /// The input with channels dropped, of the same floating-point type.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked(
        "SpatialDropout takes floats [n, spatial..., channels] and a probability in 0..<1, not "
          + "\(probability)"
      ) {
        (0..<1).contains(probability) && $0.dtype.isFloat && $0.shape.rank >= 3
      } then: {
        let extents = input.shape.extents
        let channels = extents.indices.map { 0 < $0 && $0 < extents.count - 1 ? 1 : extents[$0] }
        return input.dropped(probability, .inverted, by: channels)
      }
    }
  }
}

extension Tensor {
  /// Drops what a draw of a shape that broadcasts to this tensor's decides.
  fileprivate func dropped(
    _ probability: Double, _ form: Dropout.Form, by shape: [Int]
  ) -> Tensor {
    let share = 1 - probability
    guard probability > 0 else { return self }
    guard TraceContext.current?.mode == .training else {
      return form == .inverted ? self : self * share
    }
    let keeps = Tensor.uniform(TensorType(dtype, Shape(shape))).isLess(than: share)
    let kept = form == .inverted ? self * (1 / share) : self
    return keeps.select(kept, otherwise: Tensor(0, dtype))
  }

  /// Numbers uniform in [0, 1) of a type, from the stream of the layer that is entered.
  static func uniform(_ type: TensorType) -> Tensor {
    located(.unknown, "'random' is used") { context, location in
      let random = Random(type, stream: context.stream(for: context.currentPath))
      let state = context.randomStateTensor(at: location)
      return context.append(.random(random), [state], at: location)[0]
    }
  }
}
