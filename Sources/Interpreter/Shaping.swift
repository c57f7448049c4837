import GraphIR

extension Evaluator {
  package mutating func visit(_ op: Constant) throws(Diagnostic) -> [CarriedTensor] {
    guard let literal else {
      throw Diagnostic(.malformedGraph, "a constant of \(types[0]) has no data")
    }
    return [CarriedTensor(literal, as: types[0])]
  }

  package mutating func visit(_ op: Iota) throws(Diagnostic) -> [CarriedTensor] {
    let shape = types[0].shape
    let strides = shape.extents.indices.map { $0 == op.dimension ? 1 : 0 }
    let numbers = Positions.affine(shape.extents, strides: strides)
    // Numbers are below 2^48, so that f64 and the low bits of i64 are exact.
    switch op.dtype.category {
    case .float: return store(.floats(numbers.map { Double($0) }))
    case .signed: return store(.signed(numbers.map { Int64($0) }))
    case .unsigned: return store(.unsigned(numbers.map { UInt64($0) }))
    case .bool: throw notDefined("iota of bool")
    }
  }

  package mutating func visit(_ op: Reshape) throws(Diagnostic) -> [CarriedTensor] {
    keep(operands[0].storage)
  }

  package mutating func visit(_ op: Broadcast) throws(Diagnostic) -> [CarriedTensor] {
    let shape = operands[0].shape
    var strides = op.shape.map { _ in 0 }
    for (from, to) in op.dimensions.enumerated() where shape[from] != 1 {
      strides[to] = shape.strides[from]
    }
    return keep(operands[0].storage.picking(Positions.affine(op.shape, strides: strides)))
  }

  package mutating func visit(_ op: Transpose) throws(Diagnostic) -> [CarriedTensor] {
    keep(operands[0].transposed(op.permutation))
  }

  package mutating func visit(_ op: Slice) throws(Diagnostic) -> [CarriedTensor] {
    let strides = operands[0].shape.strides
    let positions = Positions.affine(
      types[0].shape.extents,
      strides: zip(op.stride, strides).map { $0 * $1 },
      offset: zip(op.start, strides).map { $0 * $1 }.reduce(0, +))
    return keep(operands[0].storage.picking(positions))
  }

  package mutating func visit(_ op: Pad) throws(Diagnostic) -> [CarriedTensor] {
    // The padding value stands after the last element of x.
    guard let source = operands[0].storage.appending(operands[1].storage) else {
      throw notDefined("pad")
    }
    let shape = operands[0].shape
    let result = types[0].shape
    let padding = shape.elementCount
    var positions = [0]
    for dimension in 0..<shape.rank {
      let step = op.interior[dimension] + 1
      let stride = shape.strides[dimension]
      var next: [Int] = []
      next.reserveCapacity(positions.count * result[dimension])
      for position in positions {
        for index in 0..<result[dimension] {
          let distance = index - op.low[dimension]
          let isInside =
            position < padding && distance >= 0 && distance % step == 0
            && distance / step < shape[dimension]
          next.append(isInside ? position + distance / step * stride : padding)
        }
      }
      positions = next
    }
    return keep(source.picking(positions))
  }

  package mutating func visit(_ op: Concatenate) throws(Diagnostic) -> [CarriedTensor] {
    var all = operands[0].storage
    for operand in operands.dropFirst() {
      guard let longer = all.appending(operand.storage) else { throw notDefined("concatenate") }
      all = longer
    }
    // Each operand contributes, to every outer index, one block of neighbouring elements.
    let outer = types[0].shape.extents[..<op.dimension].reduce(1, *)
    var positions: [Int] = []
    positions.reserveCapacity(types[0].shape.elementCount)
    for index in 0..<outer {
      var start = 0
      for operand in operands {
        let block = operand.shape.extents[op.dimension...].reduce(1, *)
        positions += (start + index * block)..<(start + (index + 1) * block)
        start += operand.shape.elementCount
      }
    }
    return keep(all.picking(positions))
  }

  package mutating func visit(_ op: Reverse) throws(Diagnostic) -> [CarriedTensor] {
    let shape = operands[0].shape
    var strides = shape.strides
    var offset = 0
    for dimension in op.dimensions {
      offset += (shape[dimension] - 1) * strides[dimension]
      strides[dimension] = -strides[dimension]
    }
    return keep(
      operands[0].storage.picking(
        Positions.affine(shape.extents, strides: strides, offset: offset)))
  }
}
