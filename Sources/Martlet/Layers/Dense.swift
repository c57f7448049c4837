import GraphIR

/// A fully connected layer: `activation(x * weight + bias)`.
///
/// Maps `[..., inputs]` to `[..., units]`. Parameters: `weight` `[inputs, units]` and `bias` `[units]`, of the
/// input's floating-point dtype.
public struct Dense: Layer {
  /// The number of outputs.
  public let units: Int
  /// The function applied last.
  public let activation: Activation
  /// The layer's identity and line.
  public let place: Place
  let weight: Parameter
  let bias: Parameter?

  /// Makes a layer; `weights` draws the weights, and the bias begins at 0.
  public init(
    _ units: Int, _ activation: Activation = .identity, bias: Bool = true,
    weights: Initializer = .xavier, file: String = #fileID, line: Int = #line
  ) {
    self.units = units
    self.activation = activation
    place = Place(file: file, line: line)
    weight = Parameter(weights)
    self.bias = bias ? Parameter(.zeros) : nil
  }

  /// The outputs for inputs `[..., inputs]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("Dense takes [..., inputs] and makes at least one output") {
        units >= 1 && $0.shape.rank >= 2 && $0.dtype.isFloat
      } then: {
        let product = input.matmul(weight([input.shape[-1], units], input.dtype))
        return activation(bias.map { product + $0([units], input.dtype) } ?? product)
      }
    }
  }
}

extension Tensor {
  /// Goes on with a layer when its input fits; otherwise records what the layer takes and what it was given.
  func checked(
    _ requirement: String, _ isFitting: (TensorType) -> Bool, then body: () -> Tensor
  ) -> Tensor {
    Tensor.apply([self], "a layer is used", .unknown) { context, location in
      guard let type, isFitting(type) else {
        return context.fail(
          Diagnostic(
            .shapeMismatch, "\(requirement); the input is \(describedType)", at: location,
            notes: [context.note("the input", self)]))
      }
      return body()
    }
  }
}
