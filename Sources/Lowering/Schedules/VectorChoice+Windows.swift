import GraphIR
import LoopIR

/// Plans for folds over windows and filters, whose points share what they read.
extension VectorChoice {
  /// The plan in which the points of a tile are computed together.
  func sharing(_ plan: NestPlan, _ tile: PointTile) -> NestPlan {
    var plan = plan
    let last = plan.loops.count - 1
    plan.loops[last].tile = plan.lanes * tile.vectors
    for place in plan.loops.indices.dropLast() {
      plan.loops[place].tile = tile.sizes[plan.loops[place].id] ?? 1
    }
    plan.stages = kernel.stages.map { stage in
      var stagePlan = StagePlan(folded: stage.folded)
      stagePlan.accumulators = accumulators(stage, beside: tile.points)
      stagePlan.unroll = max(2, tile.steps)
      return stagePlan
    }
    plan.work = kernel.work
    let windows = plan.loops.indices.dropLast().filter { readsWindow(plan.loops[$0].id) }
    guard let vector = plan.vector, !windows.isEmpty, kernel.leadingFolds == 1,
      kernel.points(kernel.stages[0].folded) <= 64
    else { return split(plan) }
    // Tasks get whole rows: at the ends of a row, elements are missing.
    var order = plan.loops.indices.dropLast().filter { !windows.contains($0) } + windows
    if windows.count > 1 || order.count == windows.count { order.removeLast() }
    let ids = order.map { plan.loops[$0].id }
    var wanted = min(NestPlan.maximumTasks, plan.work / NestPlan.grain)
    if hasFarRows(vector) {
      let loop = plan.loops.remove(at: last)
      plan.loops.insert(loop, at: windows[0])
      let bytes = kernel.parameters.reduce(0) { $0 + $1.type.byteCount }
      let cached = ceilingQuotient(bytes, target.secondLevelCacheBytes / 2)
      wanted = max(wanted, min(cached, 4 * NestPlan.maximumTasks))
    }
    let places = (ids + [vector]).compactMap { id in plan.loops.firstIndex { $0.id == id } }
    plan.distribute(kernel, into: wanted, order: places)
    return plan
  }

  /// Whether neighbours along an outer dimension read overlapping windows.
  private func readsWindow(_ id: DimensionID) -> Bool {
    guard let stage = kernel.stages.first else { return false }
    return stage.body.instructions.contains { instruction in
      guard case .load(_, let index, _) = instruction.operation,
        case .affine(let step) = index[0].dependence(on: id), step != 0
      else { return false }
      return stage.folded.contains { folded in
        guard case .affine(let inner) = index[0].dependence(on: folded), inner != 0 else {
          return false
        }
        return step % inner == 0 && step / inner < kernel.extent(folded)
      }
    }
  }

  /// Whether the rows that windows span do not stay in the first-level cache until the next windows need them.
  ///
  /// The vectors then are the outer loop: of each row only a line is touched.
  func hasFarRows(_ vector: DimensionID) -> Bool {
    guard let stage = kernel.stages.first, kernel.points(stage.folded) <= 64 else { return false }
    let windows = kernel.outerByStride.filter { readsWindow($0) }
    guard windows.count > 1, let row = windows.last else { return false }
    let taps = stage.folded.map(kernel.extent).max() ?? 1
    let bytes = taps * kernel.extent(row) * kernel.extent(vector) * 4
    return bytes > target.firstLevelCacheBytes / 2
  }
}
