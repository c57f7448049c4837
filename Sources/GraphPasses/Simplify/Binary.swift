import GraphIR

extension Simplifier {
  mutating func visit(_ op: Binary) throws(Diagnostic) -> Value? {
    if let simpler = try simplify(op.function) { return simpler }
    return try applyBeforeBroadcast(.binary(op))
  }

  private mutating func simplify(_ function: BinaryFunction) throws(Diagnostic) -> Value? {
    let (x, y) = (operands[0], operands[1])
    switch function {
    case .add: return try simplifySum(x, y)
    case .subtract: return try simplifyDifference(x, y)
    case .multiply: return try simplifyProduct(x, y)
    case .divide: return try simplifyQuotient(x, y)
    case .remainder: return nil
    case .power: return try simplifyPower(x, y)
    case .maximum:
      return x == y || isConstant(y, leastOrNil) ? x : isConstant(x, leastOrNil) ? y : nil
    case .minimum:
      return x == y || isConstant(y, greatestOrNil) ? x : isConstant(x, greatestOrNil) ? y : nil
    case .and:
      if x == y || isConstant(x, 0) || isAllOnes(y) { return x }
      return isConstant(y, 0) || isAllOnes(x) ? y : nil
    case .or:
      if x == y || isConstant(y, 0) || isAllOnes(x) { return x }
      return isConstant(x, 0) || isAllOnes(y) ? y : nil
    case .xor:
      if x == y { return try splat(0) }
      if isAllOnes(y) { return try emit(.unary(Unary(.not)), x) }
      if isAllOnes(x) { return try emit(.unary(Unary(.not)), y) }
      return isConstant(y, 0) ? x : isConstant(x, 0) ? y : nil
    case .shiftLeft, .shiftRightArithmetic, .shiftRightLogical:
      return isConstant(y, 0) ? x : nil
    }
  }

  /// The zero that a sum leaves unchanged: -0 for floats, since -0 + 0 is 0.
  private var neutralZero: Double { type.dtype.isFloat ? -0.0 : 0 }

  private mutating func simplifySum(_ x: Value, _ y: Value) throws(Diagnostic) -> Value? {
    if isConstant(y, neutralZero) { return x }
    if isConstant(x, neutralZero) { return y }
    if let negated = negated(y) { return try emit(.binary(Binary(.subtract)), x, negated) }
    if let negated = negated(x) { return try emit(.binary(Binary(.subtract)), y, negated) }
    return nil
  }

  private mutating func simplifyDifference(_ x: Value, _ y: Value) throws(Diagnostic) -> Value? {
    if fault == .simplifyFlipsSign { return try emit(.binary(Binary(.add)), x, y) }
    if isConstant(y, 0) { return x }
    if isConstant(x, neutralZero) { return try emit(.unary(Unary(.negate)), y) }
    if x == y, type.dtype.isInteger { return try splat(0) }
    if let negated = negated(y) { return try emit(.binary(Binary(.add)), x, negated) }
    return nil
  }

  /// The value whose negation a value is.
  private func negated(_ value: Value) -> Value? {
    guard let (operation, operands) = definition(of: value), case .unary(let unary) = operation,
      unary.function == .negate
    else { return nil }
    return operands[0]
  }

  private mutating func simplifyProduct(_ x: Value, _ y: Value) throws(Diagnostic) -> Value? {
    for (factor, constant) in [(x, y), (y, x)] {
      if fault == .simplifyDropsScale, constantScalar(constant) != nil { return factor }
      if isConstant(constant, 1) { return factor }
      if isConstant(constant, -1), type.dtype.category != .unsigned {
        return try emit(.unary(Unary(.negate)), factor)
      }
      if isConstant(constant, 0), type.dtype.isInteger { return constant }
    }
    return nil
  }

  private mutating func simplifyQuotient(_ x: Value, _ y: Value) throws(Diagnostic) -> Value? {
    if isConstant(y, 1) { return x }
    guard type.dtype.isFloat, let divisor = constantScalar(y)?.doubles()[0],
      divisor.significand == 1, divisor.isNormal, abs(divisor.exponent) <= smallestExponent
    else { return nil }
    // Multiplying by the reciprocal of a power of two rounds the same number.
    return try emit(.binary(Binary(.multiply)), x, splat(1 / divisor))
  }

  /// 2^e and 2^-e are normal numbers of the type for e up to this.
  private var smallestExponent: Int {
    switch type.dtype {
    case .f32, .bf16: 126
    case .f64: 1022
    case .f16: 14
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: 0
    }
  }

  /// Powers whose correctly rounded value a simpler operation gives.
  private mutating func simplifyPower(_ x: Value, _ y: Value) throws(Diagnostic) -> Value? {
    if isConstant(y, 1) { return x }
    if isConstant(y, 2) { return try emit(.binary(Binary(.multiply)), x, x) }
    if isConstant(y, 0) || (type.dtype.isFloat && isConstant(y, -0.0)) { return try splat(1) }
    if type.dtype.isFloat, isConstant(y, -1) {
      return try emit(.binary(Binary(.divide)), splat(1), x)
    }
    return nil
  }

  /// The number that every other is at least; nil where a double may not hold it.
  private var leastOrNil: Double? {
    switch type.dtype {
    case .f32, .f64, .f16, .bf16: -.infinity
    case .u8, .u16, .u32, .u64, .bool: 0
    case .i8, .i16, .i32, .i64: nil
    }
  }

  /// The number that every other is at most; nil where a double may not hold it.
  private var greatestOrNil: Double? {
    switch type.dtype {
    case .f32, .f64, .f16, .bf16: .infinity
    case .bool: 1
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64: nil
    }
  }

  private func isConstant(_ value: Value, _ number: Double?) -> Bool {
    number.map { isConstant(value, $0) } ?? false
  }

  private func isAllOnes(_ value: Value) -> Bool {
    guard let literal = constantScalar(value) else { return false }
    return literal.bytes.allSatisfy { $0 == (literal.type.dtype == .bool ? 1 : 0xFF) }
  }
}
