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

  /// The split of a kernel; nil when there is nothing to gain.
  init?(_ kernel: Kernel) {
    let folds = Array(kernel.stages.prefix(kernel.leadingFolds))
    guard let over = folds.first?.folded, let id = over.first,
      let count = SplitReduction.partCount(kernel, id)
    else { return nil }
    let results = kernel.points(kernel.outer)
    var shared = kernel
    let part = shared.addDimension("part", count)
    let place = IndexExpression.dimension(part) * results + SplitReduction.place(kernel)
    let partials = folds.indices.map { number in
      let name = folds.count == 1 ? "parts" : "parts\(number)"
      let type = TensorType(folds[number].foldedType, [count * results])
      shared.parameters.append(KernelParameter(name: name, type: type, role: .update))
      return TensorReference.parameter(shared.parameters.count - 1)
    }

    parts = shared
    let step = parts.addDimension(
      kernel.dimensions[id.index].name, kernel.extent(id) / count)
    let whole = IndexExpression.dimension(part) * parts.extent(step) + .dimension(step)
    let bounds = parts.bounds
    parts.locals = folds.map {
      KernelLocal(name: "sum", type: TensorType($0.foldedType, [1]))
    }
    parts.outer = [part] + kernel.outer
    parts.stages = folds
    rest = shared
    for (number, fold) in folds.enumerated() {
      guard case .fold(let function, _) = fold.kind else { continue }
      parts.stages[number].kind = .fold(function, over: [step] + over.dropFirst())
      parts.stages[number].body.mapExpressions { index in
        index.substituting(in: bounds) { $0 == .dimension(id) ? whole : nil }
      }
      parts.stages[number].target = .local(number)
      parts.stages[number].index = [0]
      let sum = ScalarInstruction(.load(.local(number), [0], guards: []), [], fold.foldedType)
      parts.stages.append(
        KernelStage(
          target: partials[number], index: [place], dimensions: [], kind: .map,
          body: ScalarBody([sum]), location: fold.location))
      rest.stages[number].kind = .fold(function, over: [part])
      rest.stages[number].body = ScalarBody([
        ScalarInstruction(.load(partials[number], [place], guards: []), [], fold.foldedType)
      ])
    }
  }

  /// The place of a result, in the order of the kernel's last store.
  private static func place(_ kernel: Kernel) -> IndexExpression {
    var place: IndexExpression = 0
    for id in kernel.outerByStride { place = place * kernel.extent(id) + .dimension(id) }
    return place
  }

  /// How many parts; nil for one.
  private static func partCount(_ kernel: Kernel, _ id: DimensionID) -> Int? {
    let results = kernel.points(kernel.outer)
    let steps = kernel.points(kernel.stages[0].folded)
    // The parts are worth their memory and the second pass when each result has many steps.
    guard steps >= 2048, kernel.work >= 8 * NestPlan.grain, results <= 1 << 16,
      results <= steps * 4
    else { return nil }
    let most = min(32, steps / 256, max(2, (1 << 20) / results))
    let count = (1...max(most, 1)).last { kernel.extent(id) % $0 == 0 } ?? 1
    return count > 1 ? count : nil
  }
}
