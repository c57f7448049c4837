/// The static extents of a tensor, outermost dimension first.
///
/// A scalar has no dimensions.
///
/// Extents are never negative in a verified graph, and the element count fits in an `Int`;
/// `Shape.checked` says so of extents that come from outside.
public struct Shape: Hashable, Sendable {
  /// The extent of each dimension.
  public var extents: [Int]

  /// Makes a shape of the given extents, which are not checked.
  public init(_ extents: [Int]) { self.extents = extents }

  /// The largest number of elements that a tensor may have.
  public static let maximumElementCount = 1 << 48

  /// Makes a shape of extents that come from a user or a file.
  ///
  /// - Returns: nil when an extent is negative or the element count exceeds `maximumElementCount`.
  public static func checked(_ extents: [Int]) -> Shape? {
    var nonzeroProduct = 1
    for extent in extents {
      guard extent >= 0 else { return nil }
      let (product, overflow) = nonzeroProduct.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow, product <= maximumElementCount else { return nil }
      nonzeroProduct = product
    }
    return Shape(extents)
  }

  /// The number of dimensions.
  public var rank: Int { extents.count }

  /// The number of elements: the product of the extents, 1 for a scalar.
  public var elementCount: Int { extents.reduce(1, *) }

  /// The extent of one dimension.
  public subscript(dimension: Int) -> Int {
    get { extents[dimension] }
    set { extents[dimension] = newValue }
  }

  /// The distance, in elements, between neighbours along each dimension of a dense row-major
  /// tensor.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for dimension in extents.indices.dropLast().reversed() {
      strides[dimension] = strides[dimension + 1] * extents[dimension + 1]
    }
    return strides
  }
}

extension Shape: ExpressibleByArrayLiteral {
  /// Makes a shape of the given extents.
  public init(arrayLiteral extents: Int...) { self.init(extents) }
}

extension Shape: CustomStringConvertible {
  /// The extents as the textual IR writes them: `[64,10]`.
  public var description: String { "[" + extents.map(String.init).joined(separator: ",") + "]" }
}
