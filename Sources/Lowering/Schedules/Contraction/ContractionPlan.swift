import GraphIR
import LoopIR

extension Contraction {
  /// The phases of the contraction: when the column factor is packed, a copy into panels, then the products.
  func pieces(_ target: Target) -> [Piece] {
    let tile = RegisterTile.choose(self, target)
    guard needsPacking else { return [Piece(kernel: kernel, plan: plan(tile, target, padded: []))] }
    let width = lanes * tile.vectors
    let panels = Panels(contraction: self, width: width)
    let (packing, packed) = panels.kernels()
    let copy = normalize(packing)
    let product = Contraction(kernel: packed, self)
    return [
      Piece(kernel: copy, plan: VectorChoice(kernel: copy, target: target).plan()),
      Piece(
        kernel: packed,
        plan: product.plan(tile, target, padded: [packed.parameters.count - 1])),
    ]
  }

  /// The same contraction of another kernel.
  private init(kernel: Kernel, _ other: Contraction) {
    self.kernel = kernel
    vector = other.vector
    rows = other.rows
    column = other.column
    row = other.row
    columnStride = other.columnStride
    lanes = other.lanes
  }

  private func plan(_ tile: RegisterTile, _ target: Target, padded: Set<Int>) -> NestPlan {
    var plan = NestPlan()
    plan.vector = vector
    plan.lanes = lanes
    plan.padded = padded
    plan.work = kernel.work
    plan.loops = (batch + [vector]).map { OuterLoop(id: $0, block: kernel.extent($0)) }
    plan.loops[plan.loops.count - 1].tile = lanes * tile.vectors
    // The rows with the largest step are the outermost.
    for (id, size) in zip(rows, tile.rows).reversed() {
      plan.loops.append(OuterLoop(id: id, tile: size, block: kernel.extent(id)))
    }
    plan.stages = kernel.stages.map { StagePlan(folded: $0.folded) }
    plan.stages[0].unroll = 4
    distribute(&plan, target)
    return plan
  }

  /// Splits the work into tasks over batch and row dimensions first: a task's rows stay in the second-level cache
  /// while the panels pass by.
  private func distribute(_ plan: inout NestPlan, _ target: Target) {
    let element = fold.body.instructions[row].dtype.byteCount
    let rowBytes = kernel.points(rows) * kernel.points(reduced) * element
    let fits = ceilingQuotient(rowBytes, target.secondLevelCacheBytes / 4)
    let panels = ceilingQuotient(extent, plan.loops[batch.count].tile)
    let wanted = max(
      min(NestPlan.maximumTasks, plan.work / NestPlan.grain),
      panels > 1 ? min(fits, 4 * NestPlan.maximumTasks) : 1)
    let order = plan.loops.indices.filter { $0 != batch.count } + [batch.count]
    plan.distribute(kernel, into: wanted, order: order)
  }
}

/// A phase: a kernel whose parameter i is memory i, and how it is computed.
struct Piece {
  var kernel: Kernel
  var plan: NestPlan
}
