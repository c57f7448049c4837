extension Constant {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 0)
    return [TensorType(dtype, try checkedShape(shape))]
  }

  /// The type of a constant with its data.
  func inferTypes(
    _ operands: [TensorType], literal: Literal?
  ) throws(Diagnostic) -> [TensorType] {
    let types = try inferTypes(operands)
    guard let literal else { throw refusal(.wrongCount, "of \(types[0]) has no literal") }
    guard literal.type == types[0] else {
      throw refusal(
        .typeMismatch, "of \(types[0]) has a literal of \(literal.type)",
        hint: "make the operation of the literal's type")
    }
    return types
  }
}

extension Iota {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 0)
    let type = TensorType(dtype, try checkedShape(shape))
    try require(type, isOneOf: [.float, .signed, .unsigned])
    try requireInRange("dimension", [dimension], of: type)
    return [type]
  }
}

extension Reshape {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    let result = TensorType(operands[0].dtype, try checkedShape(shape))
    guard result.shape.elementCount == operands[0].shape.elementCount else {
      throw refusal(
        .shapeMismatch, "cannot turn \(operands[0]) into \(result)",
        hint: "\(operands[0]) has \(operands[0].shape.elementCount) elements, "
          + "\(result) has \(result.shape.elementCount)")
    }
    return [result]
  }
}

extension Broadcast {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    let operand = operands[0]
    let result = TensorType(operand.dtype, try checkedShape(shape))
    try require(
      "dimensions", dimensions.count, perDimensionOf: "the dimensions", operand,
      rank: operand.shape.rank)
    try requireIncreasing("dimensions", dimensions, of: result)
    for (extent, dimension) in zip(operand.shape.extents, dimensions)
    where extent != 1 && extent != shape[dimension] {
      throw refusal(
        .shapeMismatch, "cannot turn \(operand) into \(result) along dimension \(dimension)",
        hint: "the operand's extent there is \(extent), and must be 1 or \(shape[dimension])")
    }
    return [result]
  }
}

extension Transpose {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    let operand = operands[0]
    try require(
      "permutation", permutation.count, perDimensionOf: "the dimensions", operand,
      rank: operand.shape.rank)
    try requireInRange("permutation", permutation, of: operand)
    guard Set(permutation).count == permutation.count else {
      throw refusal(
        .invalidAttribute, "has permutation \(permutation), which names a dimension twice",
        hint: "name each dimension of \(operand) once")
    }
    return [TensorType(operand.dtype, Shape(permutation.map { operand.shape[$0] }))]
  }
}

extension Slice {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    let operand = operands[0]
    for (name, list) in [("start", start), ("limit", limit), ("stride", stride)] {
      try require(
        name, list.count, perDimensionOf: "the dimensions", operand, rank: operand.shape.rank)
    }
    try require("stride", stride, atLeast: 1)
    for (dimension, extent) in operand.shape.extents.enumerated()
    where start[dimension] < 0 || start[dimension] > limit[dimension] || limit[dimension] > extent {
      throw refusal(
        .invalidAttribute,
        "of \(start[dimension]) ..< \(limit[dimension]) does not lie in dimension \(dimension) "
          + "of \(operand)",
        hint: "0 <= start <= limit <= \(extent) must hold")
    }
    let extents = start.indices.map { d in
      limit[d] == start[d] ? 0 : (limit[d] - start[d] - 1) / stride[d] + 1
    }
    return [TensorType(operand.dtype, Shape(extents))]
  }
}

extension Pad {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 2)
    let operand = operands[0]
    guard operands[1] == TensorType(operand.dtype, []) else {
      throw refusal(
        .typeMismatch, "takes a scalar of the operand's dtype to pad with, not \(operands[1])",
        hint: "\(TensorType(operand.dtype, [])) fits \(operand)")
    }
    for (name, list) in [("low", low), ("high", high), ("interior", interior)] {
      try require(
        name, list.count, perDimensionOf: "the dimensions", operand, rank: operand.shape.rank)
      try require(name, list)
    }
    try require("interior", interior, atLeast: 0)
    var extents: [Int128] = []
    for (dimension, extent) in operand.shape.extents.enumerated() {
      let spread = try spread(extent, by: interior[dimension] + 1)
      let padded = Int128(low[dimension]) + Int128(spread) + Int128(high[dimension])
      guard padded >= 0 else {
        throw refusal(
          .invalidAttribute, "cuts more from dimension \(dimension) of \(operand) than is there",
          hint: "low + high must be at least \(-spread) there")
      }
      extents.append(padded)
    }
    return [TensorType(operand.dtype, try checkedShape(extents))]
  }
}

extension OperationAttributes {
  /// The extent when neighbours come to stand `distance` apart.
  func spread(_ extent: Int, by distance: Int) throws(Diagnostic) -> Int {
    guard extent > 0 else { return 0 }
    let spread = (Int128(extent) - 1) * Int128(distance) + 1
    guard spread <= Int128(Shape.maximumElementCount) else {
      throw refusal(
        .sizeOverflow, "spreads an extent of \(extent) by \(distance)",
        hint: "an extent is at most 2^48, also where most of it is cut off")
    }
    return Int(spread)
  }
}

extension Concatenate {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    guard let first = operands.first else {
      throw refusal(.wrongCount, "takes one operand or more, not 0")
    }
    try require(operands, count: operands.count)
    try requireInRange("dimension", [dimension], of: first)
    var total: Int128 = 0
    for operand in operands {
      guard operand.dtype == first.dtype else {
        throw refusal(
          .typeMismatch, "takes operands of one dtype, not \(first) and \(operand)",
          hint: "convert one of them")
      }
      var expected = first.shape
      if operand.shape.rank == expected.rank { expected[dimension] = operand.shape[dimension] }
      guard operand.shape == expected else {
        throw refusal(
          .shapeMismatch, "along dimension \(dimension) cannot join \(first) and \(operand)",
          hint: "they must be equal in all other extents")
      }
      total += Int128(operand.shape[dimension])
    }
    var extents = first.shape.extents.map { Int128($0) }
    extents[dimension] = total
    return [TensorType(first.dtype, try checkedShape(extents))]
  }
}

extension Reverse {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 1)
    try requireIncreasing("dimensions", dimensions, of: operands[0])
    return operands
  }
}
