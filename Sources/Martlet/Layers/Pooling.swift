import GraphIR

/// The maximum of each window of a sequence; see `MaxPool`.
public typealias MaxPool1D = MaxPool<OneDimension>
/// The maximum of each window of an image; see `MaxPool`.
public typealias MaxPool2D = MaxPool<TwoDimensions>
/// The maximum of each window of a volume; see `MaxPool`.
public typealias MaxPool3D = MaxPool<ThreeDimensions>

/// The maximum of each window of an image.
///
/// Maps `[n, spatial..., channels]` to `[n, spatial'..., channels]`. Padding never wins, and is less than
/// the size.
public struct MaxPool<Rank: SpatialRank>: Layer, RankedLayer {
  /// The layer's identity and line.
  public let place: Place
  let window: SlidingWindow

  static var layerName: String { "MaxPool\(Rank.count)D" }

  /// Makes a layer; the stride is the size unless it is given.
  public init(
    size: Extents, stride: Extents? = nil, padding: Padding = .valid, file: String = #fileID,
    line: Int = #line
  ) {
    place = Place(file: file, line: line)
    window = SlidingWindow(size: size, stride: stride ?? size, padding: padding)
  }

  /// The pooled images for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.windowed(poolingBy: window, Self.layerName, Rank.self) { input.pooled(.max, $0) }
    }
  }
}

/// The mean of each window of a sequence; see `AvgPool`.
public typealias AvgPool1D = AvgPool<OneDimension>
/// The mean of each window of an image; see `AvgPool`.
public typealias AvgPool2D = AvgPool<TwoDimensions>
/// The mean of each window of a volume; see `AvgPool`.
public typealias AvgPool3D = AvgPool<ThreeDimensions>

/// The mean of each window of an image.
///
/// Maps `[n, spatial..., channels]` to `[n, spatial'..., channels]`. Padding does not count: a window that reaches over
/// the edge is divided by the number of elements that it covers.
public struct AvgPool<Rank: SpatialRank>: Layer, RankedLayer {
  /// The layer's identity and line.
  public let place: Place
  let window: SlidingWindow

  static var layerName: String { "AvgPool\(Rank.count)D" }

  /// Makes a layer; the stride is the size unless it is given.
  public init(
    size: Extents, stride: Extents? = nil, padding: Padding = .valid, file: String = #fileID,
    line: Int = #line
  ) {
    place = Place(file: file, line: line)
    window = SlidingWindow(size: size, stride: stride ?? size, padding: padding)
  }

  /// The pooled images for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.windowed(poolingBy: window, Self.layerName, Rank.self) { window in
        let sums = input.pooled(.sum, window)
        guard sums.type != nil else { return sums }
        let padding = window.padding(for: input.spatialExtents)
        guard padding.contains(where: { $0 != [0, 0] }) else {
          return sums * (1 / Double(window.size.reduce(1, *)))
        }
        let counts = window.counts(sums.spatialExtents, of: input.spatialExtents)
        let type = TensorType(input.dtype, Shape([1] + sums.spatialExtents + [1]))
        return sums * Tensor(Literal(type, doubles: counts.map { 1 / Double($0) }))
      }
    }
  }
}

/// The Euclidean norm of each window of a sequence; see `L2Pool`.
public typealias L2Pool1D = L2Pool<OneDimension>
/// The Euclidean norm of each window of an image; see `L2Pool`.
public typealias L2Pool2D = L2Pool<TwoDimensions>
/// The Euclidean norm of each window of a volume; see `L2Pool`.
public typealias L2Pool3D = L2Pool<ThreeDimensions>

/// The Euclidean norm of each window of an image: the root of the sum of squares (Sermanet, Chintala and LeCun,
/// "Convolutional neural networks applied to house numbers digit classification", ICPR 2012).
///
/// Maps `[n, spatial..., channels]` to `[n, spatial'..., channels]`. Where a window holds only zeros, the gradient is 0.
public struct L2Pool<Rank: SpatialRank>: Layer, RankedLayer {
  /// The layer's identity and line.
  public let place: Place
  let window: SlidingWindow

  static var layerName: String { "L2Pool\(Rank.count)D" }

  /// Makes a layer; the stride is the size unless it is given.
  public init(
    size: Extents, stride: Extents? = nil, padding: Padding = .valid, file: String = #fileID,
    line: Int = #line
  ) {
    place = Place(file: file, line: line)
    window = SlidingWindow(size: size, stride: stride ?? size, padding: padding)
  }

  /// The pooled images for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.windowed(poolingBy: window, Self.layerName, Rank.self) { window in
        let squares = input.squared().pooled(.sum, window)
        // The root's slope at 0 is infinite: 0 takes another way.
        let isZero = squares.isEqual(to: 0)
        let zero = Tensor(0, input.dtype)
        return isZero.select(zero, otherwise: isZero.select(zero + 1, otherwise: squares).sqrt())
      }
    }
  }
}

extension Tensor {
  /// Goes on with a layer that pools when its input fits, and each window covers some of the image.
  fileprivate func windowed<Rank: SpatialRank>(
    poolingBy window: SlidingWindow, _ layer: String, _ rank: Rank.Type,
    then body: (SlidingWindow.Numbers) -> Tensor
  ) -> Tensor {
    let numbers = window.numbers(rank: Rank.count)
    return windowed("\(layer) of \(window.size) (padded by less)", window, rank) { extents in
      let padding = numbers?.padding(for: Array(extents.dropFirst().dropLast())) ?? []
      return zip(padding, numbers?.size ?? []).allSatisfy { sides, size in
        sides.allSatisfy { $0 < size }
      }
    } then: {
      body($0)
    }
  }

  /// Combines the elements of each window of images `[n, spatial..., channels]`.
  fileprivate func pooled(
    _ function: ReduceFunction, _ window: SlidingWindow.Numbers
  ) -> Tensor {
    let operation = ReduceWindow(
      function,
      window: Window(
        size: [1] + window.size + [1], stride: [1] + window.stride + [1],
        padding: [[0, 0]] + window.padding(for: spatialExtents) + [[0, 0]]))
    return Tensor.apply(.reduceWindow(operation), [self], .unknown)
  }
}

extension SlidingWindow.Numbers {
  /// How many elements of an image each window covers, at least 1, in row-major order of the windows.
  fileprivate func counts(_ windows: [Int], of image: [Int]) -> [Int] {
    let padding = padding(for: image)
    return image.indices.reduce([1]) { counts, axis in
      counts.flatMap { count in
        (0..<windows[axis]).map { position in
          let start = position * stride[axis] - padding[axis][0]
          let covered = Swift.min(start + size[axis], image[axis]) - Swift.max(start, 0)
          return count * Swift.max(covered, 1)
        }
      }
    }
  }
}
