import GraphIR

/// In training sets each element to 0 with a probability and scales the others so that the expectation stays;
/// otherwise gives its input (Srivastava et al., "Dropout", JMLR 15, 2014, in its inverted form).
///
/// Which elements are dropped depends on the seed, the step and the layer's path alone.
public struct Dropout: Layer {
  /// The probability with which an element is dropped: from 0 to below 1.
  public let probability: Double
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer that drops elements with the given probability.
  public init(_ probability: Double, file: String = #fileID, line: Int = #line) {
    self.probability = probability
    place = Place(file: file, line: line)
  }

  /// The input with elements dropped, of the same floating-point type.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("Dropout takes floats and a probability in 0..<1, not \(probability)") {
        (0..<1).contains(probability) && $0.dtype.isFloat
      } then: {
        guard probability > 0, TraceContext.current?.mode == .training else { return input }
        let keeps = Tensor.uniform(like: input).isLess(than: 1 - probability)
        return keeps.select(input * (1 / (1 - probability)), otherwise: Tensor(0, input.dtype))
      }
    }
  }
}

extension Tensor {
  /// Numbers uniform in [0, 1) of another tensor's type, from the stream of the layer that is entered.
  static func uniform(like tensor: Tensor) -> Tensor {
    apply([tensor], "'random' is used", .unknown) { context, location in
      let type = TensorType(tensor.dtype, Shape(tensor.shape.extents))
      let random = Random(type, stream: context.stream(for: context.currentPath))
      let state = context.randomStateTensor(at: location)
      return context.append(.random(random), [state], at: location)[0]
    }
  }
}
