import GraphIR

extension Simplifier {
  mutating func visit(_ op: Constant) throws(Diagnostic) -> Value? { nil }

  mutating func visit(_ op: Iota) throws(Diagnostic) -> Value? {
    op.shape[op.dimension] == 1 ? try splat(0) : nil
  }

  mutating func visit(_ op: Reshape) throws(Diagnostic) -> Value? {
    let x = operands[0]
    if shape(of: x) == type.shape { return x }
    // A scalar under another shape is the scalar repeated: one form, so that every rule knows it.
    if let scalar = shape(of: x).rank == 0 ? x : repeatedScalar(x) { return try splat(scalar) }
    guard let (operation, inner) = definition(of: x), case .reshape = operation else { return nil }
    return try emit(.reshape(op), inner[0])
  }

  mutating func visit(_ op: Broadcast) throws(Diagnostic) -> Value? {
    let x = operands[0]
    if shape(of: x) == type.shape { return x }
    // Nothing is repeated: dimensions of extent 1 are new.
    let count = type.shape.elementCount
    if shape(of: x).rank > 0, shape(of: x).elementCount == count, count > 0 {
      return try emit(.reshape(Reshape(shape: type.shape)), x)
    }
    guard let (operation, inner) = definition(of: x) else { return nil }
    if case .broadcast(let first) = operation {
      let dimensions = first.dimensions.map { op.dimensions[$0] }
      return try emit(
        .broadcast(Broadcast(shape: type.shape, dimensions: dimensions)), inner[0])
    }
    if case .reshape = operation,
      let places = shape(of: inner[0]).placesOfDimensions(in: shape(of: x))
    {
      let dimensions = places.map { op.dimensions[$0] }
      return try emit(
        .broadcast(Broadcast(shape: type.shape, dimensions: dimensions)), inner[0])
    }
    return nil
  }

  mutating func visit(_ op: Transpose) throws(Diagnostic) -> Value? {
    let x = operands[0]
    let extents = shape(of: x).extents
    let moved = op.permutation.filter { extents[$0] != 1 }
    if moved == moved.sorted() { return try emit(.reshape(Reshape(shape: type.shape)), x) }
    guard let (operation, inner) = definition(of: x) else { return nil }
    if case .transpose(let first) = operation {
      let permutation = op.permutation.map { first.permutation[$0] }
      return try emit(.transpose(Transpose(permutation: permutation)), inner[0])
    }
    if case .broadcast(let first) = operation {
      let places = first.dimensions.compactMap { op.permutation.firstIndex(of: $0) }
      guard places == places.sorted() else { return nil }
      return try emit(.broadcast(Broadcast(shape: type.shape, dimensions: places)), inner[0])
    }
    return nil
  }

  mutating func visit(_ op: Slice) throws(Diagnostic) -> Value? {
    let x = operands[0]
    // The same extents can only be the whole.
    if shape(of: x) == type.shape { return x }
    if let scalar = repeatedScalar(x) { return try splat(scalar) }
    guard let (operation, inner) = definition(of: x), case .slice(let first) = operation else {
      return nil
    }
    var whole = op
    for d in op.start.indices {
      whole.start[d] = first.start[d] + op.start[d] * first.stride[d]
      whole.stride[d] = first.stride[d] * op.stride[d]
      let count = type.shape[d]
      if count == 0 { whole.start[d] = first.start[d] }
      whole.limit[d] = whole.start[d] + (count == 0 ? 0 : (count - 1) * whole.stride[d] + 1)
    }
    return try emit(.slice(whole), inner[0])
  }

  mutating func visit(_ op: Pad) throws(Diagnostic) -> Value? {
    let x = operands[0]
    if [op.low, op.high, op.interior].allSatisfy({ $0.allSatisfy { $0 == 0 } }) { return x }
    if let literal = constantScalar(x), literal == constantScalar(operands[1]) {
      return try splat(operands[1])
    }
    return nil
  }

  mutating func visit(_ op: Concatenate) throws(Diagnostic) -> Value? {
    let parts = operands.filter { shape(of: $0)[op.dimension] > 0 }
    if parts.isEmpty { return operands[0] }
    if parts.count == 1 { return parts[0] }
    return parts.count == operands.count ? nil : try emit(.concatenate(op), parts)
  }

  mutating func visit(_ op: Reverse) throws(Diagnostic) -> Value? {
    let x = operands[0]
    let long = op.dimensions.filter { type.shape[$0] > 1 }
    if long.isEmpty || repeatedScalar(x) != nil { return x }
    if let (operation, inner) = definition(of: x), case .reverse(let first) = operation {
      let dimensions = Set(long).symmetricDifference(first.dimensions).sorted()
      return try emit(.reverse(Reverse(dimensions: dimensions)), inner[0])
    }
    return long == op.dimensions ? nil : try emit(.reverse(Reverse(dimensions: long)), x)
  }
}

extension Shape {
  /// The dimensions of another shape that these are, when that one only adds dimensions of extent 1.
  fileprivate func placesOfDimensions(in other: Shape) -> [Int]? {
    var places: [Int] = []
    for (position, extent) in other.extents.enumerated() {
      if places.count < rank, extents[places.count] == extent {
        places.append(position)
      } else if extent != 1 {
        return nil
      }
    }
    return places.count == rank ? places : nil
  }
}
