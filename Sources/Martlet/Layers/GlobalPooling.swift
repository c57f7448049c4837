import GraphIR

/// The mean of each channel over a whole image (Lin, Chen and Yan, "Network in network", ICLR 2014).
///
/// Maps `[n, spatial..., channels]` to `[n, channels]`.
public struct GlobalAvgPool: Layer {
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer.
  public init(file: String = #fileID, line: Int = #line) { place = Place(file: file, line: line) }

  /// The channels' means for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.overImage("GlobalAvgPool") { input.mean(over: $0, .unknown) }
    }
  }
}

/// The maximum of each channel over a whole image.
///
/// Maps `[n, spatial..., channels]` to `[n, channels]`.
public struct GlobalMaxPool: Layer {
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer.
  public init(file: String = #fileID, line: Int = #line) { place = Place(file: file, line: line) }

  /// The channels' maxima for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.overImage("GlobalMaxPool") { input.reduced(.max, $0, false, .unknown) }
    }
  }
}

/// Pools images of any size to images of a given one: cell i of n covers the elements from `floor(i * extent / n)` to
/// before `ceil((i + 1) * extent / n)` (He et al., "Spatial pyramid pooling", ECCV 2014).
///
/// Maps `[n, spatial..., channels]` to `[n, cells..., channels]`.
public struct AdaptivePool: Layer {
  /// How a cell's elements are combined.
  public enum Function: Hashable, Sendable {
    /// Their mean.
    case average
    /// Their maximum.
    case max
  }

  /// How a cell's elements are combined.
  public let function: Function
  /// The number of cells along each dimension.
  public let cells: Extents
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer.
  public init(
    _ function: Function, to cells: Extents, file: String = #fileID, line: Int = #line
  ) {
    self.function = function
    self.cells = cells
    place = Place(file: file, line: line)
  }

  /// The pooled images for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      let counts = cells.numbers(rank: Swift.max(input.rank - 2, 1), in: 1...0xFFFF)
      return input.overImage("AdaptivePool to \(cells) cells, from 1,") { axes in
        guard let counts else { return input }
        return zip(axes, counts).reduce(input) { image, part in
          image.pooled(function, to: part.1, along: part.0)
        }
      } where: {
        counts != nil
      }
    }
  }
}

extension Tensor {
  /// Goes on with the axes of an image `[n, spatial..., channels]` between the first and the last, when it has some.
  fileprivate func overImage(
    _ layer: String, _ body: ([Int]) -> Tensor, where isFitting: () -> Bool = { true }
  ) -> Tensor {
    checked("\(layer) takes floats [n, spatial..., channels], not empty") {
      $0.shape.rank >= 3 && $0.shape.extents.dropFirst().dropLast().allSatisfy { $0 > 0 }
        && $0.dtype.isFloat && isFitting()
    } then: {
      body(Array(1..<rank - 1))
    }
  }

  /// Pools one axis to a number of cells: a rectangle's mean is the mean of its rows' means.
  fileprivate func pooled(
    _ function: AdaptivePool.Function, to cells: Int, along axis: Int
  ) -> Tensor {
    let extent = shape[axis]
    guard extent != cells else { return self }
    let parts = (0..<cells).map { cell in
      let start = cell * extent / cells
      let end = ((cell + 1) * extent + cells - 1) / cells
      let part = sliced(start..<end, axis: axis)
      return switch function {
      case .average: part.mean(over: [axis], keepingDimensions: true, .unknown)
      case .max: part.reduced(.max, [axis], true, .unknown)
      }
    }
    return Tensor.concatenated(parts, axis: axis)
  }
}
