import GraphIR
import LoopIR

/// An index at a vector of points: `base + stride * lane + lanes[lane]`.
struct IndexValue {
  var base: LoopIndex
  var stride = 0
  /// What depends on the lane in another way, as i64 lanes.
  var lanes: RegisterID?
  /// What `lanes` are, where that is known.
  var known: [Int]?
  /// What is known of all lanes.
  var range: IndexRange

  /// Whether all lanes are equal.
  var isUniform: Bool { stride == 0 && lanes == nil }
}

/// Turns the index expressions of a kernel into indices of loops.
struct IndexEmitter {
  let builder: LoopsBuilder
  let point: Point
  /// The instructions of the body that are emitted already.
  let values: [RegisterID]

  private var laneCount: Int { point.vector?.lanes ?? 1 }

  /// The index at this point.
  func evaluate(_ expression: IndexExpression) -> IndexValue {
    var sum = IndexValue(
      base: LoopIndex(constant: expression.constant),
      range: IndexRange(expression.constant, expression.constant))
    for term in expression.terms {
      let value = evaluate(term.atom)
      sum.base = sum.base + value.base * term.coefficient
      sum.stride += value.stride * term.coefficient
      sum.range = sum.range + value.range * term.coefficient
      if let lanes = value.lanes {
        let scaled = binary(.multiply, lanes, term.coefficient)
        sum.known =
          sum.lanes == nil ? value.known.map { $0.map { $0 * term.coefficient } } : nil
        sum.lanes = sum.lanes.map { binary(.add, $0, scaled) } ?? scaled
      }
    }
    return sum
  }

  private func evaluate(_ atom: IndexExpression.Atom) -> IndexValue {
    switch atom {
    case .dimension(let id):
      let base = point.counters[id] ?? 0
      guard let vector = point.vector, vector.id == id else { return uniform(base) }
      let span = IndexRange(0, vector.lanes - 1)
      return IndexValue(base: base, stride: 1, range: builder.range(of: base) + span)
    case .instruction(let place):
      let register = convert(values[place], to: .i64)
      if builder.type(of: register).lanes == 1 { return uniform(.register(register)) }
      return IndexValue(base: 0, lanes: register, range: .unknown)
    case .quotient(let inner, let divisor):
      return quotient(evaluate(inner), divisor)
    case .remainder(let inner, let divisor):
      return remainder(evaluate(inner), divisor)
    }
  }

  private func uniform(_ index: LoopIndex) -> IndexValue {
    IndexValue(base: index, range: builder.range(of: index))
  }

  // MARK: Divisions

  /// Whether no lane lies in another block of `divisor` indices than the first.
  private func staysInBlock(_ value: IndexValue, _ divisor: Int) -> Bool {
    guard value.lanes == nil, value.stride > 0 else { return false }
    let first = builder.range(of: value.base).remainder(divisor)
    return first.upper + (laneCount - 1) * value.stride < divisor
  }

  private func quotient(_ value: IndexValue, _ divisor: Int) -> IndexValue {
    if value.isUniform { return uniform(builder.quotient(value.base, divisor)) }
    if value.lanes == nil, value.stride % divisor == 0 {
      return IndexValue(
        base: builder.quotient(value.base, divisor), stride: value.stride / divisor,
        range: value.range.quotient(divisor))
    }
    if staysInBlock(value, divisor) { return uniform(builder.quotient(value.base, divisor)) }
    if value.lanes == nil, value.stride > 0,
      let first = builder.range(of: value.base).remainder(byKnown: divisor)
    {
      let last = first + (laneCount - 1) * value.stride
      let inside = IndexValue(
        base: LoopIndex(constant: first), stride: value.stride, range: IndexRange(first, last))
      return IndexValue(
        base: builder.quotient(value.base, divisor), lanes: divide(inside, divisor).quotient,
        known: (0..<laneCount).map { (first + $0 * value.stride) / divisor },
        range: value.range.quotient(divisor))
    }
    let lanes = divide(value, divisor).quotient
    return IndexValue(base: 0, lanes: lanes, range: value.range.quotient(divisor))
  }

  private func remainder(_ value: IndexValue, _ divisor: Int) -> IndexValue {
    if value.isUniform || value.lanes == nil && value.stride % divisor == 0 {
      return uniform(builder.remainder(value.base, divisor))
    }
    if staysInBlock(value, divisor) {
      return IndexValue(
        base: builder.remainder(value.base, divisor), stride: value.stride,
        range: IndexRange(0, divisor - 1))
    }
    let (lanes, quotient) = divide(value, divisor)
    let whole = binary(.multiply, quotient, divisor)
    let rest = builder.define(.binary(.subtract, lanes, whole), LoopType(.i64, lanes: laneCount))
    return IndexValue(base: 0, lanes: rest, range: IndexRange(0, divisor - 1))
  }

  /// All lanes of an index, and their floored quotients.
  private func divide(
    _ value: IndexValue, _ divisor: Int
  ) -> (lanes: RegisterID, quotient: RegisterID) {
    let lanes = register(value)
    // Truncating is flooring once the dividend is moved above zero.
    let blocks = value.range.lower < 0 ? floorQuotient(value.range.lower, divisor) : 0
    let isSmall = value.range.lower > -(1 << 30) && value.range.upper < 1 << 30
    if value.range.lower <= -IndexRange.limit / 2 { return (lanes, floored(lanes, divisor)) }
    var dividend = blocks == 0 ? lanes : binary(.add, lanes, -blocks * divisor)
    if isSmall { dividend = convert(dividend, to: .i32) }
    var quotient = binary(.divide, dividend, divisor)
    if isSmall { quotient = convert(quotient, to: .i64) }
    if blocks != 0 { quotient = binary(.add, quotient, blocks) }
    return (lanes, quotient)
  }

  private func floored(_ lanes: RegisterID, _ divisor: Int) -> RegisterID {
    let type = builder.type(of: lanes)
    let quotient = binary(.divide, lanes, divisor)
    let rest = binary(.remainder, lanes, divisor)
    let isBelow = builder.define(
      .compare(.less, rest, constant(0, type)), LoopType(.bool, lanes: type.lanes))
    return builder.define(.select(isBelow, binary(.add, quotient, -1), quotient), type)
  }

  // MARK: Registers

  /// The index as an i64 register: a scalar when all lanes are equal.
  func register(_ value: IndexValue) -> RegisterID {
    if value.isUniform { return builder.define(.index(value.base), LoopType(.i64)) }
    let type = LoopType(.i64, lanes: laneCount)
    if value.lanes == nil || value.stride != 0 || !value.base.isConstant || value.base.constant != 0
    {
      let steps = builder.define(.lanes(value.base, stride: value.stride), type)
      return value.lanes.map { builder.define(.binary(.add, steps, $0), type) } ?? steps
    }
    return value.lanes ?? builder.define(.lanes(value.base, stride: value.stride), type)
  }

  /// What each lane adds to the base, as i64 lanes.
  func offsets(_ value: IndexValue) -> RegisterID {
    var rest = value
    rest.base = 0
    if rest.isUniform {
      return builder.define(.lanes(0, stride: 0), LoopType(.i64, lanes: laneCount))
    }
    return register(rest)
  }

  /// The condition that a lane comes before a given one.
  func lanes(below count: Int) -> RegisterID {
    let type = LoopType(.i32, lanes: laneCount)
    let lanes = convert(
      builder.define(.lanes(0, stride: 1), LoopType(.i64, lanes: laneCount)), to: .i32)
    return builder.define(
      .compare(.less, lanes, constant(count, type)), LoopType(.bool, lanes: laneCount))
  }

  /// Whether an expression never is in the range of its guard.
  func fails(_ condition: IndexGuard) -> Bool {
    let range = evaluate(condition.expression).range
    return range.upper < 0 || range.lower >= condition.extent
  }

  /// Whether an expression is in the range of its guard; nil when it always is.
  func condition(_ condition: IndexGuard) -> RegisterID? {
    let value = evaluate(condition.expression)
    if value.range.lower >= 0 && value.range.upper < condition.extent { return nil }
    var register = register(value)
    // As an unsigned number, what is below zero is large: one comparison does.
    let isSmall =
      value.range.lower > -(1 << 31) && value.range.upper < 1 << 31 && condition.extent < 1 << 31
    register = convert(register, to: isSmall ? .u32 : .u64)
    let type = builder.type(of: register)
    return builder.define(
      .compare(.less, register, constant(max(condition.extent, 0), type)),
      LoopType(.bool, lanes: type.lanes))
  }

  private func constant(_ value: Int, _ type: LoopType) -> RegisterID {
    let bits = UInt64(bitPattern: Int64(value))
    let width = UInt64(type.dtype.bitCount)
    let mask = width == 64 ? UInt64.max : 1 << width - 1
    return builder.define(.constant(bits & mask), type)
  }

  private func binary(_ function: BinaryFunction, _ a: RegisterID, _ b: RegisterID) -> RegisterID {
    builder.define(.binary(function, a, b), builder.type(of: a))
  }

  private func binary(_ function: BinaryFunction, _ a: RegisterID, _ factor: Int) -> RegisterID {
    if function == .multiply, factor == 1 { return a }
    return binary(function, a, constant(factor, builder.type(of: a)))
  }

  private func convert(_ register: RegisterID, to dtype: DType) -> RegisterID {
    let type = builder.type(of: register)
    if type.dtype == dtype { return register }
    return builder.define(.convert(register), LoopType(dtype, lanes: type.lanes))
  }
}

extension IndexRange {
  /// The remainder by a positive number, where it is the same for every value.
  fileprivate func remainder(byKnown divisor: Int) -> Int? {
    modulus % divisor == 0 ? floorRemainder(residue, divisor) : nil
  }
}
