import GraphIR

/// The maximum of each window of an image.
///
/// Maps `[n, height, width, channels]` to `[n, height', width', channels]`. Padding never wins.
public struct MaxPool2D: Layer {
  /// The layer's identity and line.
  public let place: Place
  let window: Window2D

  /// Makes a layer; the stride is the size unless it is given.
  public init(
    size: Size2D, stride: Size2D? = nil, padding: Padding = .valid, file: String = #fileID,
    line: Int = #line
  ) {
    place = Place(file: file, line: line)
    window = Window2D(size: size, stride: stride ?? size, padding: padding)
  }

  /// The pooled images for images `[n, height, width, channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) { input.pooled(.max, window, "MaxPool2D") }
  }
}

/// The mean of each window of an image.
///
/// Maps `[n, height, width, channels]` to `[n, height', width', channels]`. Padding does not count: a window that
/// reaches over the edge is divided by the number of elements that it covers.
public struct AvgPool2D: Layer {
  /// The layer's identity and line.
  public let place: Place
  let window: Window2D

  /// Makes a layer; the stride is the size unless it is given.
  public init(
    size: Size2D, stride: Size2D? = nil, padding: Padding = .valid, file: String = #fileID,
    line: Int = #line
  ) {
    place = Place(file: file, line: line)
    window = Window2D(size: size, stride: stride ?? size, padding: padding)
  }

  /// The pooled images for images `[n, height, width, channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      let sums = input.pooled(.sum, window, "AvgPool2D")
      guard sums.type != nil, let image = input.type?.shape else { return sums }
      let padding = window.padding(for: [image[1], image[2]])
      guard padding.contains(where: { $0 != [0, 0] }) else {
        return sums * (1 / Double(window.size.height * window.size.width))
      }
      let counts = (0..<2).map { axis in
        (0..<sums.shape[axis + 1]).map {
          window.covered(by: $0, along: axis, of: image[axis + 1], padding)
        }
      }
      let reciprocals = counts[0].flatMap { rows in
        counts[1].map { 1 / Double(Swift.max(rows * $0, 1)) }
      }
      let type = TensorType(input.dtype, [1, counts[0].count, counts[1].count, 1])
      return sums * Tensor(Literal(type, doubles: reciprocals))
    }
  }
}

/// The mean of each channel over a whole image.
///
/// Maps `[n, height, width, channels]` to `[n, channels]`.
public struct GlobalAvgPool2D: Layer {
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer.
  public init(file: String = #fileID, line: Int = #line) { place = Place(file: file, line: line) }

  /// The channels' means for images `[n, height, width, channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("GlobalAvgPool2D takes floats [n, height, width, channels], not empty") {
        $0.shape.rank == 4 && $0.shape[1] * $0.shape[2] > 0 && $0.dtype.isFloat
      } then: {
        input.mean(1, 2)
      }
    }
  }
}

extension Tensor {
  /// Combines the elements of each window of images `[n, height, width, channels]`.
  fileprivate func pooled(
    _ function: ReduceFunction, _ window: Window2D, _ name: String
  ) -> Tensor {
    checked("\(name) takes [n, height, width, channels] and a size and stride of at least 1") {
      window.isValid && $0.shape.rank == 4 && $0.dtype.isFloat
    } then: {
      let padding = window.padding(for: [shape[1], shape[2]])
      let operation = ReduceWindow(
        function,
        window: Window(
          size: [1] + window.size.extents + [1], stride: [1] + window.stride.extents + [1],
          padding: [[0, 0]] + padding + [[0, 0]]))
      return Tensor.apply(.reduceWindow(operation), [self], .unknown)
    }
  }
}

extension Window2D {
  /// How many elements of an image of the given extent a window covers along an axis.
  fileprivate func covered(by position: Int, along axis: Int, of extent: Int, _ padding: [[Int]])
    -> Int
  {
    let start = position * stride.extents[axis] - padding[axis][0]
    return Swift.max(min(start + size.extents[axis], extent) - Swift.max(start, 0), 0)
  }
}
