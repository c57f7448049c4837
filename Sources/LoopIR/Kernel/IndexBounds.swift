/// What is known of the counters and instructions that index expressions are made of.
///
/// Every simplification of the algebra asks here how far an expression can reach.
package struct IndexBounds: Hashable, Sendable {
  /// The extent of each dimension; its counter is in `0 ..< extent`.
  package var extents: [Int]
  /// The values of those integer instructions of which bounds are known.
  package var instructions: [Int: ClosedRange<Int>]

  /// Bounds of counters and, as far as they are known, of instructions.
  package init(extents: [Int] = [], instructions: [Int: ClosedRange<Int>] = [:]) {
    self.extents = extents
    self.instructions = instructions
  }
}

extension IndexExpression {
  /// The least and the greatest value, by interval arithmetic; nil when an instruction is unbounded.
  package func range(in bounds: IndexBounds) -> ClosedRange<Int>? {
    var low = constant
    var high = constant
    for term in terms {
      guard let range = term.atom.range(in: bounds) else { return nil }
      let ends = (range.lowerBound &* term.coefficient, range.upperBound &* term.coefficient)
      low &+= min(ends.0, ends.1)
      high &+= max(ends.0, ends.1)
    }
    return low <= high ? low...high : nil
  }
}

extension IndexExpression.Atom {
  /// The least and the greatest value; nil when an instruction is unbounded.
  package func range(in bounds: IndexBounds) -> ClosedRange<Int>? {
    switch self {
    case .dimension(let id):
      return bounds.extents.indices.contains(id.index)
        ? 0...max(bounds.extents[id.index] - 1, 0) : nil
    case .quotient(let dividend, let divisor):
      return dividend.range(in: bounds).map {
        $0.lowerBound.floorQuotient(by: divisor)...$0.upperBound.floorQuotient(by: divisor)
      }
    case .remainder(let dividend, let divisor):
      guard let range = dividend.range(in: bounds),
        let block = range.commonQuotient(by: divisor)
      else { return 0...divisor - 1 }
      return range.lowerBound - block * divisor...range.upperBound - block * divisor
    case .instruction(let place):
      return bounds.instructions[place]
    }
  }
}

extension Int {
  /// The floor of the quotient by a positive divisor.
  package func floorQuotient(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }

  /// The remainder of the floored division, in `0 ..< divisor`.
  package func floorRemainder(by divisor: Int) -> Int {
    let remainder = self % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}

extension ClosedRange<Int> {
  /// The floored quotient by a positive divisor, when it is the same for every number of the range.
  func commonQuotient(by divisor: Int) -> Int? {
    let quotient = lowerBound.floorQuotient(by: divisor)
    return quotient == upperBound.floorQuotient(by: divisor) ? quotient : nil
  }
}
