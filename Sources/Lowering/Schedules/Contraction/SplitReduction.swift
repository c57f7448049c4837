import GraphIR
import LoopIR

/// Splits a long reduction to few results into parts, whose sums a second kernel adds.
///
/// The number of parts depends on the extents alone, so that every machine adds in the same order.
struct SplitReduction {
  /// Computes the parts.
  var parts: Kernel
  /// Adds the parts and does what follows.
  var rest: Kernel

  /// The split of a kernel; nil when there is nothing to gain.
  init?(_ kernel: Kernel) {
    guard let first = kernel.stages.first, case .fold(let function, let over) = first.kind,
      first.dimensions.isEmpty, let id = over.first,
      let count = SplitReduction.partCount(kernel, id)
    else { return nil }
    let dtype = first.body.instructions.last?.dtype ?? .f32
    let wide = StageEmitter.accumulator(dtype, function)
    let results = kernel.points(kernel.outer)
    var shared = kernel
    shared.parameters.append(
      KernelParameter(name: "parts", type: TensorType(wide, [count * results]), role: .update))
    let partial = TensorReference.parameter(shared.parameters.count - 1)
    let part = shared.addDimension("part", count)
    let place = IndexExpression.dimension(part) * results + SplitReduction.place(kernel)

    parts = shared
    let step = parts.addDimension(
      kernel.dimensions[id.index].name, kernel.extent(id) / count)
    let whole = IndexExpression.dimension(part) * parts.extent(step) + .dimension(step)
    let bounds = parts.bounds
    parts.locals = [KernelLocal(name: "sum", type: TensorType(wide, [1]))]
    parts.outer = [part] + kernel.outer
    parts.stages = [first]
    parts.stages[0].kind = .fold(function, over: [step] + over.dropFirst())
    parts.stages[0].body.mapExpressions { index in
      index.substituting(in: bounds) { $0 == .dimension(id) ? whole : nil }
    }
    parts.stages[0].target = .local(0)
    parts.stages[0].index = [0]
    let sum = ScalarInstruction(.load(.local(0), [0], guards: []), [], wide)
    parts.stages.append(
      KernelStage(
        target: partial, index: [place], dimensions: [], kind: .map, body: ScalarBody([sum]),
        location: first.location))

    rest = shared
    rest.stages[0].kind = .fold(function, over: [part])
    rest.stages[0].body = ScalarBody([
      ScalarInstruction(.load(partial, [place], guards: []), [], wide)
    ])
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
