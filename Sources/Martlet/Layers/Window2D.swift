/// Two numbers, for the height and the width of an image; one literal stands for both.
public struct Size2D: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// The number for the height.
  public var height: Int
  /// The number for the width.
  public var width: Int

  /// Makes a pair of numbers.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// Makes a pair of twice the same number.
  public init(integerLiteral value: Int) { self.init(value, value) }

  var extents: [Int] { [height, width] }
}

/// What surrounds an image before windows are laid on it.
public enum Padding: Hashable, Sendable {
  /// As much as makes the output as large as the input divided by the stride, rounded up; an odd element is put
  /// after.
  case same
  /// Nothing: windows lie within the image.
  case valid
  /// A number of rows above and below, and of columns left and right.
  case explicit(Size2D)
}

/// Where a layer lays its windows on an image.
struct Window2D: Hashable, Sendable {
  var size: Size2D
  var stride: Size2D
  var padding: Padding
  var dilation: Size2D = 1

  /// Whether the numbers make sense at all.
  var isValid: Bool {
    let counts = size.extents + stride.extents + dilation.extents
    guard counts.allSatisfy({ (1...0xFFFF).contains($0) }) else { return false }
    if case .explicit(let rows) = padding {
      return rows.extents.allSatisfy { (0...0xFFFF).contains($0) }
    }
    return true
  }

  /// The padding `[low, high]` of height and width for an image of the given extents.
  func padding(for image: [Int]) -> [[Int]] {
    switch padding {
    case .valid: [[0, 0], [0, 0]]
    case .explicit(let rows): rows.extents.map { [$0, $0] }
    case .same:
      (0..<2).map { axis in
        let covered = (size.extents[axis] - 1) * dilation.extents[axis] + 1
        let windows = (image[axis] + stride.extents[axis] - 1) / stride.extents[axis]
        let total = max((windows - 1) * stride.extents[axis] + covered - image[axis], 0)
        return [total / 2, total - total / 2]
      }
    }
  }
}
