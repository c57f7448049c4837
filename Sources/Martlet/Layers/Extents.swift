/// A number for each spatial dimension of an image: one literal stands for all, a list for each.
///
/// ```swift
/// Conv2D(filters: 16, size: 3)
/// Conv2D(filters: 16, size: [1, 7])
/// ```
public struct Extents: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  private enum Form: Hashable, Sendable {
    case same(Int)
    case each([Int])
  }

  private let form: Form

  /// Makes the same number for every dimension.
  public init(_ number: Int) { form = .same(number) }
  /// Makes a number for each dimension, outermost first: height, width.
  public init(_ numbers: [Int]) { form = .each(numbers) }
  /// Makes the same number for every dimension.
  public init(integerLiteral number: Int) { self.init(number) }
  /// Makes a number for each dimension, outermost first: height, width.
  public init(arrayLiteral numbers: Int...) { self.init(numbers) }

  /// The numbers for a count of dimensions; nil when there are more or fewer of them, or one is not in a range.
  func numbers(rank: Int, in range: ClosedRange<Int>) -> [Int]? {
    let numbers =
      switch form {
      case .same(let number): [Int](repeating: number, count: max(rank, 0))
      case .each(let numbers): numbers
      }
    return numbers.count == rank && numbers.allSatisfy(range.contains) ? numbers : nil
  }
}

extension Extents: CustomStringConvertible {
  /// The numbers: `3`, or `1x7`.
  public var description: String {
    switch form {
    case .same(let number): "\(number)"
    case .each(let numbers): numbers.map(String.init).joined(separator: "x")
    }
  }
}

/// How many spatial dimensions a layer's images have; a type, so that the layers of all ranks are written once.
public protocol SpatialRank: Sendable {
  /// The number of dimensions.
  static var count: Int { get }
}

/// Sequences `[n, length, channels]`.
public enum OneDimension: SpatialRank {
  /// One.
  public static var count: Int { 1 }
}

/// Images `[n, height, width, channels]`.
public enum TwoDimensions: SpatialRank {
  /// Two.
  public static var count: Int { 2 }
}

/// Volumes `[n, depth, height, width, channels]`.
public enum ThreeDimensions: SpatialRank {
  /// Three.
  public static var count: Int { 3 }
}

extension SpatialRank {
  /// How diagnostics write the images that a layer takes.
  static var imageForm: String {
    switch count {
    case 1: "[n, length, channels]"
    case 2: "[n, height, width, channels]"
    case 3: "[n, depth, height, width, channels]"
    default: "[n, \(count) spatial dimensions, channels]"
    }
  }
}

/// A layer that exists for several ranks under names of their own: `Conv1D`, `Conv2D`.
protocol RankedLayer: Layer {
  /// The layer's name as users write it.
  static var layerName: String { get }
}
