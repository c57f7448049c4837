import GraphIR

/// A convolution (cross-correlation) of sequences `[n, length, channels]`; see `Conv`.
public typealias Conv1D = Conv<OneDimension>
/// A convolution (cross-correlation) of images `[n, height, width, channels]`; see `Conv`.
public typealias Conv2D = Conv<TwoDimensions>
/// A convolution (cross-correlation) of volumes `[n, depth, height, width, channels]`; see `Conv`.
public typealias Conv3D = Conv<ThreeDimensions>

/// A convolution (cross-correlation): `activation(x * filter + bias)`.
///
/// Maps images `[n, spatial..., channels]` to `[n, spatial'..., filters]`. Parameters: `filter`
/// `[size..., channels / groups, filters]` and `bias` `[filters]`, of the input's floating-point dtype.
public struct Conv<Rank: SpatialRank>: Layer, RankedLayer {
  /// The number of filters: the channels of the output.
  public let filters: Int
  /// The number of groups into which the channels are split.
  public let groups: Int
  /// The function applied last.
  public let activation: Activation
  /// The layer's identity and line.
  public let place: Place
  let window: SlidingWindow
  let filter: Parameter
  let bias: Parameter?

  static var layerName: String { "Conv\(Rank.count)D" }

  /// Makes a layer; `weights` draws the filter, and the bias begins at 0.
  public init(
    filters: Int, size: Extents, stride: Extents = 1, padding: Padding = .valid,
    dilation: Extents = 1, groups: Int = 1, activation: Activation = .identity, bias: Bool = true,
    weights: Initializer = .xavier, file: String = #fileID, line: Int = #line
  ) {
    self.filters = filters
    self.groups = groups
    self.activation = activation
    place = Place(file: file, line: line)
    window = SlidingWindow(size: size, stride: stride, padding: padding, dilation: dilation)
    filter = Parameter(weights)
    self.bias = bias ? Parameter(.zeros) : nil
  }

  /// The feature maps for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.windowed(
        "\(Self.layerName) with \(filters) filters of \(window.size) in \(groups) group(s)",
        window, Rank.self
      ) {
        groups >= 1 && filters >= groups && filters % groups == 0 && $0.last ?? 0 >= groups
          && ($0.last ?? 0) % groups == 0
      } then: { numbers in
        let shape = numbers.size + [input.shape[-1] / groups, filters]
        let maps = input.convolved(
          with: filter(shape, input.dtype), stride: numbers.stride,
          padding: numbers.padding(for: input.spatialExtents),
          dilation: numbers.dilation, groups: groups)
        return activation(bias.map { maps + $0([filters], input.dtype) } ?? maps)
      }
    }
  }
}

/// A depthwise convolution of sequences `[n, length, channels]`; see `DepthwiseConv`.
public typealias DepthwiseConv1D = DepthwiseConv<OneDimension>
/// A depthwise convolution of images `[n, height, width, channels]`; see `DepthwiseConv`.
public typealias DepthwiseConv2D = DepthwiseConv<TwoDimensions>
/// A depthwise convolution of volumes `[n, depth, height, width, channels]`; see `DepthwiseConv`.
public typealias DepthwiseConv3D = DepthwiseConv<ThreeDimensions>

/// A convolution of each channel by itself, with filters of its own.
///
/// Maps images `[n, spatial..., channels]` to `[n, spatial'..., channels * multiplier]`; the results of one channel lie
/// side by side. Parameters: `filter` `[size..., 1, channels * multiplier]` and `bias` `[channels * multiplier]`.
public struct DepthwiseConv<Rank: SpatialRank>: Layer, RankedLayer {
  /// The number of filters for each channel.
  public let multiplier: Int
  /// The function applied last.
  public let activation: Activation
  /// The layer's identity and line.
  public let place: Place
  let window: SlidingWindow
  let filter: Parameter
  let bias: Parameter?

  static var layerName: String { "DepthwiseConv\(Rank.count)D" }

  /// Makes a layer; `weights` draws the filters, and the bias begins at 0.
  public init(
    size: Extents, multiplier: Int = 1, stride: Extents = 1, padding: Padding = .valid,
    dilation: Extents = 1, activation: Activation = .identity, bias: Bool = true,
    weights: Initializer = .xavier, file: String = #fileID, line: Int = #line
  ) {
    self.multiplier = multiplier
    self.activation = activation
    place = Place(file: file, line: line)
    window = SlidingWindow(size: size, stride: stride, padding: padding, dilation: dilation)
    filter = Parameter(weights)
    self.bias = bias ? Parameter(.zeros) : nil
  }

  /// The feature maps for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.windowed(
        "\(Self.layerName) with \(multiplier) filter(s) of \(window.size) a channel", window,
        Rank.self
      ) {
        multiplier >= 1 && $0.last ?? 0 >= 1
          && !($0.last ?? 0).multipliedReportingOverflow(by: multiplier).overflow
      } then: { numbers in
        let channels = input.shape[-1]
        let count = channels * multiplier
        let maps = input.convolved(
          with: filter(numbers.size + [1, count], input.dtype), stride: numbers.stride,
          padding: numbers.padding(for: input.spatialExtents),
          dilation: numbers.dilation, groups: channels)
        return activation(bias.map { maps + $0([count], input.dtype) } ?? maps)
      }
    }
  }
}

/// A depthwise-separable convolution of sequences `[n, length, channels]`; see `SeparableConv`.
public typealias SeparableConv1D = SeparableConv<OneDimension>
/// A depthwise-separable convolution of images `[n, height, width, channels]`; see `SeparableConv`.
public typealias SeparableConv2D = SeparableConv<TwoDimensions>
/// A depthwise-separable convolution of volumes `[n, depth, height, width, channels]`; see `SeparableConv`.
public typealias SeparableConv3D = SeparableConv<ThreeDimensions>

/// A depthwise convolution and one of size 1 that mixes the channels: nearly a full convolution for a fraction of its
/// work (Sifre, "Rigid-motion scattering for image classification", 2014; Howard et al., "MobileNets", 2017).
///
/// Maps images `[n, spatial..., channels]` to `[n, spatial'..., filters]`. Parameters are those of its two layers,
/// `depthwise.filter` and `pointwise.filter`, and `pointwise.bias`.
public struct SeparableConv<Rank: SpatialRank>: Layer, RankedLayer {
  /// The layer's identity and line.
  public let place: Place
  let depthwise: DepthwiseConv<Rank>
  let pointwise: Conv<Rank>

  static var layerName: String { "SeparableConv\(Rank.count)D" }

  /// Makes a layer; `weights` draws both filters, and the bias begins at 0.
  public init(
    filters: Int, size: Extents, multiplier: Int = 1, stride: Extents = 1,
    padding: Padding = .valid, dilation: Extents = 1, activation: Activation = .identity,
    bias: Bool = true, weights: Initializer = .xavier, file: String = #fileID, line: Int = #line
  ) {
    place = Place(file: file, line: line)
    depthwise = DepthwiseConv(
      size: size, multiplier: multiplier, stride: stride, padding: padding, dilation: dilation,
      bias: false, weights: weights, file: file, line: line)
    pointwise = Conv(
      filters: filters, size: 1, activation: activation, bias: bias, weights: weights, file: file,
      line: line)
  }

  /// The feature maps for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) { pointwise(depthwise(input)) }
  }
}

extension Tensor {
  /// The extents of an image `[n, spatial..., channels]` without the first and the last.
  var spatialExtents: [Int] { Array(shape.extents.dropFirst().dropLast()) }

  /// Goes on with a layer that lays windows on images when its input fits and its numbers make sense; otherwise records
  /// what the layer takes and what it was given.
  ///
  /// - Parameter isFitting: What else must hold of the extents of the input.
  func windowed<Rank: SpatialRank>(
    _ layer: String, _ window: SlidingWindow, _ rank: Rank.Type,
    _ isFitting: ([Int]) -> Bool = { _ in true },
    then body: (SlidingWindow.Numbers) -> Tensor
  ) -> Tensor {
    let numbers = window.numbers(rank: Rank.count)
    return checked("\(layer) takes \(Rank.imageForm), and sizes and strides from 1") {
      numbers != nil && $0.shape.rank == Rank.count + 2 && $0.dtype.isFloat
        && isFitting($0.shape.extents)
    } then: {
      guard let numbers else { return self }
      let maps = body(numbers)
      guard maps.type != nil, maps.shape.elementCount == 0, shape.elementCount > 0 else {
        return maps
      }
      return Tensor.apply([self], "a layer is used", .unknown) { context, location in
        context.fail(
          Diagnostic(
            .shapeMismatch, "\(layer) leaves nothing of the input \(describedType)", at: location,
            notes: [context.note("the input", self)],
            hint: "a window covers \(Extents(numbers.covered)) elements; padding enlarges the image"
          ))
      }
    }
  }
}
