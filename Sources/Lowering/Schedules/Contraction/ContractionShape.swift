import GraphIR
import LoopIR

/// A sum of products: a fold of `row factor * column factor`, then maps (the epilogue).
///
/// Vectors go along an outer dimension that the row factor does not depend on; rows of the register tile along outer
/// dimensions that the column factor does not depend on. A tile of m rows and n vectors then takes m + n loads for
/// m n multiply-adds.
struct Contraction {
  let kernel: Kernel
  /// The dimension of the vectors.
  let vector: DimensionID
  /// The dimensions of rows, that of the smallest step in memory first.
  let rows: [DimensionID]
  /// The instruction of the factor that varies along the vectors.
  let column: Int
  /// The instruction of the factor that varies along the rows.
  let row: Int
  /// How the column factor steps through memory along the vector dimension; nil when it is no plain load.
  let columnStride: Int?
  /// The lanes of a vector.
  let lanes: Int

  var fold: KernelStage { kernel.stages[0] }
  var extent: Int { kernel.extent(vector) }
  var reduced: [DimensionID] { kernel.stages[0].folded }

  /// The other outer dimensions: both factors or neither depend on them.
  var batch: [DimensionID] { kernel.outer.filter { $0 != vector && !rows.contains($0) } }

  /// The best reading of a kernel as a contraction, and about how many cycles it takes; nil when it is none, or has no
  /// rows.
  static func find(
    in kernel: Kernel, _ target: Target
  ) -> (contraction: Contraction, cost: Double)? {
    readings(of: kernel, target).first.map { (contraction: $0.choice, cost: $0.cost) }
  }

  /// The readings of a kernel as a contraction, with about how many cycles each takes; none when it is none, or has no
  /// rows.
  static func readings(of kernel: Kernel, _ target: Target) -> Ranking<Contraction> {
    var readings = Ranking<Contraction>()
    guard let first = kernel.stages.first, case .fold(.sum, _) = first.kind,
      first.dimensions.isEmpty, let last = first.body.instructions.last,
      last.operation == .binary(.multiply),
      kernel.stages.dropFirst().allSatisfy({ $0.kind == .map && $0.dimensions.isEmpty })
    else { return readings }
    for id in kernel.outer {
      for (row, column) in [
        (last.operands[0], last.operands[1]), (last.operands[1], last.operands[0]),
      ] {
        guard let found = Contraction(kernel, id, row, column, target) else { continue }
        readings.consider(found, cost: found.cost(found.method(target), target))
      }
    }
    return readings
  }

  private init?(
    _ kernel: Kernel, _ vector: DimensionID, _ row: Int, _ column: Int, _ target: Target
  ) {
    let body = kernel.stages[0].body
    let choice = VectorChoice(kernel: kernel, target: target)
    guard row != column, choice.canVectorize(outer: vector) else { return nil }
    let alongVector = body.varying(with: vector)
    guard alongVector[column], !alongVector[row] else { return nil }
    let rows = kernel.outer.filter { id in
      let varies = body.varying(with: id)
      return id != vector && varies[row] && !varies[column]
    }
    guard kernel.points(rows) > 1 else { return nil }
    self.kernel = kernel
    self.vector = vector
    self.row = row
    self.column = column
    lanes = choice.lanes(vector, kernel.stages)
    self.rows = rows.sorted { a, b in
      let (first, second) = (body.step(row, along: a), body.step(row, along: b))
      return first != second ? first < second : kernel.extent(a) > kernel.extent(b)
    }
    columnStride = body.stride(column, along: vector)
  }

  /// The bytes between the column factor's elements for neighbouring steps of the reduction.
  var columnStep: Int {
    let step = reduced.map { kernel.stages[0].body.step(column, along: $0) }.min() ?? 0
    return step * kernel.stages[0].body.instructions[column].dtype.byteCount
  }

  /// Whether the column factor follows from constants alone, so that its copy is made once.
  var isPackedOnce: Bool { isCopiedOnce(column) }

  /// Whether a factor follows from constants alone.
  func isCopiedOnce(_ factor: Int) -> Bool {
    let needed = fold.body.needed(by: factor)
    let loads = fold.body.instructions.indices.filter { needed[$0] }.compactMap { place in
      if case .load(let source, _, _) = fold.body.instructions[place].operation {
        source
      } else {
        nil
      }
    }
    return !loads.isEmpty && loads.allSatisfy { kernel.isConstant($0) }
  }

  /// Whether the column factor is to be copied into panels first.
  ///
  /// A processor fetches lines ahead that follow each other evenly within a page, as vectors of whole lines do.
  func needsPacking(_ target: Target) -> Bool {
    guard columnStride == 1 else { return true }
    let rowCount = kernel.points(rows)
    let farStep = target.vectorBytes >= Target.lineBytes ? 4096 : 1024
    // Vectors that do not begin at multiples of their size lie across two lines.
    let isAligned = extent % lanes == 0
    if isPackedOnce { return columnStep >= 1024 || !isAligned && extent > lanes }
    return columnStep >= farStep && rowCount >= 64
      || !isAligned && extent > lanes && rowCount >= 128
  }
}

extension ScalarBody {
  /// The distance between the elements that an instruction loads for neighbouring points; nil when it is no unguarded
  /// load, or the distance varies.
  func stride(_ place: Int, along id: DimensionID) -> Int? {
    guard case .load(_, let index, let guards) = instructions[place].operation,
      case .affine(let stride) = index[0].dependence(on: id),
      guards.allSatisfy({ $0.expression.dependence(on: id) == .affine(0) })
    else { return nil }
    return stride
  }

  /// How far apart in memory, at most, the loads that an instruction needs lie for neighbouring points.
  func step(_ place: Int, along id: DimensionID) -> Int {
    var largest = 0
    var pending = [place]
    while let next = pending.popLast() {
      pending += instructions[next].operands
      largest = max(largest, ownStep(next, along: id))
    }
    return largest
  }

  /// How far apart in memory a load lies for neighbouring points; 0 for other instructions.
  func ownStep(_ place: Int, along id: DimensionID) -> Int {
    guard case .load(_, let index, _) = instructions[place].operation else { return 0 }
    switch index[0].dependence(on: id) {
    case .affine(let stride): return abs(stride)
    case .other: return .max / 2
    }
  }

  /// Whether one of the instructions needs each of them, or is it.
  func needed(by place: Int) -> [Bool] {
    var needed = [Bool](repeating: false, count: instructions.count)
    needed[place] = true
    for at in instructions.indices.reversed() where needed[at] {
      for operand in instructions[at].operands { needed[operand] = true }
      instructions[at].forEachExpression { expression in
        expression.forEachLeaf { if case .instruction(let used) = $0 { needed[used] = true } }
      }
    }
    return needed
  }

  /// The instructions that one of them needs, in order, itself last.
  func slice(endingAt place: Int) -> ScalarBody {
    let needed = needed(by: place)
    var moved: [Int: Int] = [:]
    var result = ScalarBody()
    for at in instructions.indices where needed[at] {
      var instruction = instructions[at]
      instruction.operands = instruction.operands.map { moved[$0] ?? 0 }
      moved[at] = result.instructions.count
      result.instructions.append(instruction)
    }
    result.mapExpressions { $0.renumberingInstructions(moved) }
    return result
  }
}

extension IndexExpression {
  /// The same expression of instructions at other places.
  func renumberingInstructions(_ moved: [Int: Int]) -> IndexExpression {
    var result = IndexExpression(constant: constant)
    for term in terms {
      let atom: Atom =
        switch term.atom {
        case .dimension: term.atom
        case .instruction(let place): .instruction(moved[place] ?? place)
        case .quotient(let inner, let divisor):
          .quotient(inner.renumberingInstructions(moved), divisor)
        case .remainder(let inner, let divisor):
          .remainder(inner.renumberingInstructions(moved), divisor)
        }
      result = result + IndexExpression(terms: [Term(atom, term.coefficient)])
    }
    return result
  }
}
