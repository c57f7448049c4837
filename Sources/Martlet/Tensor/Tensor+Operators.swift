import GraphIR

/// Operators. Shapes broadcast as NumPy's do; dtypes must be equal; a number takes the tensor's dtype.
extension Tensor {
  /// The elementwise sum.
  public static func + (lhs: Tensor, rhs: Tensor) -> Tensor { binary(.add, lhs, rhs) }
  /// The sum with a number.
  public static func + (lhs: Tensor, rhs: some TensorScalar) -> Tensor { binary(.add, lhs, rhs) }
  /// The sum with a number.
  public static func + (lhs: some TensorScalar, rhs: Tensor) -> Tensor { binary(.add, lhs, rhs) }

  /// The elementwise difference.
  public static func - (lhs: Tensor, rhs: Tensor) -> Tensor { binary(.subtract, lhs, rhs) }
  /// The difference with a number.
  public static func - (lhs: Tensor, rhs: some TensorScalar) -> Tensor {
    binary(.subtract, lhs, rhs)
  }
  /// The difference with a number.
  public static func - (lhs: some TensorScalar, rhs: Tensor) -> Tensor {
    binary(.subtract, lhs, rhs)
  }

  /// The elementwise product.
  public static func * (lhs: Tensor, rhs: Tensor) -> Tensor { binary(.multiply, lhs, rhs) }
  /// The product with a number.
  public static func * (lhs: Tensor, rhs: some TensorScalar) -> Tensor {
    binary(.multiply, lhs, rhs)
  }
  /// The product with a number.
  public static func * (lhs: some TensorScalar, rhs: Tensor) -> Tensor {
    binary(.multiply, lhs, rhs)
  }

  /// The elementwise quotient.
  public static func / (lhs: Tensor, rhs: Tensor) -> Tensor { binary(.divide, lhs, rhs) }
  /// The quotient with a number.
  public static func / (lhs: Tensor, rhs: some TensorScalar) -> Tensor { binary(.divide, lhs, rhs) }
  /// The quotient with a number.
  public static func / (lhs: some TensorScalar, rhs: Tensor) -> Tensor { binary(.divide, lhs, rhs) }

  /// The elementwise remainder of the truncated division, with the sign of the left operand.
  public static func % (lhs: Tensor, rhs: Tensor) -> Tensor { binary(.remainder, lhs, rhs) }
  /// The remainder of the division by a number.
  public static func % (lhs: Tensor, rhs: some TensorScalar) -> Tensor {
    binary(.remainder, lhs, rhs)
  }

  /// The elementwise negation.
  public static prefix func - (x: Tensor) -> Tensor { apply(.unary(Unary(.negate)), [x], .unknown) }

  /// Bitwise and of integers, logical and of bools.
  public static func & (lhs: Tensor, rhs: Tensor) -> Tensor { binary(.and, lhs, rhs) }
  /// Bitwise or of integers, logical or of bools.
  public static func | (lhs: Tensor, rhs: Tensor) -> Tensor { binary(.or, lhs, rhs) }
  /// Bitwise exclusive or of integers, logical of bools.
  public static func ^ (lhs: Tensor, rhs: Tensor) -> Tensor { binary(.xor, lhs, rhs) }
  /// Bitwise complement of integers, logical negation of bools.
  public static prefix func ~ (x: Tensor) -> Tensor { apply(.unary(Unary(.not)), [x], .unknown) }
}

extension Tensor {
  static func binary(
    _ function: BinaryFunction, _ lhs: Tensor, _ rhs: Tensor, _ caller: Caller = .unknown
  ) -> Tensor {
    elementwise(.binary(Binary(function)), function.rawValue, lhs, rhs, caller)
  }

  static func binary(
    _ function: BinaryFunction, _ lhs: Tensor, _ rhs: some TensorScalar, _ caller: Caller = .unknown
  ) -> Tensor {
    binary(function, lhs, scalar(rhs, beside: lhs, function.rawValue, caller), caller)
  }

  static func binary(
    _ function: BinaryFunction, _ lhs: some TensorScalar, _ rhs: Tensor, _ caller: Caller = .unknown
  ) -> Tensor {
    binary(function, scalar(lhs, beside: rhs, function.rawValue, caller), rhs, caller)
  }

  static func compare(
    _ function: CompareFunction, _ lhs: Tensor, _ rhs: Tensor, _ caller: Caller
  ) -> Tensor {
    elementwise(.compare(Compare(function)), function.rawValue, lhs, rhs, caller)
  }

  /// A number as a tensor of another tensor's dtype.
  static func scalar(
    _ number: some TensorScalar, beside tensor: Tensor, _ name: String, _ caller: Caller
  ) -> Tensor {
    guard let type = tensor.type else { return tensor }
    if let literal = number.literal(type.dtype) { return Tensor(literal) }
    return located(caller, "'\(name)' is used") { context, location in
      context.fail(
        Diagnostic(
          .typeMismatch, "\(name): \(number) is no value of \(type.dtype)", at: location,
          notes: [context.note("the tensor", tensor)],
          hint: "convert the tensor with converted(to: .f32)"))
    }
  }

  /// Applies an operation of two operands after broadcasting them to a common shape.
  private static func elementwise(
    _ operation: Operation, _ name: String, _ lhs: Tensor, _ rhs: Tensor, _ caller: Caller
  ) -> Tensor {
    apply([lhs, rhs], "'\(name)' is used", caller) { context, location in
      let notes = {
        [context.note("the left operand", lhs), context.note("the right operand", rhs)]
      }
      guard lhs.dtype == rhs.dtype else {
        return context.fail(
          Diagnostic(
            .typeMismatch, "\(name): \(lhs.describedType) and \(rhs.describedType) differ in dtype",
            at: location, notes: notes(),
            hint: "convert one of them, as with converted(to: .\(lhs.dtype))"))
      }
      guard let shape = broadcastShape(lhs.shape.extents, rhs.shape.extents) else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "\(name): the shapes \(lhs.shape) and \(rhs.shape) do not broadcast to one another",
            at: location, notes: notes(),
            hint: "seen from the last dimension, extents must be equal or 1"))
      }
      let operands = [lhs, rhs].map { broadcast($0, to: shape, context, location) }
      return context.append(operation, operands, at: location)[0]
    }
  }

  /// The shape to which two shapes broadcast by NumPy's rule; nil when they do not.
  static func broadcastShape(_ lhs: [Int], _ rhs: [Int]) -> [Int]? {
    let rank = Swift.max(lhs.count, rhs.count)
    var shape = [Int](repeating: 1, count: rank)
    for (offset, extents) in [(rank - lhs.count, lhs), (rank - rhs.count, rhs)] {
      for (index, extent) in extents.enumerated() where extent != 1 {
        guard shape[offset + index] == 1 || shape[offset + index] == extent else { return nil }
        shape[offset + index] = extent
      }
    }
    return shape
  }

  /// Broadcasts a tensor to a shape to which it is known to fit.
  static func broadcast(
    _ tensor: Tensor, to shape: [Int], _ context: TraceContext, _ location: Location
  ) -> Tensor {
    guard tensor.shape.extents != shape else { return tensor }
    let offset = shape.count - tensor.rank
    let operation = Broadcast(
      shape: Shape(shape), dimensions: (0..<tensor.rank).map { $0 + offset })
    return context.append(.broadcast(operation), [tensor], at: location)[0]
  }
}
