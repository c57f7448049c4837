import GraphIR

extension Differentiator {
  mutating func visit(_ op: Constant) throws(Diagnostic) -> VectorJacobianProduct {
    .gradients([])
  }

  mutating func visit(_ op: Iota) throws(Diagnostic) -> VectorJacobianProduct {
    .gradients([])
  }

  mutating func visit(_ op: Reshape) throws(Diagnostic) -> VectorJacobianProduct {
    .gradients([try reshape(gradient, to: shape(of: operands[0]))])
  }

  /// The sum over the dimensions along which elements were repeated.
  mutating func visit(_ op: Broadcast) throws(Diagnostic) -> VectorJacobianProduct {
    let source = shape(of: operands[0])
    let repeated = op.shape.indices.filter { dimension in
      guard let origin = op.dimensions.firstIndex(of: dimension) else { return true }
      return source[origin] != op.shape[dimension]
    }
    return .gradients([try reshape(reduce(.sum, gradient, repeated), to: source)])
  }

  mutating func visit(_ op: Transpose) throws(Diagnostic) -> VectorJacobianProduct {
    var inverse = op.permutation
    for (position, dimension) in op.permutation.enumerated() { inverse[dimension] = position }
    return .gradients([try transpose(gradient, inverse)])
  }

  mutating func visit(_ op: Slice) throws(Diagnostic) -> VectorJacobianProduct {
    .gradients([try unslice(gradient, op, of: shape(of: operands[0]))])
  }

  /// Puts a slice's elements back where they were taken from, with zeros around.
  mutating func unslice(_ part: Value, _ op: Slice, of whole: Shape) throws(Diagnostic) -> Value {
    let taken = shape(of: part)
    let high = whole.extents.indices.map { d in
      let covered = taken[d] == 0 ? 0 : (taken[d] - 1) * op.stride[d] + 1
      return whole[d] - op.start[d] - covered
    }
    return try pad(part, low: op.start, high: high, interior: op.stride.map { $0 - 1 })
  }

  mutating func visit(_ op: Pad) throws(Diagnostic) -> VectorJacobianProduct {
    let source = shape(of: operands[0])
    var gradients: [Value?] = [nil, nil]
    if wants(0) {
      // Padding by the negative amounts cuts off what was added and restores what was cut as zeros.
      let whole = try pad(gradient, low: op.low.map { -$0 }, high: op.high.map { -$0 })
      gradients[0] = try slice(
        whole, start: op.low.map { _ in 0 }, limit: shape(of: whole).extents,
        stride: op.interior.map { $0 + 1 })
    }
    if wants(1) {
      let inside = try constant(1, TensorType(.bool, source))
      let outside = try append(.pad(op), inside, scalarConstant(0, .bool))
      let added = try select(outside, constant(0, like: gradient), gradient)
      gradients[1] = try reduce(.sum, added, Array(op.low.indices))
    }
    return .gradients(gradients)
  }

  mutating func visit(_ op: Concatenate) throws(Diagnostic) -> VectorJacobianProduct {
    let whole = shape(of: gradient)
    var gradients: [Value?] = []
    var start = [Int](repeating: 0, count: whole.rank)
    for position in operands.indices {
      let extent = shape(of: operands[position])[op.dimension]
      var limit = whole.extents
      limit[op.dimension] = start[op.dimension] + extent
      gradients.append(wants(position) ? try slice(gradient, start: start, limit: limit) : nil)
      start[op.dimension] += extent
    }
    return .gradients(gradients)
  }

  mutating func visit(_ op: Reverse) throws(Diagnostic) -> VectorJacobianProduct {
    .gradients([try append(.reverse(op), gradient)])
  }
}
