extension IndexExpression.Atom: Comparable {
  private var rank: Int {
    switch self {
    case .dimension: 0
    case .quotient: 1
    case .remainder: 2
    case .instruction: 3
    }
  }

  /// Dimensions come first, then quotients, remainders and instructions.
  public static func < (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.dimension(let a), .dimension(let b)): a < b
    case (.instruction(let a), .instruction(let b)): a < b
    case (.quotient(let e, let d), .quotient(let f, let g)),
      (.remainder(let e, let d), .remainder(let f, let g)):
      d != g ? d < g : e.precedes(f)
    default: a.rank < b.rank
    }
  }
}

extension IndexExpression: ExpressibleByIntegerLiteral {
  /// A constant.
  public init(integerLiteral value: Int) { self.init(constant: value) }

  /// One atom.
  package init(_ atom: Atom) { self.init(terms: [Term(atom, 1)]) }

  /// The constant that this is; nil when it has terms.
  package var asConstant: Int? { terms.isEmpty ? constant : nil }

  /// The dimension whose plain counter this is; nil for anything else.
  package var asDimension: DimensionID? {
    guard constant == 0, terms.count == 1, terms[0].coefficient == 1,
      case .dimension(let id) = terms[0].atom
    else { return nil }
    return id
  }

  /// Whether every term is a multiple of a dimension's counter.
  package var isAffine: Bool {
    terms.allSatisfy { if case .dimension = $0.atom { true } else { false } }
  }

  fileprivate func precedes(_ other: IndexExpression) -> Bool {
    if constant != other.constant { return constant < other.constant }
    for (a, b) in zip(terms, other.terms) where a != b {
      return a.atom != b.atom ? a.atom < b.atom : a.coefficient < b.coefficient
    }
    return terms.count < other.terms.count
  }

  /// The sum.
  package static func + (a: IndexExpression, b: IndexExpression) -> IndexExpression {
    var sum = IndexExpression(constant: a.constant &+ b.constant)
    var rest = b.terms[...]
    for term in a.terms {
      while let next = rest.first, next.atom < term.atom { sum.terms.append(rest.removeFirst()) }
      var merged = term
      if let next = rest.first, next.atom == term.atom {
        merged.coefficient &+= next.coefficient
        rest.removeFirst()
      }
      if merged.coefficient != 0 { sum.terms.append(merged) }
    }
    sum.terms += rest
    return sum
  }

  /// The multiple.
  package static func * (a: IndexExpression, factor: Int) -> IndexExpression {
    guard factor != 0 else { return 0 }
    return IndexExpression(
      constant: a.constant &* factor,
      terms: a.terms.map { Term($0.atom, $0.coefficient &* factor) })
  }

  /// The difference.
  package static func - (a: IndexExpression, b: IndexExpression) -> IndexExpression { a + b * -1 }

  /// The part whose coefficients divide by `divisor`, divided by it, and the rest.
  fileprivate func split(by divisor: Int) -> (quotient: IndexExpression, rest: IndexExpression) {
    var quotient = IndexExpression(constant: constant.floorQuotient(by: divisor))
    var rest = IndexExpression(constant: constant.floorRemainder(by: divisor))
    for term in terms {
      if term.coefficient % divisor == 0 {
        quotient.terms.append(Term(term.atom, term.coefficient / divisor))
      } else {
        rest.terms.append(term)
      }
    }
    return (quotient, rest)
  }

  /// The floor of the quotient by a positive constant, simplified as far as the bounds allow.
  package func quotient(by divisor: Int, in bounds: IndexBounds) -> IndexExpression {
    if divisor == 1 { return self }
    if let block = range(in: bounds)?.commonQuotient(by: divisor) {
      return IndexExpression(constant: block)
    }
    let (whole, rest) = split(by: divisor)
    if let block = rest.range(in: bounds)?.commonQuotient(by: divisor) {
      return whole + IndexExpression(constant: block)
    }
    if let (scaled, factor, _) = rest.factored(toDivide: divisor, in: bounds) {
      return whole + scaled.quotient(by: divisor / factor, in: bounds)
    }
    // floor((floor(x / a) + c) / b) = floor((x + c a) / (a b))
    if rest.terms.count == 1, rest.terms[0].coefficient == 1,
      case .quotient(let inner, let innerDivisor) = rest.terms[0].atom
    {
      let dividend = inner + IndexExpression(constant: rest.constant &* innerDivisor)
      return whole + dividend.quotient(by: innerDivisor * divisor, in: bounds)
    }
    return whole + IndexExpression(.quotient(rest, divisor))
  }

  /// The remainder, in `0 ..< divisor`, of the division by a positive constant, simplified as far as the bounds
  /// allow.
  package func remainder(by divisor: Int, in bounds: IndexBounds) -> IndexExpression {
    if divisor == 1 { return 0 }
    if let block = range(in: bounds)?.commonQuotient(by: divisor) {
      return self - IndexExpression(constant: block * divisor)
    }
    let rest = split(by: divisor).rest
    if let block = rest.range(in: bounds)?.commonQuotient(by: divisor) {
      return rest - IndexExpression(constant: block * divisor)
    }
    if let (scaled, factor, small) = rest.factored(toDivide: divisor, in: bounds) {
      return scaled.remainder(by: divisor / factor, in: bounds) * factor + small
    }
    if rest.terms.count == 1, rest.terms[0].coefficient == 1, rest.constant == 0,
      case .remainder(let inner, let innerDivisor) = rest.terms[0].atom,
      innerDivisor % divisor == 0
    {
      return inner.remainder(by: divisor, in: bounds)
    }
    return IndexExpression(.remainder(rest, divisor))
  }

  /// Writes this as `factor * scaled + small` with a factor of `divisor` above 1 and `0 <= small < factor`.
  private func factored(
    toDivide divisor: Int, in bounds: IndexBounds
  ) -> (scaled: IndexExpression, factor: Int, small: IndexExpression)? {
    let candidates = Set(terms.map { greatestCommonDivisor(abs($0.coefficient), divisor) })
    for factor in candidates.sorted(by: >) where factor > 1 {
      let (scaled, small) = split(by: factor)
      if let range = small.range(in: bounds), range.lowerBound >= 0, range.upperBound < factor {
        return (scaled, factor, small)
      }
    }
    return nil
  }

  /// Replaces dimensions and instructions where `replacement` gives something, and simplifies what contains them.
  ///
  /// `bounds` are those of the replacements.
  package func substituting(
    in bounds: IndexBounds, _ replacement: (Atom) -> IndexExpression?
  ) -> IndexExpression {
    var result = IndexExpression(constant: constant)
    for term in terms {
      let atom: IndexExpression =
        switch term.atom {
        case .dimension, .instruction: replacement(term.atom) ?? IndexExpression(term.atom)
        case .quotient(let inner, let divisor):
          inner.substituting(in: bounds, replacement).quotient(by: divisor, in: bounds)
        case .remainder(let inner, let divisor):
          inner.substituting(in: bounds, replacement).remainder(by: divisor, in: bounds)
        }
      result = result + atom * term.coefficient
    }
    return result.recombined(in: bounds)
  }

  /// Replaces dimension i by the i-th expression.
  package func substituting(
    _ dimensions: [IndexExpression], in bounds: IndexBounds
  ) -> IndexExpression {
    substituting(in: bounds) { atom in
      if case .dimension(let id) = atom { dimensions[id.index] } else { nil }
    }
  }

  /// Puts quotients and remainders of one dividend together again: `d (x / d) + x % d = x`.
  package func recombined(in bounds: IndexBounds) -> IndexExpression {
    for (place, term) in terms.enumerated() {
      guard case .remainder(let dividend, let divisor) = term.atom else { continue }
      let quotient = dividend.quotient(by: divisor, in: bounds)
      guard quotient.constant == 0, quotient.terms.count == 1, quotient.terms[0].coefficient == 1,
        let partner = terms.firstIndex(where: { $0.atom == quotient.terms[0].atom }),
        terms[partner].coefficient == term.coefficient * divisor
      else { continue }
      var rest = self
      for index in [place, partner].sorted(by: >) { rest.terms.remove(at: index) }
      return (rest + dividend * term.coefficient).recombined(in: bounds)
    }
    return self
  }

  /// The value at a point.
  package func evaluate(
    dimensions: [Int], instruction: (Int) -> Int = { _ in 0 }
  ) -> Int {
    terms.reduce(constant) { sum, term in
      let value =
        switch term.atom {
        case .dimension(let id): dimensions[id.index]
        case .quotient(let inner, let divisor):
          inner.evaluate(dimensions: dimensions, instruction: instruction).floorQuotient(
            by: divisor)
        case .remainder(let inner, let divisor):
          inner.evaluate(dimensions: dimensions, instruction: instruction).floorRemainder(
            by: divisor)
        case .instruction(let place): instruction(place)
        }
      return sum &+ term.coefficient &* value
    }
  }

  /// Calls a function with each dimension and instruction, also those inside of quotients and remainders.
  package func forEachLeaf(_ body: (Atom) -> Void) {
    for term in terms {
      switch term.atom {
      case .dimension, .instruction: body(term.atom)
      case .quotient(let inner, _), .remainder(let inner, _): inner.forEachLeaf(body)
      }
    }
  }
}

extension IndexGuard {
  /// Whether the condition holds everywhere (true), nowhere (false), or is to be checked (nil).
  package func verdict(in bounds: IndexBounds) -> Bool? {
    if extent <= 0 { return false }
    guard let range = expression.range(in: bounds) else { return nil }
    if range.lowerBound >= 0 && range.upperBound < extent { return true }
    return range.upperBound < 0 || range.lowerBound >= extent ? false : nil
  }
}

/// The greatest number that divides both; that of 0 and n is n.
private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
