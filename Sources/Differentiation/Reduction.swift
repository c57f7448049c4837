import GraphIR

extension Differentiator {
  /// The elements that are equal to the maximum or minimum share its gradient in equal parts.
  mutating func visit(_ op: Reduce) throws(Diagnostic) -> VectorJacobianProduct {
    let (x, y, g) = (operands[0], result, gradient)
    if shape(of: x).elementCount == 0 { return .gradients([nil]) }
    switch op.function {
    case .sum: return .gradients([try unreduce(g, op, like: x)])
    case .product:
      let others = try productOfOthers(x, op.dimensions)
      return .gradients([try multiply(unreduce(g, op, like: x), others)])
    case .max, .min:
      let isExtreme = try compare(.equal, x, unreduce(y, op, like: x))
      let dtype = type(of: x).dtype
      let count = try reduce(.sum, convert(isExtreme, to: dtype), op.dimensions)
      let share = try unreduce(divide(g, count), op, like: x)
      return .gradients([try select(isExtreme, share, constant(0, like: x))])
    }
  }

  /// Repeats a reduction's results along the dimensions that were reduced.
  private mutating func unreduce(
    _ reduced: Value, _ op: Reduce, like x: Value
  ) throws(Diagnostic) -> Value {
    let whole = shape(of: x)
    let kept = (0..<whole.rank).filter { !op.dimensions.contains($0) }
    return try broadcast(reduced, to: whole, dimensions: kept)
  }

  /// For each element the product of all others along the given dimensions.
  ///
  /// It is the product of those before and those after, each from products over distances 1, 2, 4, ...
  /// (Hillis and Steele, "Data parallel algorithms", 1986), since dividing by the element fails at zero,
  /// and fails for the gradient's gradient even where a zero is singled out.
  private mutating func productOfOthers(
    _ x: Value, _ dimensions: [Int]
  ) throws(Diagnostic) -> Value {
    let extents = shape(of: x)
    let kept = (0..<extents.rank).filter { !dimensions.contains($0) }
    let order = kept + dimensions
    let keptExtents = kept.map { extents[$0] }
    let count = dimensions.map { extents[$0] }.reduce(1, *)
    let rows = try reshape(transpose(x, order), to: Shape(keptExtents + [count]))
    let products = try multiply(
      productOfEarlier(rows, toward: 1), productOfEarlier(rows, toward: -1))
    let restored = try reshape(products, to: Shape(order.map { extents[$0] }))
    var inverse = order
    for (position, dimension) in order.enumerated() { inverse[dimension] = position }
    return try transpose(restored, inverse)
  }

  /// For each element of the last dimension the product of those before it (direction 1) or after it.
  private mutating func productOfEarlier(
    _ rows: Value, toward direction: Int
  ) throws(Diagnostic) -> Value {
    let count = shape(of: rows).extents.last ?? 1
    var products = try shift(rows, by: direction)
    var distance = 1
    while distance < count - 1 {
      products = try multiply(products, shift(products, by: direction * distance))
      distance *= 2
    }
    return products
  }

  /// Moves the elements of the last dimension and fills up with ones.
  private mutating func shift(_ rows: Value, by distance: Int) throws(Diagnostic) -> Value {
    var low = shape(of: rows).extents.map { _ in 0 }
    low[low.count - 1] = distance
    return try pad(rows, 1, low: low, high: low.map { -$0 })
  }

  mutating func visit(_ op: ArgReduce) throws(Diagnostic) -> VectorJacobianProduct {
    .notDifferentiable("its result is an integer")
  }
}
