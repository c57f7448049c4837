import GraphIR

/// A two-dimensional convolution (cross-correlation): `activation(x * filter + bias)`.
///
/// Maps images `[n, height, width, channels]` to `[n, height', width', filters]`. Parameters: `filter`
/// `[size, size, channels / groups, filters]` and `bias` `[filters]`, of the input's floating-point dtype.
public struct Conv2D: Layer {
  /// The number of filters: the channels of the output.
  public let filters: Int
  /// The number of groups into which the channels are split.
  public let groups: Int
  /// The function applied last.
  public let activation: Activation
  /// The layer's identity and line.
  public let place: Place
  let window: Window2D
  let filter: Parameter
  let bias: Parameter?

  /// Makes a layer; `weights` draws the filter, and the bias begins at 0.
  public init(
    filters: Int, size: Size2D, stride: Size2D = 1, padding: Padding = .valid, dilation: Size2D = 1,
    groups: Int = 1, activation: Activation = .identity, bias: Bool = true,
    weights: Initializer = .xavier, file: String = #fileID, line: Int = #line
  ) {
    self.filters = filters
    self.groups = groups
    self.activation = activation
    place = Place(file: file, line: line)
    window = Window2D(size: size, stride: stride, padding: padding, dilation: dilation)
    filter = Parameter(weights)
    self.bias = bias ? Parameter(.zeros) : nil
  }

  /// The feature maps for images `[n, height, width, channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked(
        "Conv2D with \(filters) filters of \(window.size.height)x\(window.size.width) in \(groups) "
          + "group(s) takes [n, height, width, channels]"
      ) { type in
        window.isValid && groups >= 1 && filters >= groups && filters % groups == 0
          && type.shape.rank == 4 && type.shape[3] % groups == 0 && type.dtype.isFloat
      } then: {
        let shape = window.size.extents + [input.shape[3] / groups, filters]
        let maps = input.convolved(
          with: filter(shape, input.dtype), stride: window.stride.extents,
          padding: window.padding(for: [input.shape[1], input.shape[2]]),
          dilation: window.dilation.extents, groups: groups)
        return activation(bias.map { maps + $0([filters], input.dtype) } ?? maps)
      }
    }
  }
}
