extension LoopIndex: ExpressibleByIntegerLiteral {
  /// A constant.
  public init(integerLiteral value: Int) { self.init(constant: value) }
}

extension LoopIndex {
  /// The value of a counter.
  package static func counter(_ id: CounterID) -> LoopIndex {
    LoopIndex(terms: [Term(.counter(id), 1)])
  }

  /// The value of an i64 scalar register.
  package static func register(_ id: RegisterID) -> LoopIndex {
    LoopIndex(terms: [Term(.register(id), 1)])
  }

  /// Whether the index is the same wherever it is computed.
  package var isConstant: Bool { terms.isEmpty }

  /// The sum; terms of one atom are merged.
  package static func + (a: LoopIndex, b: LoopIndex) -> LoopIndex {
    var sum = a
    sum.constant += b.constant
    for term in b.terms {
      if let place = sum.terms.firstIndex(where: { $0.atom == term.atom }) {
        sum.terms[place].coefficient += term.coefficient
        if sum.terms[place].coefficient == 0 { sum.terms.remove(at: place) }
      } else {
        sum.terms.append(term)
      }
    }
    return sum
  }

  /// The multiple.
  package static func * (a: LoopIndex, factor: Int) -> LoopIndex {
    if factor == 0 { return 0 }
    return LoopIndex(
      constant: a.constant * factor,
      terms: a.terms.map { Term($0.atom, $0.coefficient * factor) })
  }

  /// The difference.
  package static func - (a: LoopIndex, b: LoopIndex) -> LoopIndex { a + b * -1 }

  /// The index without what divides by `divisor` term by term, and that part divided.
  package func split(by divisor: Int) -> (multiple: LoopIndex, rest: LoopIndex) {
    var multiple = LoopIndex(constant: floorQuotient(constant, divisor))
    var rest = LoopIndex(constant: floorRemainder(constant, divisor))
    for term in terms {
      if term.coefficient % divisor == 0 {
        multiple.terms.append(Term(term.atom, term.coefficient / divisor))
      } else {
        rest.terms.append(term)
      }
    }
    return (multiple, rest)
  }
}

/// The floor of a quotient with a positive divisor.
package func floorQuotient(_ value: Int, _ divisor: Int) -> Int {
  let quotient = value / divisor
  return value % divisor < 0 ? quotient - 1 : quotient
}

/// The remainder in `0 ..< divisor`.
package func floorRemainder(_ value: Int, _ divisor: Int) -> Int {
  let remainder = value % divisor
  return remainder < 0 ? remainder + divisor : remainder
}

/// What is known of a 64-bit integer: it lies in `lower ... upper` and is `residue` plus a multiple of `modulus`.
package struct IndexRange: Hashable, Sendable {
  /// The least possible value.
  package var lower: Int
  /// The greatest possible value.
  package var upper: Int
  /// A positive number of which the value is a multiple, `residue` apart; 0 for a constant.
  package var modulus: Int
  /// What the value leaves when divided by `modulus`.
  package var residue: Int

  /// Bounds so wide that sums and products of a few of them do not overflow.
  package static let unknown = IndexRange(-limit, limit)
  /// The greatest bound.
  package static let limit = 1 << 60

  /// Makes a range; a single value is known exactly.
  package init(_ lower: Int, _ upper: Int, modulus: Int = 1, residue: Int = 0) {
    self.lower = max(lower, -IndexRange.limit)
    self.upper = min(upper, IndexRange.limit)
    self.modulus = lower == upper ? 0 : modulus
    self.residue = lower == upper ? lower : floorRemainder(residue, modulus)
  }

  /// The sum of two ranges.
  package static func + (a: IndexRange, b: IndexRange) -> IndexRange {
    let modulus = commonDivisor(a.modulus, b.modulus)
    return IndexRange(
      a.lower + b.lower, a.upper + b.upper, modulus: max(modulus, 1),
      residue: a.residue &+ b.residue)
  }

  /// The multiple of a range.
  package static func * (a: IndexRange, factor: Int) -> IndexRange {
    let ends = (saturating(a.lower, factor), saturating(a.upper, factor))
    let modulus = saturating(a.modulus, abs(factor))
    // A residue is less than its modulus: its multiple fits where that of the modulus does.
    let isKnown = a.modulus > 0 && modulus < limit
    return IndexRange(
      min(ends.0, ends.1), max(ends.0, ends.1), modulus: isKnown ? max(modulus, 1) : 1,
      residue: isKnown ? a.residue * factor : 0)
  }

  /// The floor of a range divided by a positive constant.
  package func quotient(_ divisor: Int) -> IndexRange {
    let (lower, upper) = (floorQuotient(lower, divisor), floorQuotient(upper, divisor))
    guard modulus > 0, modulus % divisor == 0 else { return IndexRange(lower, upper) }
    return IndexRange(
      lower, upper, modulus: modulus / divisor, residue: floorQuotient(residue, divisor))
  }

  /// The remainder by a positive constant.
  package func remainder(_ divisor: Int) -> IndexRange {
    if floorQuotient(lower, divisor) == floorQuotient(upper, divisor) {
      let base = floorQuotient(lower, divisor) * divisor
      return IndexRange(
        lower - base, upper - base, modulus: max(modulus, 1), residue: residue &- base)
    }
    let common = commonDivisor(modulus, divisor)
    let rest = floorRemainder(residue, common)
    return IndexRange(rest, divisor - common + rest, modulus: common, residue: rest)
  }

  private static func saturating(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    if overflow { return (a < 0) == (b < 0) ? limit : -limit }
    return max(-limit, min(limit, product))
  }
}

/// The greatest common divisor of two numbers that are not negative.
package func commonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}

extension LoopIndex {
  /// What is known of the index, given what is known of counters and registers.
  package func range(
    counters: (CounterID) -> IndexRange, registers: (RegisterID) -> IndexRange
  ) -> IndexRange {
    var range = IndexRange(constant, constant)
    for term in terms {
      let atom =
        switch term.atom {
        case .counter(let id): counters(id)
        case .register(let id): registers(id)
        case .quotient(let index, let divisor):
          index.range(counters: counters, registers: registers).quotient(divisor)
        case .remainder(let index, let divisor):
          index.range(counters: counters, registers: registers).remainder(divisor)
        }
      range = range + atom * term.coefficient
    }
    return range
  }
}
