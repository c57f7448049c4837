import GraphIR

/// The order in which the dimensions of a value are stored: stored dimension i is the value's dimension `order[i]`.
struct Layout: Hashable, Sendable {
  /// The value's dimension that each stored one is.
  var order: [Int]

  init(_ order: [Int]) { self.order = order }

  /// The layout of values as they are.
  static func natural(_ rank: Int) -> Layout { Layout(Array(0..<rank)) }

  /// For each dimension of the value the stored one that it is.
  var places: [Int] {
    var places = order
    for (place, dimension) in order.enumerated() { places[dimension] = place }
    return places
  }

  /// What is given for each dimension, in the stored order.
  func stored<T>(_ perDimension: [T]) -> [T] { order.map { perDimension[$0] } }

  /// The transposition of what is stored so into another layout.
  func permutation(to other: Layout) -> [Int] {
    let places = places
    return other.order.map { places[$0] }
  }

  /// The order of the dimensions that have several indices: where a dimension of one index is stored is all the same.
  func core(_ shape: Shape) -> [Int] { order.filter { shape[$0] != 1 } }
}

/// The layouts of what a node reads and of what it gives.
struct NodeLayout: Hashable, Sendable {
  /// The layout of each operand.
  var operands: [Layout]
  /// The layout of the result; of each, where there are several.
  var result: Layout
}
