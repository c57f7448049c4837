import GraphIR

/// A transposed convolution of sequences `[n, length, channels]`; see `ConvTranspose`.
public typealias ConvTranspose1D = ConvTranspose<OneDimension>
/// A transposed convolution of images `[n, height, width, channels]`; see `ConvTranspose`.
public typealias ConvTranspose2D = ConvTranspose<TwoDimensions>
/// A transposed convolution of volumes `[n, depth, height, width, channels]`; see `ConvTranspose`.
public typealias ConvTranspose3D = ConvTranspose<ThreeDimensions>

/// A transposed convolution: each element of the input lays a scaled filter into the output (Zeiler et al.,
/// "Deconvolutional networks", CVPR 2010).
///
/// It is the gradient of a convolution with respect to its input, and so enlarges images by the stride.
///
/// Maps images `[n, spatial..., channels]` to `[n, spatial'..., filters]`, with
/// `spatial' = (spatial - 1) * stride + (size - 1) * dilation + 1 - 2 * padding + outputPadding`. Parameters: `filter`
/// `[size..., channels, filters]` and `bias` `[filters]`.
public struct ConvTranspose<Rank: SpatialRank>: Layer, RankedLayer {
  /// The number of filters: the channels of the output.
  public let filters: Int
  /// The function applied last.
  public let activation: Activation
  /// The layer's identity and line.
  public let place: Place
  let window: SlidingWindow
  let outputPadding: Extents
  let filter: Parameter
  let bias: Parameter?

  static var layerName: String { "ConvTranspose\(Rank.count)D" }

  /// Makes a layer; `weights` draws the filter, and the bias begins at 0.
  ///
  /// - Parameters:
  ///   - padding: What is cut from each side of the output.
  ///   - outputPadding: What is added to the far side of the output, less than the stride: it chooses among the sizes
  ///     that a convolution of this stride makes equal.
  public init(
    filters: Int, size: Extents, stride: Extents = 1, padding: Extents = 0,
    outputPadding: Extents = 0, dilation: Extents = 1, activation: Activation = .identity,
    bias: Bool = true, weights: Initializer = .xavier, file: String = #fileID, line: Int = #line
  ) {
    self.filters = filters
    self.activation = activation
    self.outputPadding = outputPadding
    place = Place(file: file, line: line)
    window = SlidingWindow(
      size: size, stride: stride, padding: .explicit(padding), dilation: dilation)
    filter = Parameter(weights)
    self.bias = bias ? Parameter(.zeros) : nil
  }

  /// The enlarged maps for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.windowed(
        "\(Self.layerName) with \(filters) filters of \(window.size), stride \(window.stride) and "
          + "output padding \(outputPadding) below it", window, Rank.self
      ) { extents in
        filters >= 1 && extents.last ?? 0 >= 1 && addition != nil
      } then: { numbers in
        let added = addition ?? []
        let cut = numbers.padding(for: input.spatialExtents)
        let padding = numbers.covered.indices.map { axis in
          let reach = numbers.covered[axis] - 1
          return [reach - cut[axis][0], reach - cut[axis][1] + added[axis]]
        }
        let shape = numbers.size + [input.shape[-1], filters]
        let taps = Array(0..<Rank.count)
        let maps = input.convolved(
          with: filter(shape, input.dtype).reversed(axes: taps), padding: padding,
          inputDilation: numbers.stride, dilation: numbers.dilation)
        return activation(bias.map { maps + $0([filters], input.dtype) } ?? maps)
      }
    }
  }

  /// The output padding for each dimension; nil unless each is below the stride.
  private var addition: [Int]? {
    guard let added = outputPadding.numbers(rank: Rank.count, in: 0...0xFFFF),
      let stride = window.stride.numbers(rank: Rank.count, in: 1...0xFFFF),
      zip(added, stride).allSatisfy({ $0 < $1 })
    else { return nil }
    return added
  }
}
