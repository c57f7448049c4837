/// What surrounds an image before windows are laid on it.
public enum Padding: Hashable, Sendable {
  /// Nothing: windows lie within the image (a *narrow* convolution).
  case valid
  /// As much as makes the output as large as the input divided by the stride, rounded up; an odd element is put
  /// after.
  case same
  /// Half a window, rounded down, on each side: an odd window of stride 1 keeps the image's extents (Dumoulin and Visin, "A
  /// guide to convolution arithmetic for deep learning", 2016). At larger strides `same` puts less before the image.
  case half
  /// As much as lets every window that touches the image count (a *wide* convolution): one less than the window's
  /// extent on each side.
  case full
  /// A number of elements on each side, for each dimension.
  case explicit(Extents)
}

/// Where a layer lays its windows on an image.
struct SlidingWindow: Hashable, Sendable {
  var size: Extents
  var stride: Extents
  var padding: Padding = .valid
  var dilation: Extents = 1

  /// The numbers for images of a rank.
  struct Numbers: Hashable, Sendable {
    var size: [Int]
    var stride: [Int]
    var dilation: [Int]
    var padding: Padding
    /// The padding of each dimension where it is given.
    private var explicit: [Int]?

    fileprivate init?(_ window: SlidingWindow, rank: Int) {
      let counts = 1...0xFFFF
      guard let size = window.size.numbers(rank: rank, in: counts),
        let stride = window.stride.numbers(rank: rank, in: counts),
        let dilation = window.dilation.numbers(rank: rank, in: counts)
      else { return nil }
      if case .explicit(let extents) = window.padding {
        guard let numbers = extents.numbers(rank: rank, in: 0...0xFFFF) else { return nil }
        explicit = numbers
      }
      self.size = size
      self.stride = stride
      self.dilation = dilation
      padding = window.padding
    }

    /// What a window covers along each dimension, from its first element to its last.
    var covered: [Int] { zip(size, dilation).map { ($0 - 1) * $1 + 1 } }

    /// The padding `[low, high]` of each dimension for an image of the given extents.
    func padding(for image: [Int]) -> [[Int]] {
      switch padding {
      case .valid: image.map { _ in [0, 0] }
      case .half: covered.map { [$0 / 2, $0 / 2] }
      case .full: covered.map { [$0 - 1, $0 - 1] }
      case .explicit: (explicit ?? []).map { [$0, $0] }
      case .same:
        image.indices.map { axis in
          let windows = (image[axis] + stride[axis] - 1) / stride[axis]
          let total = max((windows - 1) * stride[axis] + covered[axis] - image[axis], 0)
          return [total / 2, total - total / 2]
        }
      }
    }
  }

  /// The numbers for images of a rank; nil when they make no sense.
  func numbers(rank: Int) -> Numbers? { Numbers(self, rank: rank) }
}
