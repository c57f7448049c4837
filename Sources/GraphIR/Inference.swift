extension Operation {
  /// The operation's name in text: the kind's, or a family's function (`add`, `reduce_sum`).
  public var mnemonic: String { attributes.mnemonic }

  /// The types of the results of a node with these operands, bodies and literal.
  ///
  /// - Throws: a diagnostic for whatever does not fit; no input traps.
  package func inferTypes(
    _ operands: [TensorType], bodies: [Graph], literal: Literal?
  ) throws(Diagnostic) -> [TensorType] {
    switch self {
    case .composite(let op):
      try op.refuseLiteral(literal)
      return try op.inferTypes(operands, bodies: bodies)
    case .constant(let op):
      try op.refuseBodies(bodies)
      return try op.inferTypes(operands, literal: literal)
    case .unary, .binary, .compare, .select, .clamp, .convert, .iota, .reshape, .broadcast,
      .transpose, .slice, .pad, .concatenate, .reverse, .dot, .convolution, .reduce, .argReduce,
      .reduceWindow, .reduceWindowGradient, .gather, .scatter, .random:
      let attributes = attributes
      try attributes.refuseBodies(bodies)
      try attributes.refuseLiteral(literal)
      return try attributes.inferTypes(operands)
    }
  }
}

/// What the rules of inference ask of operands and attributes, and how a refusal is worded.
extension OperationAttributes {
  func refusal(
    _ code: Diagnostic.Code, _ message: String, hint: String? = nil
  ) -> Diagnostic {
    Diagnostic(code, "\(mnemonic) \(message)", hint: hint)
  }

  func refuseBodies(_ bodies: [Graph]) throws(Diagnostic) {
    guard bodies.isEmpty else {
      throw refusal(.wrongCount, "takes no body, but has \(bodies.count)")
    }
  }

  func refuseLiteral(_ literal: Literal?) throws(Diagnostic) {
    guard let literal else { return }
    throw refusal(.wrongCount, "takes no literal, but has one of \(literal.type)")
  }

  /// Checks the number of operands, and that each is a type that a tensor can have.
  func require(_ operands: [TensorType], count: Int) throws(Diagnostic) {
    guard operands.count == count else {
      let listed = operands.isEmpty ? "none" : operands.map(\.description).joined(separator: ", ")
      throw refusal(
        .wrongCount, "takes \(count) operand\(count == 1 ? "" : "s"), not \(operands.count)",
        hint: "the operands given are: \(listed)")
    }
    for operand in operands { try requireValid(operand) }
  }

  /// Checks that a tensor can have a type.
  func requireValid(_ type: TensorType) throws(Diagnostic) {
    _ = try checkedShape(type.shape.extents)
  }

  /// Makes a shape of extents that come from a user.
  func checkedShape(_ extents: [Int]) throws(Diagnostic) -> Shape {
    guard let shape = Shape.checked(extents) else {
      throw refusal(
        .sizeOverflow, "cannot have the shape \(Shape(extents))",
        hint: "extents are not negative, and a tensor has at most 2^48 elements")
    }
    return shape
  }

  /// Makes a shape of extents that were computed from attributes.
  func checkedShape(_ extents: [Int128]) throws(Diagnostic) -> Shape {
    try checkedShape(extents.map { Int(clamping: $0) })
  }

  /// Checks that two operands have one type.
  func requireSame(_ a: TensorType, _ b: TensorType) throws(Diagnostic) {
    guard a.dtype == b.dtype else {
      throw refusal(
        .typeMismatch, "takes operands of one type, not \(a) and \(b)",
        hint: "convert one of them: \(a.dtype) and \(b.dtype) differ")
    }
    guard a.shape == b.shape else {
      throw refusal(
        .shapeMismatch, "takes operands of one shape, not \(a) and \(b)",
        hint: "broadcast or reshape one of them")
    }
  }

  /// Checks that the dtype is of an allowed category.
  func require(
    _ type: TensorType, isOneOf categories: Set<DType.Category>
  ) throws(Diagnostic) {
    guard categories.contains(type.dtype.category) else {
      let named = DType.allCases.filter { categories.contains($0.category) }
      throw refusal(
        .typeMismatch, "is not defined for \(type)",
        hint: "it takes \(named.map(\.rawValue).joined(separator: ", "))")
    }
  }

  /// Checks that a list has one entry per dimension.
  func require(
    _ name: String, _ count: Int, perDimensionOf what: String, _ type: TensorType, rank: Int
  ) throws(Diagnostic) {
    guard count == rank else {
      throw refusal(
        .invalidAttribute,
        "has \(count) \(count == 1 ? "entry" : "entries") in \(name) for \(what) of \(type)",
        hint: "\(name) needs \(rank)")
    }
  }

  /// Checks that each number lies between bounds; the widest allowed magnitude is 2^40.
  func require(
    _ name: String, _ values: [Int], atLeast low: Int = -(1 << 40), atMost high: Int = 1 << 40
  ) throws(Diagnostic) {
    guard let wrong = values.first(where: { $0 < low || $0 > high }) else { return }
    let allowed =
      low == -(1 << 40) ? "-2^40 to 2^40" : "\(low) to \(high == 1 << 40 ? "2^40" : "\(high)")"
    throw refusal(
      .invalidAttribute, "has \(wrong) in \(name)", hint: "\(name) may be \(allowed)")
  }

  /// Checks that dimensions are in range and strictly increasing.
  func requireIncreasing(
    _ name: String, _ dimensions: [Int], of type: TensorType, from first: Int = 0
  ) throws(Diagnostic) {
    try requireInRange(name, dimensions, of: type, from: first)
    guard zip(dimensions, dimensions.dropFirst()).allSatisfy(<) else {
      throw refusal(
        .invalidAttribute, "has \(name) \(dimensions), which are not strictly increasing",
        hint: "name each dimension once, in order")
    }
  }

  /// Checks that dimensions are among a type's.
  func requireInRange(
    _ name: String, _ dimensions: [Int], of type: TensorType, from first: Int = 0
  ) throws(Diagnostic) {
    guard let wrong = dimensions.first(where: { $0 < first || $0 >= type.shape.rank }) else {
      return
    }
    throw refusal(
      .invalidAttribute, "has \(wrong) in \(name), which is no dimension of \(type)",
      hint: type.shape.rank > first
        ? "dimensions are \(first) to \(type.shape.rank - 1)" : "there is no dimension to name")
  }
}
