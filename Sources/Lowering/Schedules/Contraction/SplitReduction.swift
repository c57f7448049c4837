import GraphIR
import LoopIR

/// Splits long reductions to few results into parts, whose sums a second kernel adds.
///
/// The number of parts depends on the extents alone, so that every machine adds in the same order.
struct SplitReduction {
  /// Computes the parts.
  var parts: Kernel
  /// Adds the parts and does what follows.
  var rest: Kernel
  /// The dimensions of the parts, and of the steps in them, by those of the kernel.
  private(set) var originals: [DimensionID: IndexExpression] = [:]

  /// The split of a kernel; nil when there is nothing to gain.
  init?(_ kernel: Kernel) {
    let folds = Array(kernel.stages.prefix(kernel.leadingFolds))
    guard let over = folds.first?.folded, let counts = SplitReduction.partCounts(kernel, over)
    else { return nil }
    let results = kernel.points(kernel.outer)
    var shared = kernel
    let cuts = counts.map { (id: $0.id, part: shared.addDimension("part", $0.count)) }
    let outer = cuts.map(\.part)
    let place = outer.reduce(into: IndexExpression(constant: 0)) {
      $0 = $0 * shared.extent($1) + .dimension($1)
    }
    let count = shared.points(outer)
    let partial = place * results + SplitReduction.place(kernel)
    let partials = folds.indices.map { number in
      let name = folds.count == 1 ? "parts" : "parts\(number)"
      let type = TensorType(folds[number].foldedType, [count * results])
      shared.parameters.append(KernelParameter(name: name, type: type, role: .update))
      return TensorReference.parameter(shared.parameters.count - 1)
    }

    parts = shared
    var steps: [DimensionID: (step: DimensionID, whole: IndexExpression)] = [:]
    for (id, part) in cuts {
      let extent = kernel.extent(id) / shared.extent(part)
      let step = parts.addDimension(kernel.dimensions[id.index].name, extent)
      steps[id] = (step, IndexExpression.dimension(part) * extent + .dimension(step))
      let whole = IndexExpression.dimension(id)
      originals[part] = whole.quotient(by: extent, in: kernel.bounds)
      originals[step] = whole.remainder(by: extent, in: kernel.bounds)
    }
    let bounds = parts.bounds
    parts.locals = folds.map {
      KernelLocal(name: "sum", type: TensorType($0.foldedType, [1]))
    }
    parts.outer = outer + kernel.outer
    parts.stages = folds
    rest = shared
    for (number, fold) in folds.enumerated() {
      guard case .fold(let function, _) = fold.kind else { continue }
      parts.stages[number].kind = .fold(function, over: over.map { steps[$0]?.step ?? $0 })
      parts.stages[number].body.mapExpressions { index in
        index.substituting(in: bounds) { atom in
          guard case .dimension(let id) = atom else { return nil }
          return steps[id]?.whole
        }
      }
      parts.stages[number].target = .local(number)
      parts.stages[number].index = [0]
      let sum = ScalarInstruction(.load(.local(number), [0], guards: []), [], fold.foldedType)
      parts.stages.append(
        KernelStage(
          target: partials[number], index: [partial], dimensions: [], kind: .map,
          body: ScalarBody([sum]), location: fold.location))
      rest.stages[number].kind = .fold(function, over: outer)
      rest.stages[number].body = ScalarBody([
        ScalarInstruction(.load(partials[number], [partial], guards: []), [], fold.foldedType)
      ])
    }
  }

  /// The place of a result, in the order of the kernel's last store.
  private static func place(_ kernel: Kernel) -> IndexExpression {
    var place: IndexExpression = 0
    for id in kernel.outerByStride { place = place * kernel.extent(id) + .dimension(id) }
    return place
  }

  /// Into how many parts which dimensions are cut, the first ones first; nil where one part is as good.
  private static func partCounts(
    _ kernel: Kernel, _ over: [DimensionID]
  ) -> [(id: DimensionID, count: Int)]? {
    let results = kernel.points(kernel.outer)
    let steps = kernel.points(over)
    if kernel.hasRowsForAll { return nil }
    // The parts are worth their memory and the second pass when each result has many steps.
    guard steps >= 2048, kernel.work >= 8 * NestPlan.grain, results <= 1 << 16,
      results <= steps * 4
    else { return nil }
    // Sums that no cache holds until they are added go to memory and back.
    let (cached, all) = ((1 << 18) / results, (1 << 20) / results)
    let few = max(2, cached, min(all, steps / 1024))
    var most = max(1, min(mostParts(kernel), steps / 256, few))
    var counts: [(id: DimensionID, count: Int)] = []
    for id in over {
      let count = (1...most).last { kernel.extent(id) % $0 == 0 } ?? 1
      if count > 1 { counts.append((id, count)) }
      most /= count
      if count < kernel.extent(id) || most < 2 { break }
    }
    return counts.isEmpty ? nil : counts
  }

  /// How many parts at most: more where a factor is read for several results but is no row factor of a contraction,
  /// so that a cache holds what a part reads.
  private static func mostParts(_ kernel: Kernel) -> Int {
    let body = kernel.stages[0].body
    guard let last = body.instructions.last, last.operation == .binary(.multiply),
      last.operands.contains(where: { factor in
        kernel.outer.allSatisfy { body.varying(with: $0)[factor] }
      })
    else { return 32 }
    let bytes = kernel.parameters.reduce(0) { $0 + ($1.role == .input ? $1.type.byteCount : 0) }
    return min(128, max(32, bytes >> 18))
  }
}

extension Kernel {
  /// Whether each result has a row of memory of its own, and there are enough rows for all threads: they are best read
  /// in their order, and only once where later stages need them again.
  fileprivate var hasRowsForAll: Bool {
    guard points(outer) >= NestPlan.maximumTasks, let innermost = stages[0].folded.last else {
      return false
    }
    let body = stages[0].body
    let isProduct = body.instructions.last?.operation == .binary(.multiply)
    if isProduct && stages.dropFirst().allSatisfy(\.dimensions.isEmpty) { return false }
    return body.instructions.contains { instruction in
      guard case .load(.parameter, let index, _) = instruction.operation else { return false }
      return index[0].dependence(on: innermost) == .affine(1)
    }
  }
}
