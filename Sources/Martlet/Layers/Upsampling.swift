import GraphIR

/// Enlarges images by whole numbers.
///
/// Maps `[n, spatial..., channels]` to `[n, spatial * scale..., channels]`.
public struct Upsample: Layer {
  /// Where an element between those of the input comes from.
  public enum Interpolation: Hashable, Sendable {
    /// From the nearest: each element is repeated.
    case nearest
    /// Linear between the two neighbours along each dimension; the centres of pixels lie at halves, and the edges
    /// repeat (`align_corners = false` of other libraries).
    case linear
  }

  /// Where an element between those of the input comes from.
  public let interpolation: Interpolation
  /// How many times as large each dimension becomes.
  public let scale: Extents
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer.
  public init(
    by scale: Extents, _ interpolation: Interpolation = .nearest, file: String = #fileID,
    line: Int = #line
  ) {
    self.scale = scale
    self.interpolation = interpolation
    place = Place(file: file, line: line)
  }

  /// The enlarged images for images `[n, spatial..., channels]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      let scales = scale.numbers(rank: Swift.max(input.rank - 2, 1), in: 1...0xFFFF)
      return input.checked("Upsample by \(scale), from 1, takes floats [n, spatial..., channels]") {
        $0.shape.rank >= 3 && $0.dtype.isFloat && scales != nil
      } then: {
        (scales ?? []).enumerated().reduce(input) { image, part in
          part.element == 1
            ? image : image.enlarged(by: part.element, along: part.offset + 1, interpolation)
        }
      }
    }
  }
}

extension Tensor {
  /// Enlarges one axis.
  fileprivate func enlarged(
    by scale: Int, along axis: Int, _ interpolation: Upsample.Interpolation
  ) -> Tensor {
    let extents = shape.extents
    switch interpolation {
    case .nearest:
      let (outer, inner) = (extents[...axis], extents[(axis + 1)...])
      var enlarged = extents
      enlarged[axis] *= scale
      return reshaped(to: outer + [1] + inner).broadcast(to: outer + [scale] + inner)
        .reshaped(to: enlarged)
    case .linear:
      return interpolated(by: scale, along: axis)
    }
  }

  /// Element `i * scale + phase` lies `(phase + 1/2) / scale - 1/2` after element i of the input: between it and one
  /// neighbour, which for the first half of the phases is the one before.
  private func interpolated(by scale: Int, along axis: Int) -> Tensor {
    let extents = shape.extents
    let extent = extents[axis]
    guard extent > 0 else { return enlarged(by: scale, along: axis, .nearest) }
    func edge(_ position: Int) -> Tensor { sliced(position..<position + 1, axis: axis) }
    let before = Tensor.concatenated([edge(0), sliced(0..<extent - 1, axis: axis)], axis: axis)
    let after = Tensor.concatenated([sliced(1..<extent, axis: axis), edge(extent - 1)], axis: axis)
    let phases = (0..<scale).map { phase in
      let distance = (Double(phase) + 0.5) / Double(scale) - 0.5
      let neighbour = distance < 0 ? before : after
      let mixed =
        distance == 0
        ? self : self * (1 - distance.magnitude) + neighbour * distance.magnitude
      return mixed.expanded(at: axis + 1)
    }
    var enlarged = extents
    enlarged[axis] *= scale
    return Tensor.concatenated(phases, axis: axis + 1).reshaped(to: enlarged)
  }
}
