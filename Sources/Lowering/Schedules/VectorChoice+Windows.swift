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
    if let id = plan.vector, foldsRowsInTurn(id, tile) {
      plan.rowFolds = 1
      plan.foldsInRow = 1
      // Tasks get whole rows.
      let wanted = min(NestPlan.maximumTasks, plan.work / NestPlan.grain)
      plan.distribute(kernel, into: wanted, order: Array(plan.loops.indices.dropLast()))
      return plan
    }
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
      let bytes = kernel.parameterBytes
      let cached = ceilingQuotient(bytes, target.secondLevelCacheBytes / 2)
      wanted = max(wanted, min(cached, 4 * NestPlan.maximumTasks))
    }
    let places = (ids + [vector]).compactMap { id in plan.loops.firstIndex { $0.id == id } }
    plan.distribute(kernel, into: wanted, order: places)
    return plan
  }

  /// Whether a long fold goes row by row of memory, each row once for all vectors along it: what a vector after the
  /// other reads of many rows would come from far away each time.
  private func foldsRowsInTurn(_ id: DimensionID, _ tile: PointTile) -> Bool {
    guard let stage = kernel.stages.first, kernel.leadingFolds == 1, stage.folded.count > 1,
      let innermost = stage.folded.last, vectors(id, lanes(id, kernel.stages)) > tile.vectors,
      accumulators(stage, beside: tile.points) == 1, tile.steps == 1,
      stage.body.varying(with: id).last ?? false
    else { return false }
    // The steps are worth getting the results from scratch, and these are few.
    let sums = tile.points / tile.vectors * kernel.extent(id) * stage.foldedType.byteCount
    let row = kernel.extent(innermost) * kernel.extent(id) * 4
    return kernel.extent(innermost) >= 16 && sums <= target.firstLevelCacheBytes / 2
      && readings(ofRowsAlong: innermost, tile) <= VectorChoice.fewReadings
      && kernel.points(stage.folded) / kernel.extent(innermost) * row > target.firstLevelCacheBytes
      && stage.body.instructions.contains { instruction in
        guard case .load(.parameter, let index, _) = instruction.operation else { return false }
        return index[0].dependence(on: id) == .affine(1)
      }
  }

  /// How often a row comes back from the second-level cache, when rows are taken in turn, before it is worse than
  /// coming line by line from farther away once (measured: 3 times gains a third, 5 times loses as much).
  private static let fewReadings = 4

  /// How many rows of memory the points of a tile read at once, and so how often each row is read.
  private func readings(ofRowsAlong innermost: DimensionID, _ tile: PointTile) -> Int {
    guard let body = kernel.stages.first?.body else { return 1 }
    return body.instructions.indices.reduce(1) { most, place in
      let row = body.ownStep(place, along: innermost) * kernel.extent(innermost)
      let rows = tile.sizes.filter { row > 0 && body.ownStep(place, along: $0.key) >= row }
      return max(most, rows.values.reduce(1, *))
    }
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

  /// Whether neither the rows that windows span stay in the first-level cache until the next ones need them, nor, beside
  /// much else, the windows of neighbours in a row with the filter.
  ///
  /// The vectors then are the outer loop: of each row only a line is touched.
  func hasFarRows(_ vector: DimensionID) -> Bool {
    windowRowBytes(vector) > target.firstLevelCacheBytes / 2 && !passesRows(vector)
      && 3 * kernel.points(kernel.stages[0].folded) * kernel.extent(vector) * 4
        > target.firstLevelCacheBytes / 4
  }

  /// Whether windows pass by whole rows in their order, which is what memory is fast at; the rows that windows share come
  /// back from the second-level cache.
  ///
  /// That is so where a step needs nothing but the element, as in pooling.
  func passesRows(_ vector: DimensionID) -> Bool {
    let loads = kernel.stages.first?.body.instructions.count {
      if case .load(.parameter, _, _) = $0.operation { true } else { false }
    }
    return loads == 1 && 1...(target.secondLevelCacheBytes / 2) ~= windowRowBytes(vector)
  }

  /// About the bytes of the rows that windows span, of those along two dimensions or more; 0 elsewhere.
  private func windowRowBytes(_ vector: DimensionID) -> Int {
    guard let stage = kernel.stages.first, kernel.points(stage.folded) <= 64 else { return 0 }
    let windows = kernel.outerByStride.filter { readsWindow($0) }
    guard windows.count > 1, let row = windows.last else { return 0 }
    let taps = stage.folded.map(kernel.extent).max() ?? 1
    return taps * kernel.extent(row) * kernel.extent(vector) * 4
  }

  // MARK: Residues

  /// Computes points together that differ in which steps of a fold reach them: the residues of their places by a stride.
  ///
  /// Each then knows its own steps, and they share what they read.
  func joinResidues(_ plan: inout NestPlan, _ vectors: Int) {
    // As many as registers hold, with what is added to them.
    let most = target.vectorRegisters * 3 / 4
    var points = vectors
    for place in plan.loops.indices.dropLast().reversed() {
      let id = plan.loops[place].id
      guard let count = residues(id), count * points <= most else { continue }
      plan.loops[place].tile = count
      plan.loops[place].staysTogether = true
      points *= count
    }
  }

  /// Whether some points of a plan's loops, besides that of the vectors, are residues.
  func hasResidues(_ plan: NestPlan) -> Bool {
    plan.loops.dropLast().contains { residues($0.id) != nil }
  }

  /// After how many neighbours along a dimension what a fold reads goes on in the same way; nil where it does so step by
  /// step, or the neighbours are too many or too few.
  private func residues(_ id: DimensionID) -> Int? {
    var period = 1
    func search(_ index: IndexExpression) {
      for term in index.terms {
        switch term.atom {
        case .dimension, .instruction: break
        case .quotient(let inner, let divisor), .remainder(let inner, let divisor):
          // What is divided again has the period of what it is made of.
          if inner.terms.contains(where: { $0.atom == .dimension(id) }) {
            period *= divisor / commonDivisor(period, divisor)
          }
          search(inner)
        }
      }
    }
    for stage in kernel.stages where !stage.folded.isEmpty {
      for instruction in stage.body.instructions {
        guard case .load(_, let index, let guards) = instruction.operation else { continue }
        (index + guards.map(\.expression)).forEach(search)
      }
    }
    // A dimension that was split has no more points than there are residues.
    let count = min(period, kernel.extent(id))
    return 2...4 ~= count ? count : nil
  }
}
