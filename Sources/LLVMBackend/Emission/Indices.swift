import CLLVM
import GraphIR
import LoopIR

/// Indices: integers computed from counters.
extension PhaseEmitter {
  /// A sum of products with the loop that it changes in, and a constant.
  ///
  /// The parts are in the order of the loops from outermost to innermost: added one after the other, every partial sum
  /// changes as rarely as it can, and LLVM moves it out of the inner loops.
  func parts(
    of index: LoopIndex
  ) throws(Diagnostic) -> (parts: [(depth: Int, value: CodeValue)], constant: Int) {
    var constant = index.constant
    var byDepth: [Int: CodeValue] = [:]
    for term in index.terms {
      let (value, offset, depth) = try atom(term.atom)
      constant += term.coefficient * offset
      guard let value else { continue }
      let product =
        term.coefficient == 1
        ? value : ir.multiplyWithoutOverflow(value, ir.constant(term.coefficient))
      byDepth[depth] = byDepth[depth].map { ir.addWithoutOverflow($0, product) } ?? product
    }
    return (byDepth.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, constant)
  }

  /// An index as a 64-bit integer.
  func index(_ index: LoopIndex) throws(Diagnostic) -> CodeValue {
    let (parts, constant) = try parts(of: index)
    guard let first = parts.first?.value else { return ir.constant(constant) }
    let sum = parts.dropFirst().reduce(first) { ir.addWithoutOverflow($0, $1.value) }
    return constant == 0 ? sum : ir.addWithoutOverflow(sum, ir.constant(constant))
  }

  /// An atom as a value (nil for 0) plus a constant, and the number of loops around where it is known.
  private func atom(
    _ atom: LoopIndex.Atom
  ) throws(Diagnostic) -> (value: CodeValue?, offset: Int, depth: Int) {
    switch atom {
    case .counter(let id):
      guard let counter = counters[id] else {
        throw malformed("counter \(id.index) is used outside of its loop")
      }
      return (counter.base, counter.offset, counter.depth)
    case .register(let register):
      let defined = try defined(register)
      return (defined.value, 0, defined.depth)
    case .quotient(let dividend, let divisor):
      let range = range(of: dividend)
      let (low, high) = (
        floorQuotient(range.lower, divisor), floorQuotient(range.upper, divisor)
      )
      if low == high { return (nil, low, 0) }
      return (try quotient(dividend, divisor, range), 0, depth(of: dividend))
    case .remainder(let dividend, let divisor):
      let range = range(of: dividend)
      if range.lower == range.upper {
        return (nil, floorRemainder(range.lower, divisor), 0)
      }
      return (try remainder(dividend, divisor, range), 0, depth(of: dividend))
    }
  }

  /// The number of loops around where an index is known.
  private func depth(of index: LoopIndex) -> Int {
    index.terms.reduce(0) { depth, term in
      switch term.atom {
      case .counter(let id): max(depth, counters[id]?.depth ?? 0)
      case .register(let id): max(depth, (try? defined(id).depth) ?? 0)
      case .quotient(let index, _), .remainder(let index, _): max(depth, self.depth(of: index))
      }
    }
  }

  /// The floor of the quotient.
  private func quotient(
    _ dividend: LoopIndex, _ divisor: Int, _ range: IndexRange
  ) throws(Diagnostic) -> CodeValue {
    let (x, d) = (try index(dividend), ir.constant(divisor))
    if divisor.nonzeroBitCount == 1 { return ir.ashr(x, by: divisor.trailingZeroBitCount) }
    if range.lower >= 0 { return ir.unsignedQuotient(x, d) }
    // Below zero the truncated quotient of x - (d - 1) is the floor of x's.
    let isNegative = ir.compare(LLVMIntSLT, x, ir.constant(0))
    let lowered = ir.sub(x, ir.select(isNegative, ir.constant(divisor - 1), ir.constant(0)))
    return ir.signedQuotient(lowered, d)
  }

  /// The remainder that is not negative.
  private func remainder(
    _ dividend: LoopIndex, _ divisor: Int, _ range: IndexRange
  ) throws(Diagnostic) -> CodeValue {
    let (x, d) = (try index(dividend), ir.constant(divisor))
    if divisor.nonzeroBitCount == 1 { return ir.and(x, ir.constant(divisor - 1)) }
    if range.lower >= 0 { return ir.unsignedRemainder(x, d) }
    let rest = ir.signedRemainder(x, d)
    let isNegative = ir.compare(LLVMIntSLT, rest, ir.constant(0))
    return ir.select(isNegative, ir.add(rest, d), rest)
  }
}
