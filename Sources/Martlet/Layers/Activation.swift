/// A nonlinear function of each element (of each row, for softmax).
///
/// It is also a layer by itself.
public enum Activation: String, CaseIterable, Hashable, Sendable, Layer {
  /// x.
  case identity
  /// 1 / (1 + e^-x).
  case sigmoid
  /// The hyperbolic tangent.
  case tanh
  /// max(x, 0).
  case relu
  /// log(1 + e^x), a smooth max(x, 0).
  case softplus
  /// x * sigmoid(x), also called SiLU.
  case swish
  /// The softmax over the last dimension.
  case softmax
  /// x times the standard normal distribution function of x.
  case gelu

  /// The function applied to a tensor of any shape.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    // The node belongs to the line that calls the layer, which is the latest that the trace has seen.
    guard let context = TraceContext.current else { return apply(input) }
    let location = context.location(.unknown)
    return context.pinned(at: location) { apply(input) }
  }

  private func apply(_ input: Tensor) -> Tensor {
    switch self {
    case .identity: input
    case .sigmoid: input.sigmoid()
    case .tanh: input.tanh()
    case .relu: input.relu()
    case .softplus: input.softplus()
    case .swish: input.swish()
    case .softmax: input.softmax()
    case .gelu: input.gelu()
    }
  }
}
