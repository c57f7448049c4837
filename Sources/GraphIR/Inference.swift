extension Operation {
  /// The types of the results of a node with these operands, bodies and literal.
  ///
  /// - Throws: what does not fit, with the types that were given.
  package func inferTypes(
    _ operands: [TensorType], bodies: [Graph], literal: Literal?
  ) throws(Diagnostic) -> [TensorType] {
    switch self {
    case .constant(let op):
      guard let literal, literal.type == TensorType(op.dtype, Shape(op.shape)) else {
        throw Diagnostic(.typeMismatch, "a constant needs a literal of its own type")
      }
    case .composite(let op):
      guard bodies.count == 1 else {
        throw Diagnostic(.wrongCount, "composite has \(bodies.count) bodies instead of 1")
      }
      return try op.inferTypes(operands, body: bodies[0])
    case .unary, .binary, .compare, .select, .clamp, .convert, .iota, .reshape, .broadcast,
      .transpose, .slice, .pad, .concatenate, .reverse, .dot, .convolution, .reduce, .argReduce,
      .reduceWindow, .reduceWindowGradient, .gather, .scatter, .random:
      guard literal == nil else {
        throw Diagnostic(.malformedGraph, "\(mnemonic) has no literal; only a constant has one")
      }
    }
    guard bodies.isEmpty else {
      throw Diagnostic(.wrongCount, "\(mnemonic) has no body")
    }
    return try attributes.inferTypes(operands)
  }

  /// The name of the operation in text; a family shows its function's name.
  public var mnemonic: String {
    switch self {
    case .unary(let op): op.function.rawValue
    case .binary(let op): op.function.rawValue
    case .compare(let op): op.function.rawValue
    case .reduce(let op): "reduce_\(op.function.rawValue)"
    case .argReduce(let op): op.function.rawValue
    case .reduceWindow(let op): "reduce_window_\(op.function.rawValue)"
    case .reduceWindowGradient(let op): "reduce_window_gradient_\(op.function.rawValue)"
    case .scatter(let op): "scatter_\(op.function.rawValue)"
    case .select, .clamp, .convert, .constant, .iota, .reshape, .broadcast, .transpose, .slice,
      .pad, .concatenate, .reverse, .dot, .convolution, .gather, .random, .composite:
      kind.rawValue
    }
  }
}

/// Checks that inference rules share; each failure is a diagnostic with the types given.
enum Inference {
  /// The largest size, in absolute value, of an attribute that counts elements: sums of a few never overflow.
  static let largestAttribute = 1 << 40

  static func list(_ types: [TensorType]) -> String {
    types.isEmpty ? "none" : types.map(\.description).joined(separator: ", ")
  }

  static func expect(
    _ count: Int, _ name: String, _ operands: [TensorType]
  ) throws(Diagnostic) {
    guard operands.count == count else {
      throw Diagnostic(
        .wrongCount,
        "\(name) takes \(count) operand\(count == 1 ? "" : "s"), but \(operands.count) were given: "
          + list(operands))
    }
  }

  static func expectEqual(_ name: String, _ operands: ArraySlice<TensorType>) throws(Diagnostic) {
    guard let first = operands.first, let other = operands.first(where: { $0 != first }) else {
      return
    }
    let code: Diagnostic.Code = first.dtype == other.dtype ? .shapeMismatch : .typeMismatch
    throw Diagnostic(
      code, "\(name) needs operands of one type, but got \(first) and \(other)",
      hint: first.dtype == other.dtype
        ? "broadcast or reshape one of them" : "convert one of them")
  }

  static func require(
    _ condition: Bool, _ code: Diagnostic.Code, _ message: @autoclosure () -> String,
    hint: String? = nil
  ) throws(Diagnostic) {
    guard condition else { throw Diagnostic(code, message(), hint: hint) }
  }

  static func require(
    _ dtype: DType, in allowed: Set<DType.Category>, _ name: String
  ) throws(Diagnostic) {
    guard allowed.contains(dtype.category) else {
      let order: [DType.Category] = [.float, .signed, .unsigned, .bool]
      let names = order.filter(allowed.contains).map { "\($0)" }.joined(separator: ", ")
      throw Diagnostic(
        .typeMismatch, "\(name) does not take \(dtype)", hint: "it takes: \(names)")
    }
  }

  /// A shape of extents that come from attributes.
  static func shape(_ extents: [Int], _ name: String) throws(Diagnostic) -> Shape {
    guard let shape = Shape.checked(extents) else {
      let code: Diagnostic.Code =
        extents.contains { $0 < 0 } ? .invalidAttribute : .sizeOverflow
      throw Diagnostic(
        code, "\(name) would have the extents \(Shape(extents))",
        hint: "extents are not negative, and a tensor has at most \(Shape.maximumElementCount) "
          + "elements")
    }
    return shape
  }

  /// Checks that an attribute has one value for each of `rank` dimensions, of reasonable size.
  static func expect(
    _ values: [Int], rank: Int, atLeast minimum: Int, _ what: String
  ) throws(Diagnostic) {
    try require(
      values.count == rank, .invalidAttribute,
      "\(what) has \(values.count) values for \(rank) dimensions")
    let bad = values.first { $0 < minimum || abs($0) > largestAttribute }
    try require(
      bad == nil, .invalidAttribute, "\(what) has the value \(bad ?? 0)",
      hint: "each is at least \(minimum) and at most \(largestAttribute)")
  }

  /// Checks that dimensions are strictly increasing and in range.
  static func expectDimensions(
    _ dimensions: [Int], rank: Int, from first: Int = 0, _ what: String
  ) throws(Diagnostic) {
    let increasing = zip(dimensions, dimensions.dropFirst()).allSatisfy { $0 < $1 }
    try require(
      increasing && dimensions.allSatisfy { (first..<max(rank, first)).contains($0) },
      .invalidAttribute, "\(what) are \(dimensions)",
      hint: "they are strictly increasing, from \(first) and below \(rank)")
  }

  /// The number of windows along a dimension; nil when a number is too large.
  static func windows(
    extent: Int, low: Int, high: Int, size: Int, stride: Int, dilation: Int
  ) -> Int? {
    let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: dilation)
    guard !overflow, reach <= largestAttribute else { return nil }
    let room = extent + low + high - (reach + 1)
    return room < 0 ? 0 : room / stride + 1
  }
}
