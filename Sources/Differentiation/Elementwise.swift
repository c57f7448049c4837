import GraphIR

extension Differentiator {
  mutating func visit(_ op: Unary) throws(Diagnostic) -> VectorJacobianProduct {
    let (x, y, g) = (operands[0], result, gradient)
    switch op.function {
    case .negate: return .gradients([try unary(.negate, g)])
    case .abs: return .gradients([try multiply(g, unary(.sign, x))])
    case .exp: return .gradients([try multiply(g, y)])
    case .expm1: return .gradients([try multiply(g, add(y, constant(1, like: y)))])
    case .log: return .gradients([try divide(g, x)])
    case .softplus: return .gradients([try multiply(g, builder.unary(.sigmoid, x))])
    case .log1p: return .gradients([try divide(g, add(x, constant(1, like: x)))])
    case .sqrt: return .gradients([try divide(scale(g, by: 0.5), y)])
    case .rsqrt:
      // -1/2 x^(-3/2)
      return .gradients([try multiply(g, scale(multiply(y, multiply(y, y)), by: -0.5))])
    case .sin: return .gradients([try multiply(g, unary(.cos, x))])
    case .cos: return .gradients([try unary(.negate, multiply(g, unary(.sin, x)))])
    case .tanh:
      return .gradients([try multiply(g, subtract(constant(1, like: y), multiply(y, y)))])
    case .sigmoid:
      return .gradients([try multiply(g, multiply(y, subtract(constant(1, like: y), y)))])
    case .erf:
      let slope = try scale(
        unary(.exp, unary(.negate, multiply(x, x))), by: 2 / Double.pi.squareRoot())
      return .gradients([try multiply(g, slope)])
    case .sign, .floor, .ceil, .round:
      // Constant wherever they are differentiable.
      return .gradients([nil])
    case .not: return .notDifferentiable("it takes no floating-point operand")
    }
  }

  /// Where the operands of maximum and minimum are equal the gradient flows to the second one, so
  /// that `max(x, 0)` has the gradient 0 at 0.
  mutating func visit(_ op: Binary) throws(Diagnostic) -> VectorJacobianProduct {
    let (x, y, z, g) = (operands[0], operands[1], result, gradient)
    switch op.function {
    case .add: return .gradients([g, g])
    case .subtract: return .gradients([g, wants(1) ? try unary(.negate, g) : nil])
    case .multiply:
      return .gradients([
        wants(0) ? try multiply(g, y) : nil,
        wants(1) ? try multiply(g, x) : nil,
      ])
    case .divide:
      let quotient = try divide(g, y)
      return .gradients([
        quotient, wants(1) ? try unary(.negate, multiply(quotient, z)) : nil,
      ])
    case .remainder:
      // z = x - y * n with an integer n, which rounding finds again.
      guard wants(1) else { return .gradients([g, nil]) }
      let count = try unary(.round, divide(subtract(x, z), y))
      return .gradients([g, try unary(.negate, multiply(g, count))])
    case .power:
      return .gradients([
        wants(0) ? try multiply(g, slopeOfPowerInBase(x, y)) : nil,
        wants(1) ? try multiply(g, slopeOfPowerInExponent(x, z)) : nil,
      ])
    case .maximum: return try route(g, first: .greater, x, y)
    case .minimum: return try route(g, first: .less, x, y)
    case .and, .or, .xor, .shiftLeft, .shiftRightArithmetic, .shiftRightLogical:
      return .notDifferentiable("it takes no floating-point operands")
    }
  }

  /// y * x^(y - 1), and 0 for y = 0 also where x = 0.
  private mutating func slopeOfPowerInBase(
    _ x: Value, _ y: Value
  ) throws(Diagnostic) -> Value {
    let zero = try constant(0, like: y)
    let lowered = try binary(.power, x, subtract(y, constant(1, like: y)))
    return try select(compare(.equal, y, zero), zero, multiply(y, lowered))
  }

  /// x^y * log(x), and its limit 0 for x = 0.
  private mutating func slopeOfPowerInExponent(
    _ x: Value, _ power: Value
  ) throws(Diagnostic) -> Value {
    let isZero = try compare(.equal, x, constant(0, like: x))
    return try multiply(power, unary(.log, select(isZero, constant(1, like: x), x)))
  }

  /// Hands the gradient to the first operand where the comparison holds and to the second elsewhere.
  private mutating func route(
    _ g: Value, first: CompareFunction, _ x: Value, _ y: Value
  ) throws(Diagnostic) -> VectorJacobianProduct {
    let takesFirst = try compare(first, x, y)
    let zero = try constant(0, like: g)
    return .gradients([
      wants(0) ? try select(takesFirst, g, zero) : nil,
      wants(1) ? try select(takesFirst, zero, g) : nil,
    ])
  }

  mutating func visit(_ op: Compare) throws(Diagnostic) -> VectorJacobianProduct {
    .notDifferentiable("its result is a truth value")
  }

  mutating func visit(_ op: Select) throws(Diagnostic) -> VectorJacobianProduct {
    let (condition, g) = (operands[0], gradient)
    let zero = try constant(0, like: g)
    return .gradients([
      nil,
      wants(1) ? try select(condition, g, zero) : nil,
      wants(2) ? try select(condition, zero, g) : nil,
    ])
  }

  /// The gradient flows to x where `low <= x <= high`, to high where the result is cut to high, and
  /// to low where it is cut to low.
  mutating func visit(_ op: Clamp) throws(Diagnostic) -> VectorJacobianProduct {
    let (low, x, high, g) = (operands[0], operands[1], operands[2], gradient)
    let zero = try constant(0, like: g)
    var gradients: [Value?] = [nil, nil, nil]
    if wants(0) {
      let isCut = try binary(.and, compare(.less, x, low), compare(.lessEqual, low, high))
      gradients[0] = try select(isCut, g, zero)
    }
    if wants(1) {
      let isInside = try binary(
        .and, compare(.lessEqual, low, x), compare(.lessEqual, x, high))
      gradients[1] = try select(isInside, g, zero)
    }
    if wants(2) {
      let isCut = try compare(.greater, binary(.maximum, x, low), high)
      gradients[2] = try select(isCut, g, zero)
    }
    return .gradients(gradients)
  }

  mutating func visit(_ op: Convert) throws(Diagnostic) -> VectorJacobianProduct {
    let source = type(of: operands[0]).dtype
    guard source.isFloat, op.dtype.isFloat else {
      return .notDifferentiable("gradients flow between floating-point types only")
    }
    return .gradients([try convert(gradient, to: source)])
  }
}
