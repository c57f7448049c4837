import GraphIR
import LoopIR

/// Chooses along which dimensions vectors go, by counting instructions and memory accesses.
///
/// Either all stages are vectorized along one outer dimension (elementwise chains, sums over leading dimensions,
/// pooling), or each along one of its own or folded dimensions (softmax over rows).
struct VectorChoice {
  let kernel: Kernel
  let target: Target

  /// The cheapest plan.
  func plan() -> NestPlan { outerVector.map { outerPlan($0) } ?? innerPlan() }

  /// The outer dimension along which vectors are cheapest; nil where each stage has them along one of its own.
  var outerVector: DimensionID? { outerVectors.first?.choice }

  /// The outer dimensions along which vectors may go, and nil for one of each stage's own.
  private var outerVectors: Ranking<DimensionID?> {
    var ranking = Ranking<DimensionID?>()
    ranking.consider(nil, cost: innerCost())
    for id in kernel.outer where canVectorize(outer: id) {
      ranking.consider(id, cost: outerCost(id))
    }
    return ranking
  }

  /// The cheapest plan, and the others, each with about the instructions that it takes for an outer point, and the number
  /// of cheaper ones that differ in their tile alone.
  var plans: [(plan: NestPlan, cost: Double, place: Int)] {
    var plans: [(plan: NestPlan, cost: Double, place: Int)] = []
    for (choice, cost) in outerVectors.ordered {
      guard let id = choice else {
        plans.append((innerPlan(), cost, 0))
        continue
      }
      plans.append((outerPlan(id), cost, 0))
      let tiles = pointTiles(id).ordered
      guard let best = tiles.first else { continue }
      for (place, tile) in tiles.enumerated().dropFirst().prefix(4) {
        plans.append((outerPlan(id, tile.choice), cost * tile.cost / best.cost, place))
      }
    }
    return plans
  }

  /// The lanes of a vector along a dimension: those of the widest type computed with in vectors, but no more than
  /// needed.
  func lanes(_ id: DimensionID, _ stages: [KernelStage]) -> Int {
    var widest = 4
    for stage in stages {
      let varies = stage.body.varying(with: id, locals: { _ in true })
      for (instruction, isVector) in zip(stage.body.instructions, varies) where isVector {
        widest = max(widest, instruction.dtype.byteCount)
      }
    }
    var lanes = max(target.vectorBytes / widest, 1)
    while lanes / 2 >= kernel.extent(id) { lanes /= 2 }
    return lanes
  }

  // MARK: What may be vectorized

  func canVectorize(outer id: DimensionID) -> Bool {
    guard lanes(id, kernel.stages) > 1 else { return false }
    let varying = kernel.varyingLocals(with: id)
    return kernel.stages.allSatisfy { stage in
      if case .parameter = stage.target, !storesAscend(stage, id) { return false }
      return hasUniformSeeds(stage, id, varying)
    }
  }

  private func storesAscend(_ stage: KernelStage, _ id: DimensionID) -> Bool {
    if case .affine(let coefficient) = stage.index[0].dependence(on: id) { return coefficient > 0 }
    return false
  }

  private func hasUniformSeeds(
    _ stage: KernelStage, _ id: DimensionID, _ varyingLocals: Set<Int>
  ) -> Bool {
    let varies = stage.body.varying(with: id, locals: { varyingLocals.contains($0) })
    return stage.body.instructions.allSatisfy { instruction in
      guard case .random = instruction.operation else { return true }
      return instruction.operands.allSatisfy { !varies[$0] }
    }
  }

  /// The stage's best dimension inside of the outer ones, and its cost; nil for scalars.
  private func innerChoice(_ stage: KernelStage) -> (vector: DimensionID?, cost: Double) {
    var best = (vector: nil as DimensionID?, cost: cost(stage, nil, 1, isOuter: false))
    var candidates = stage.dimensions.filter { storesAscend(stage, $0) }
    if case .fold(_, let over) = stage.kind { candidates += over }
    for id in candidates where hasUniformSeeds(stage, id, []) && lanes(id, [stage]) > 1 {
      let cost = cost(stage, id, lanes(id, [stage]), isOuter: false)
      if cost < best.cost { best = (id, cost) }
    }
    return best
  }

  // MARK: Costs

  private func innerCost() -> Double {
    kernel.stages.reduce(0) { $0 + innerChoice($1).cost }
  }

  private func outerCost(_ id: DimensionID) -> Double {
    let across = crossing(id)
    return kernel.stages.reduce(0) {
      $0 + cost($1, id, lanes(id, kernel.stages), isOuter: true, across: across)
    }
  }

  /// About the number of instructions that a stage takes for one outer point.
  private func cost(
    _ stage: KernelStage, _ id: DimensionID?, _ lanes: Int, isOuter: Bool,
    across: DimensionID? = nil
  ) -> Double {
    let used = id.map { Double(kernel.extent($0)) / Double(vectors($0, lanes)) } ?? 1
    let varies = id.map { stage.body.varying(with: $0) }
    var each = 1 / used
    for instruction in stage.body.instructions {
      each += Double(instruction.cost) / used
      guard case .load(let tensor, let index, let guards) = instruction.operation else { continue }
      var isLocal = false
      if case .local(let place) = tensor {
        if kernel.locals[place].type.shape.elementCount == 1 { continue }
        isLocal = isOuter
      }
      if let id, let across, isCrossed(instruction, id, across) {
        // A load, and the shuffles of one row of a transposition.
        each += Double(1 + lanes.trailingZeroBitCount) / used
      } else {
        each += isLocal ? 1 / used : access(index[0], id, varies, used, canShuffle: guards.isEmpty)
      }
      for condition in guards {
        let depends = id.map { condition.expression.dependence(on: $0) != .affine(0) } ?? false
        each += (depends ? 3 : 1) / used
      }
    }
    let folds = Double(kernel.points(stage.folded))
    let results = Double(kernel.points(stage.dimensions))
    var total = results * folds * each + results * access(stage.index[0], id, nil, used)
    if let id, stage.folded.contains(id) { total += results * 8 }
    return total
  }

  private func access(
    _ index: IndexExpression, _ id: DimensionID?, _ varies: [Bool]?, _ used: Double,
    canShuffle: Bool = false
  ) -> Double {
    guard let id else { return 1 }
    switch index.dependence(on: id, varying: { varies?[$0] ?? false }) {
    case .affine(0), .affine(1): return 1 / used
    // Whole vectors that hold the elements are loaded and shuffled together.
    case .affine(let step) where canShuffle && 2...4 ~= step:
      return min(1.2, Double(2 * step - 1) / used)
    case .affine: return 1.2
    case .other: return 2.5
    }
  }

  func vectors(_ id: DimensionID, _ lanes: Int) -> Int {
    ceilingQuotient(kernel.extent(id), lanes)
  }

  // MARK: Plans

  private var hasFold: Bool {
    kernel.stages.contains { !$0.folded.isEmpty && kernel.points($0.folded) > 16 }
  }

  /// The plan with vectors along an outer dimension, and a tile of points that share what they read: the best one, or
  /// another.
  func outerPlan(_ id: DimensionID, _ other: PointTile? = nil) -> NestPlan {
    var plan = NestPlan()
    plan.vector = id
    plan.lanes = lanes(id, kernel.stages)
    plan.streamed = streamed(along: id)
    let order = plan.streamed.isEmpty ? nil : readingOrder(last: id)
    plan.loops = (order ?? orderedOuter(last: id)).map {
      OuterLoop(id: $0, block: kernel.extent($0))
    }
    if let across = crossing(id) { return transposing(plan, across) }
    // Residues of a stride share what they read, and memory takes longer than reading windows from caches twice.
    let isAlone = hasResidues(plan) || passesRows(id) && isFar
    if let tile = other ?? (isAlone ? nil : pointTile(id)) { return sharing(plan, tile) }
    if foldsLongColumns(id) { return foldingRows(plan, id) }
    var vectors = 1
    if hasFold {
      let most = registersHoldRow(id) ? 8 : 4
      while vectors < most, plan.lanes * vectors * 2 <= kernel.extent(id) { vectors *= 2 }
    }
    if !plan.streamed.isEmpty || readsWindows {
      vectors = max(vectors, vectorsOfLine(id, plan.lanes))
    }
    let together = vectorsTogether(id, plan.lanes, kernel.stages)
    plan.lanes *= together
    vectors = max(vectors / together, 1)
    plan.loops[plan.loops.count - 1].tile = plan.lanes * vectors
    joinResidues(&plan, vectors * together)
    if !hasFold { plan.loops[plan.loops.count - 1].unroll = together == 1 ? 2 : 1 }
    plan.stages = kernel.stages.map { stage in
      var stagePlan = StagePlan(folded: stage.folded)
      stagePlan.accumulators = accumulators(stage, beside: vectors * together)
      stagePlan.farSteps = farSteps(stage, id)
      return stagePlan
    }
    plan.unrollChoices(of: kernel)
    if readsWindows, let ahead = plan.loops.dropLast().last(where: { $0.tile == 1 }) {
      for place in plan.stages.indices { plan.stages[place].ahead = ahead.id }
    }
    return split(plan)
  }

  private func innerPlan() -> NestPlan {
    var plan = NestPlan()
    plan.loops = orderedOuter(last: nil).map { OuterLoop(id: $0, block: kernel.extent($0)) }
    plan.stages = kernel.stages.map { stage in
      var stagePlan = StagePlan(folded: stage.folded)
      stagePlan.vector = innerChoice(stage).vector
      if let vector = stagePlan.vector {
        let lanes = lanes(vector, [stage])
        let together = vectorsTogether(vector, lanes, [stage])
        stagePlan.lanes = lanes * together
        if stage.dimensions.contains(vector) { plan.streamed.formUnion(streamed(along: vector)) }
        if stage.folded.contains(vector) {
          while stagePlan.accumulators * together < 4,
            stagePlan.lanes * stagePlan.accumulators * 2 <= kernel.extent(vector)
          {
            stagePlan.accumulators *= 2
          }
        } else {
          stagePlan.unroll = together == 1 ? 2 : 1
          stagePlan.accumulators = accumulators(stage, beside: together)
        }
      } else {
        stagePlan.accumulators = accumulators(stage, beside: 1)
      }
      return stagePlan
    }
    if let place = readAgain(plan) { plan.stages[place].ahead = plan.loops.last?.id }
    plan.overlapped = overlappedStage(plan)
    return split(plan)
  }

  /// The tiles of the first stage's folds with vectors along the dimension of the best.
  var foldTiles: Ranking<FoldTile> {
    guard let stage = kernel.stages.first, case .fold(_, let over) = stage.kind else {
      return Ranking()
    }
    var best = Ranking<FoldTile>()
    for id in over where hasUniformSeeds(stage, id, []) {
      let lanes = lanes(id, [stage])
      guard lanes > 1 else { continue }
      let tiles = FoldTile.ranking(kernel, vector: id, lanes: lanes, target)
      guard let first = tiles.first else { continue }
      if best.first.map({ first.cost < $0.cost }) ?? true { best = tiles }
    }
    return best
  }

  /// The plan with the points of a tile computed together.
  func plan(_ tile: FoldTile) -> NestPlan {
    var plan = innerPlan()
    tile.arrange(&plan, kernel)
    return split(plan)
  }

  /// Enough accumulators along the innermost folded dimension to hide the latency of an addition.
  func accumulators(_ stage: KernelStage, beside others: Int) -> Int {
    guard case .fold(_, let over) = stage.kind, let innermost = over.last,
      kernel.points(over) > 16
    else { return 1 }
    var count = 1
    while count * others < 4, kernel.extent(innermost) >= 4 * count { count *= 2 }
    return count
  }

  /// The outer dimensions in the order of the last store, the vector dimension innermost.
  private func orderedOuter(last: DimensionID?) -> [DimensionID] {
    kernel.outerByStride.filter { $0 != last } + (last.map { [$0] } ?? [])
  }

  /// The plan with its work counted and split into tasks.
  func split(_ plan: NestPlan) -> NestPlan {
    var plan = plan
    plan.work = kernel.work
    plan.endExtremesExactly(kernel, target)
    plan.distribute(kernel)
    return plan
  }
}

extension Kernel {
  /// The outer dimensions in the order of the last store to memory: the largest step first.
  var outerByStride: [DimensionID] {
    let store = stages.last { if case .parameter = $0.target { true } else { false } }
    func stride(_ id: DimensionID) -> Int {
      guard let store, case .affine(let stride) = store.index[0].dependence(on: id) else {
        return 0
      }
      return stride
    }
    return outer.sorted { stride($0) > stride($1) }
  }

  /// An estimate of the work, in scalar operations; more than 2^60 counts as that.
  var work: Int {
    let each = stages.reduce(0.0) { sum, stage in
      let cost = stage.body.instructions.reduce(1) { sum, instruction in
        if case .load = instruction.operation { return sum + 1 }
        return sum + instruction.cost
      }
      return sum + Double(cost) * Double(points(stage.dimensions)) * Double(points(stage.folded))
    }
    return Int(min(each * Double(points(outer)), 0x1p60))
  }
}

extension NestPlan {
  /// The work that is worth a task of its own, and the most tasks: both bound what waking threads costs.
  static let grain = 1 << 17
  static let maximumTasks = 64

  /// Gives each loop its block, so that there are as many tasks as the work is worth.
  mutating func distribute(_ kernel: Kernel) {
    let wanted = min(NestPlan.maximumTasks, work / NestPlan.grain)
    distribute(kernel, into: wanted, order: Array(loops.indices))
  }

  /// Gives each loop its block, so that there are about as many tasks as wanted; the first loops are split first.
  mutating func distribute(_ kernel: Kernel, into tasks: Int, order: [Int]) {
    var wanted = max(1, tasks)
    for place in order {
      let extent = kernel.extent(loops[place].id)
      let tiles = ceilingQuotient(extent, loops[place].tile)
      let count = min(tiles, wanted)
      loops[place].block = count == 1 ? extent : ceilingQuotient(tiles, count) * loops[place].tile
      wanted = max(1, wanted / ceilingQuotient(extent, loops[place].block))
    }
  }
}
