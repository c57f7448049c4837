import Martlet

/// A convolution, batch normalization, and an activation: the brick that networks have been built of since 2015.
///
/// The convolution has no bias, which the normalization would take away again.
func normalizedConvolution(
  _ filters: Int, size: Extents = 3, stride: Extents = 1, padding: Padding = .half,
  activation: Activation = .identity, epsilon: Double = 1e-5, file: String = #fileID,
  line: Int = #line
) -> Sequential {
  normalized(
    Conv2D(
      filters: filters, size: size, stride: stride, padding: padding, bias: false, weights: .he,
      file: file, line: line),
    activation, epsilon, file, line)
}

/// The same with a convolution of 3x3 that looks at each channel by itself.
func normalizedDepthwise(
  stride: Extents = 1, activation: Activation, file: String = #fileID, line: Int = #line
) -> Sequential {
  normalized(
    DepthwiseConv2D(
      size: 3, stride: stride, padding: .half, bias: false, weights: .he, file: file, line: line),
    activation, 1e-5, file, line)
}

private func normalized(
  _ convolution: any Layer, _ activation: Activation, _ epsilon: Double, _ file: String, _ line: Int
) -> Sequential {
  let norm = BatchNorm(epsilon: epsilon, file: file, line: line)
  return Sequential([convolution, norm, activation], file: file, line: line)
}
