import GraphIR

extension Differentiator {
  /// The slices' gradients are added up where the slices were taken from.
  mutating func visit(_ op: Gather) throws(Diagnostic) -> VectorJacobianProduct {
    let (x, indices, g) = (operands[0], operands[1], gradient)
    if shape(of: g).elementCount == 0 { return .gradients([nil, nil]) }
    // Gather clamps its indices, scatter would drop those that are out of range.
    let type = type(of: indices)
    let last = try highestIndices(op.dimensions, of: x, type)
    let clamped = try append(.clamp(Clamp()), constant(0, type), indices, last)
    let sum = Scatter(.sum, dimensions: op.dimensions, batch: op.batch)
    return .gradients([try append(.scatter(sum), constant(0, like: x), clamped, g), nil])
  }

  /// For each coordinate of the indices the greatest that lies in x.
  private mutating func highestIndices(
    _ dimensions: [Int], of x: Value, _ type: TensorType
  ) throws(Diagnostic) -> Value {
    let highest = dimensions.map { Double(shape(of: x)[$0] - 1) }
    let literal = Literal(TensorType(type.dtype, [dimensions.count]), doubles: highest)
    return try broadcast(constant(literal), to: type.shape, dimensions: [type.shape.rank - 1])
  }

  /// Where updates and the element replaced tie for the maximum or minimum they share the gradient equally.
  mutating func visit(_ op: Scatter) throws(Diagnostic) -> VectorJacobianProduct {
    let updates = operands[2]
    let isEmpty = shape(of: updates).elementCount == 0 || shape(of: gradient).elementCount == 0
    if isEmpty { return .gradients([gradient, nil, nil]) }
    switch op.function {
    case .sum:
      return .gradients([gradient, nil, wants(2) ? try gatherKept(gradient, op) : nil])
    case .assign: return try gradientsOfAssign(op)
    case .max, .min: return try gradientsOfExtreme(op)
    case .product:
      if wants(2) {
        return .notDifferentiable(
          "with respect to the updates of a product it needs the product of the other updates")
      }
      let factors = try append(.scatter(op), constant(1, like: operands[0]), operands[1], updates)
      return .gradients([try multiply(gradient, factors), nil, nil])
    }
  }

  /// What each update finds in x's place, zero for an update that is dropped.
  private mutating func gatherKept(_ x: Value, _ op: Scatter) throws(Diagnostic) -> Value {
    let found = try gather(x, op)
    return try select(isKept(op), found, constant(0, like: found))
  }

  private mutating func gather(_ x: Value, _ op: Scatter) throws(Diagnostic) -> Value {
    try append(.gather(Gather(dimensions: op.dimensions, batch: op.batch)), x, operands[1])
  }

  /// For each element of the updates whether its indices lie in x.
  private mutating func isKept(_ op: Scatter) throws(Diagnostic) -> Value {
    let (indices, updates) = (operands[1], operands[2])
    let type = type(of: indices)
    let last = try highestIndices(op.dimensions, of: operands[0], type)
    let inside = try binary(
      .and, compare(.greaterEqual, indices, constant(0, type)),
      compare(.lessEqual, indices, last))
    let vectors = try reduce(.min, inside, [type.shape.rank - 1])
    return try broadcast(
      vectors, to: shape(of: updates), dimensions: Array(0..<type.shape.rank - 1))
  }

  /// The last update of an element takes its gradient; x keeps those of elements without one.
  private mutating func gradientsOfAssign(
    _ op: Scatter
  ) throws(Diagnostic) -> VectorJacobianProduct {
    let (x, indices, updates) = (operands[0], operands[1], operands[2])
    let (extents, zero) = (shape(of: updates), try constant(0, like: x))
    // Scattering the updates' own numbers tells which one an element has got.
    let flat = TensorType(.i64, [extents.elementCount])
    let numbers = try reshape(append(.iota(Iota(flat, dimension: 0))), to: extents)
    let none = try constant(-1, TensorType(.i64, shape(of: x)))
    let origins = try append(.scatter(op), none, indices, numbers)
    var gradients: [Value?] = [nil, nil, nil]
    if wants(0) {
      gradients[0] = try select(compare(.equal, origins, none), gradient, zero)
    }
    if wants(2) {
      let isLast = try binary(
        .and, compare(.equal, gather(origins, op), numbers), isKept(op))
      let found = try gather(gradient, op)
      gradients[2] = try select(isLast, found, constant(0, like: found))
    }
    return .gradients(gradients)
  }

  private mutating func gradientsOfExtreme(
    _ op: Scatter
  ) throws(Diagnostic) -> VectorJacobianProduct {
    let (x, indices, updates, y) = (operands[0], operands[1], operands[2], result)
    let dtype = type(of: x).dtype
    let stays = try compare(.equal, x, y)
    let wins = try binary(.and, compare(.equal, updates, gather(y, op)), isKept(op))
    let sum = Scatter(.sum, dimensions: op.dimensions, batch: op.batch)
    let count = try append(
      .scatter(sum), convert(stays, to: dtype), indices, convert(wins, to: dtype))
    let share = try divide(gradient, count)
    var gradients: [Value?] = [nil, nil, nil]
    if wants(0) { gradients[0] = try select(stays, share, constant(0, like: x)) }
    if wants(2) {
      gradients[2] = try select(wins, gather(share, op), constant(0, like: updates))
    }
    return .gradients(gradients)
  }
}
