extension Constant {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(0, "constant", operands)
    return [TensorType(dtype, try Inference.shape(shape, "constant"))]
  }
}

extension Iota {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(0, "iota", operands)
    try Inference.require(dtype, in: [.float, .signed, .unsigned], "iota")
    let shape = try Inference.shape(shape, "iota")
    try Inference.require(
      shape.extents.indices.contains(dimension), .invalidAttribute,
      "iota counts dimension \(dimension) of \(shape)", hint: "a dimension from 0 below the rank")
    return [TensorType(dtype, shape)]
  }
}

extension Reshape {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(1, "reshape", operands)
    let shape = try Inference.shape(shape, "reshape")
    try Inference.require(
      shape.elementCount == operands[0].shape.elementCount, .shapeMismatch,
      "reshape of \(operands[0]) to \(shape) changes the number of elements from "
        + "\(operands[0].shape.elementCount) to \(shape.elementCount)")
    return [TensorType(operands[0].dtype, shape)]
  }
}

extension Broadcast {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(1, "broadcast", operands)
    let shape = try Inference.shape(shape, "broadcast")
    let from = operands[0].shape
    try Inference.expectDimensions(dimensions, rank: shape.rank, "broadcast's dimensions")
    try Inference.require(
      dimensions.count == from.rank, .invalidAttribute,
      "broadcast's dimensions \(dimensions) are not one for each of \(operands[0])")
    for (dimension, target) in dimensions.enumerated() {
      try Inference.require(
        from[dimension] == 1 || from[dimension] == shape[target], .shapeMismatch,
        "broadcast of \(operands[0]) to \(shape): dimension \(dimension) of extent "
          + "\(from[dimension]) does not become \(shape[target])",
        hint: "an extent stays as it is, or is 1")
    }
    return [TensorType(operands[0].dtype, shape)]
  }
}

extension Transpose {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(1, "transpose", operands)
    let from = operands[0].shape
    try Inference.require(
      permutation.sorted() == Array(0..<from.rank), .invalidAttribute,
      "transpose of \(operands[0]) by \(permutation)",
      hint: "a permutation of 0 ..< \(from.rank)")
    return [TensorType(operands[0].dtype, Shape(permutation.map { from[$0] }))]
  }
}

extension Slice {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(1, "slice", operands)
    let from = operands[0].shape
    try Inference.expect(start, rank: from.rank, atLeast: 0, "slice's start")
    try Inference.expect(limit, rank: from.rank, atLeast: 0, "slice's limit")
    try Inference.expect(stride, rank: from.rank, atLeast: 1, "slice's stride")
    let extents = try start.indices.map { (d) throws(Diagnostic) in
      try Inference.require(
        start[d] <= limit[d] && limit[d] <= from[d], .invalidAttribute,
        "slice of \(operands[0]) takes \(start[d]) ..< \(limit[d]) of dimension \(d)",
        hint: "0 <= start <= limit <= \(from[d])")
      return (limit[d] - start[d] + stride[d] - 1) / stride[d]
    }
    return [TensorType(operands[0].dtype, Shape(extents))]
  }
}

extension Pad {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(2, "pad", operands)
    let (from, value) = (operands[0], operands[1])
    try Inference.require(
      value == TensorType(from.dtype, []), .typeMismatch,
      "pad of \(from) with a value of type \(value)", hint: "a scalar \(from.dtype)")
    let least = -Inference.largestAttribute
    try Inference.expect(low, rank: from.shape.rank, atLeast: least, "pad's low")
    try Inference.expect(high, rank: from.shape.rank, atLeast: least, "pad's high")
    try Inference.expect(interior, rank: from.shape.rank, atLeast: 0, "pad's interior")
    let extents = try low.indices.map { (d) throws(Diagnostic) in
      let n = from.shape[d]
      let (gaps, overflow) = max(n - 1, 0).multipliedReportingOverflow(by: interior[d] + 1)
      try Inference.require(
        !overflow && gaps <= Shape.maximumElementCount, .sizeOverflow,
        "pad's interior \(interior[d]) makes dimension \(d) of \(from) too large")
      let inside = n == 0 ? 0 : gaps + 1
      try Inference.require(
        inside + low[d] + high[d] >= 0, .invalidAttribute,
        "pad cuts \(-(low[d] + high[d])) from dimension \(d) of \(from), which has \(inside)")
      return inside + low[d] + high[d]
    }
    return [TensorType(from.dtype, try Inference.shape(extents, "pad"))]
  }
}

extension Concatenate {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    guard let first = operands.first else {
      throw Diagnostic(.wrongCount, "concatenate takes at least one operand")
    }
    try Inference.require(
      first.shape.extents.indices.contains(dimension), .invalidAttribute,
      "concatenate along dimension \(dimension) of \(first)")
    var shape = first.shape
    for other in operands.dropFirst() {
      var aligned = other
      if other.shape.rank == shape.rank { aligned.shape[dimension] = first.shape[dimension] }
      try Inference.require(
        aligned == first, other.dtype == first.dtype ? .shapeMismatch : .typeMismatch,
        "concatenate along dimension \(dimension) of \(first) and \(other)",
        hint: "the dtype and all other extents agree")
      shape[dimension] += other.shape[dimension]
    }
    return [TensorType(first.dtype, try Inference.shape(shape.extents, "concatenate"))]
  }
}

extension Reverse {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(1, "reverse", operands)
    try Inference.expectDimensions(
      dimensions, rank: operands[0].shape.rank, "reverse's dimensions")
    return operands
  }
}
