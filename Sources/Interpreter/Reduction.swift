import GraphIR

extension ReduceFunction {
  /// Combines the elements of x at `bases[i] + steps[k]` for all k, in their order; nil where it is
  /// not defined.
  func folded(_ x: CarriedTensor, _ bases: [Int], _ steps: [Int]) -> CarriedTensor.Storage? {
    switch x.storage {
    case .floats(let values):
      .floats(folded(values, bases, steps, least: -.infinity, greatest: .infinity))
    case .signed(let values):
      .signed(
        folded(
          values, bases, steps, least: Int64.min >> (64 - x.type.dtype.bitCount),
          greatest: Int64.max >> (64 - x.type.dtype.bitCount)))
    case .unsigned(let values):
      .unsigned(
        folded(
          values, bases, steps, least: 0, greatest: UInt64.max >> (64 - x.type.dtype.bitCount)))
    case .bools(let values):
      switch self {
      case .max: .bools(fold(values, bases, steps, false) { $0 || $1 })
      case .min: .bools(fold(values, bases, steps, true) { $0 && $1 })
      case .sum, .product: nil
      }
    }
  }

  private func folded<T: NumericCarrier>(
    _ x: [T], _ bases: [Int], _ steps: [Int], least: T, greatest: T
  ) -> [T] {
    switch self {
    case .sum: fold(x, bases, steps, T.additiveIdentity, T.sum)
    case .product: fold(x, bases, steps, T.multiplicativeIdentity, T.product)
    case .max: fold(x, bases, steps, least, T.maximum)
    case .min: fold(x, bases, steps, greatest, T.minimum)
    }
  }
}

@inline(__always)
private func fold<T: BitwiseCopyable>(
  _ x: [T], _ bases: [Int], _ steps: [Int], _ initial: T, _ combine: (T, T) -> T
) -> [T] {
  x.withUnsafeBufferPointer { x in
    bases.map { base in
      var result = initial
      for step in steps { result = combine(result, x[base + step]) }
      return result
    }
  }
}

extension Evaluator {
  package mutating func visit(_ op: Reduce) throws(Diagnostic) -> [CarriedTensor] {
    var x = operands[0]
    if absolute, op.function == .sum { x.storage = x.storage.magnitudes }
    let kept = Positions.remaining(rank: x.shape.rank, without: op.dimensions)
    let result = op.function.folded(
      x, Positions.along(kept, of: x.shape), Positions.along(op.dimensions, of: x.shape))
    guard let result else { throw notDefined("reduce_\(op.function.rawValue)") }
    return store(result)
  }

  package mutating func visit(_ op: ArgReduce) throws(Diagnostic) -> [CarriedTensor] {
    let x = operands[0]
    let kept = Positions.remaining(rank: x.shape.rank, without: [op.dimension])
    let bases = Positions.along(kept, of: x.shape)
    let steps = Positions.along([op.dimension], of: x.shape)
    func search<T: Carrier>(_ x: [T]) -> [Int64] {
      bases.map { base in
        let first = firstExtreme(steps.lazy.map { x[base + $0] }, greatest: op.function == .argmax)
        return Int64(first ?? 0)
      }
    }
    return switch x.storage {
    case .floats(let x): store(.signed(search(x)))
    case .signed(let x): store(.signed(search(x)))
    case .unsigned(let x): store(.signed(search(x)))
    case .bools(let x): store(.signed(search(x)))
    }
  }
}

/// Where the first NaN is, or else the first of the greatest (or least) elements; -0 and +0 are
/// equal.
func firstExtreme<Elements: Sequence>(_ elements: Elements, greatest: Bool) -> Int?
where Elements.Element: Carrier {
  var best: (index: Int, value: Elements.Element)?
  for (index, value) in elements.enumerated() {
    guard let (_, extreme) = best else {
      best = (index, value)
      continue
    }
    if extreme.isNotANumber { break }
    let isBetter =
      greatest ? Elements.Element.isLess(extreme, value) : Elements.Element.isLess(value, extreme)
    if value.isNotANumber || isBetter { best = (index, value) }
  }
  return best?.index
}
