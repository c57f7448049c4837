/// A nonlinear function of each element (of each row, for the two softmaxes).
///
/// It is also a layer by itself. Formulas and papers stand at the tensor's method of the same name.
public enum Activation: Hashable, Sendable, Layer {
  /// x.
  case identity
  /// 1 where x >= 0, else 0; no gradient flows through it.
  case step
  /// 1 / (1 + e^-x).
  case sigmoid
  /// x / 6 + 1/2, held within 0 and 1.
  case hardSigmoid
  /// The hyperbolic tangent.
  case tanh
  /// max(x, 0).
  case relu
  /// x, held within 0 and 6.
  case relu6
  /// x where it is positive, else `slope * x`.
  case leakyReLU(slope: Double = 0.01)
  /// x where it is positive, else `alpha * (e^x - 1)`.
  case elu(alpha: Double = 1)
  /// The scaled `elu` that keeps mean 0 and variance 1.
  case selu
  /// log(1 + e^x), a smooth max(x, 0).
  case softplus
  /// x * sigmoid(x), also called SiLU.
  case swish
  /// x * hardSigmoid(x).
  case hardSwish
  /// x times the standard normal distribution function of x.
  case gelu
  /// `gelu` by a hyperbolic tangent.
  case geluByTanh
  /// The softmax over the last dimension.
  case softmax
  /// The logarithm of the softmax over the last dimension.
  case logSoftmax

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
    case .step: input.step()
    case .sigmoid: input.sigmoid()
    case .hardSigmoid: input.hardSigmoid()
    case .tanh: input.tanh()
    case .relu: input.relu()
    case .relu6: input.relu6()
    case .leakyReLU(let slope): input.leakyReLU(slope: slope)
    case .elu(let alpha): input.elu(alpha: alpha)
    case .selu: input.selu()
    case .softplus: input.softplus()
    case .swish: input.swish()
    case .hardSwish: input.hardSwish()
    case .gelu: input.gelu()
    case .geluByTanh: input.geluByTanh()
    case .softmax: input.softmax()
    case .logSoftmax: input.logSoftmax()
    }
  }
}
