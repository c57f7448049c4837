import GraphIR
import LoopIR

extension Contraction {
  /// The phases of the contraction: when the column factor is packed, a copy into panels, then the products.
  func pieces(_ method: ContractionMethod, _ target: Target) -> [Piece] {
    switch method {
    case .blocks(let blocking):
      guard blocking.columns == .packedFirst else {
        return [Piece(kernel: kernel, work: .blocks(self, blocking))]
      }
      let (copy, product) = packed(width: lanes * blocking.vectors, target)
      return [copy, Piece(kernel: product.kernel, work: .blocks(product, blocking))]
    case .nest(let tile, let packs):
      if packs == .columns, let own = copyingByTask(tile, target) { return [own] }
      var (copies, product, padded): ([Piece], Contraction, Set<Int>) = ([], self, [])
      if packs.contains(.columns) {
        let (copy, packed) = packed(width: lanes * tile.vectors, target)
        (copies, product) = ([copy], packed)
        padded = [packed.kernel.parameters.count - 1]
      }
      if packs.contains(.rows) {
        let (copy, packed) = product.packedRows(width: tile.rows[0], target)
        (copies, product) = (copies + [copy], packed)
      }
      let plan = product.plan(tile, target, padded: padded)
      return copies + [Piece(kernel: product.kernel, work: .nest(plan))]
    }
  }

  /// The phase that copies the column factor into panels, and the contraction that reads them.
  private func packed(width: Int, _ target: Target) -> (copy: Piece, product: Contraction) {
    let (packing, packed) = Panels.columns(of: self, width: width).kernels()
    let copy = normalize(packing)
    var plan = VectorChoice(kernel: copy, target: target).plan()
    plan.followLoads(of: copy)
    return (
      Piece(kernel: copy, work: .nest(plan)), Contraction(kernel: packed, self)
    )
  }

  /// The phase whose tasks copy the columns of their own products first, so that these do not leave the caches; nil where
  /// tasks share columns, or those of one are too many.
  private func copyingByTask(_ tile: RegisterTile, _ target: Target) -> Piece? {
    var plan = plan(tile, target, padded: [])
    guard !isPackedOnce, !batch.isEmpty,
      batch.allSatisfy({ fold.body.varying(with: $0)[column] }),
      plan.loops.dropFirst(batch.count).allSatisfy({ $0.block >= kernel.extent($0.id) })
    else { return nil }
    let own = plan.loops.prefix(batch.count)
    let parts = Dictionary(uniqueKeysWithValues: own.map { ($0.id, $0.block) })
    let panels = Panels.columns(of: self, width: lanes * tile.vectors, parts: parts)
    let (packing, packed) = panels.kernels()
    guard let copy = packed.parameters.last?.type,
      copy.byteCount <= target.secondLevelCacheBytes / 4
    else { return nil }
    plan.padded = [packed.parameters.count - 1]
    var copying = VectorChoice(kernel: packing, target: target).plan()
    copying.followLoads(of: packing)
    copying.follow(Array(own), of: packing)
    return Piece(
      kernel: packed, work: .nest(plan), copies: [Piece(kernel: packing, work: .nest(copying))])
  }

  /// The phase that copies the row factor into panels as wide as a tile has rows, and the contraction that reads them.
  private func packedRows(width: Int, _ target: Target) -> (copy: Piece, product: Contraction) {
    let (packing, packed) = Panels.rows(of: self, width: width).kernels()
    let panel = packing.outer.count - reduced.count - 2
    let plan = VectorChoice(kernel: packing, target: target).copying(panel: panel, width: width)
    return (
      Piece(kernel: packing, work: .nest(plan)), Contraction(kernel: packed, self)
    )
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
    plan.stages[0].nextRows = nextRows(tile, target)
    plan.askedFor = farOperands(target)
    distribute(&plan, target)
    moveColumnsInward(&plan, target)
    return plan
  }

  /// The parameters that come from memory to what is made of the sums, an element for each of them.
  ///
  /// A sum takes long enough for them to come meanwhile, unless it has few steps.
  func farOperands(_ target: Target) -> Set<Int> {
    guard stepCount >= 32 else { return [] }
    let loads = kernel.stages.dropFirst().flatMap(\.body.instructions).filter { load in
      guard case .load(.parameter(let memory), let index, let guards) = load.operation,
        kernel.parameters[memory].type.byteCount > target.secondLevelCacheBytes / 2
      else { return false }
      return guards.isEmpty && index[0].isAffine
        && index[0].dependence(on: vector) == .affine(1)
        && rows.allSatisfy { index[0].dependence(on: $0) != .affine(0) }
    }
    return Set(
      loads.compactMap { load in
        guard case .load(.parameter(let memory), _, _) = load.operation else { return nil }
        return memory
      })
  }

  /// The rows to ask for: where they come from memory and few panels pass by, so that most loads of them are the first.
  private func nextRows(_ tile: RegisterTile, _ target: Target) -> NextRows? {
    guard let id = rows.first, tile.rowCount == tile.rows[0], tile.rowCount > 1,
      reduced.count == 1, let step = reduced.last, fold.body.stride(rowLoad, along: step) == 1,
      fold.body.stride(rowLoad, along: id) == kernel.extent(step),
      case .load(.parameter(let memory), _, _) = fold.body.instructions[rowLoad].operation,
      kernel.parameters[memory].type.byteCount > target.secondLevelCacheBytes,
      ceilingQuotient(extent, lanes * tile.vectors) <= 8
    else { return nil }
    return NextRows(load: rowLoad, id: id, tile: tile.rowCount, step: step)
  }

  /// Lets the columns pass by for as many rows at a time as the second-level cache holds, where a task has more.
  private func moveColumnsInward(_ plan: inout NestPlan, _ target: Target) {
    let columns = plan.loops[batch.count]
    guard columns.block > columns.tile else { return }
    let cache = target.secondLevelCacheBytes
    let size = fold.body.instructions[column].dtype.byteCount
    let room = cache * 3 / 4 - min(columns.block * stepCount * size, cache / 2)
    for place in batch.count..<max(batch.count, plan.loops.count - 2) {
      let rows = plan.loops[(place + 1)...]
      // Each panel has to serve some tiles while it is in the first-level cache.
      let tiles = rows.dropFirst().reduce(1) { $0 * ($1.block / $1.tile) }
      guard tiles >= 8, bytesRead(by: rows) > room else { return }
      plan.loops.swapAt(place, place + 1)
    }
  }

  /// The memory between the first and the last element of the row factor that a task's rows read; 0 where that is not
  /// known.
  private func bytesRead(by loops: ArraySlice<OuterLoop>) -> Int {
    let load = fold.body.instructions[rowLoad]
    guard case .load(_, let index, _) = load.operation else { return 0 }
    let counts = loops.map { ($0.id, $0.block) } + reduced.map { ($0, kernel.extent($0)) }
    var span = 1
    for (id, count) in counts {
      guard case .affine(let step) = index[0].dependence(on: id) else { return 0 }
      span += abs(step) * (count - 1)
    }
    return span * load.dtype.byteCount
  }

  /// How many tiles of a task's rows, at least, a panel serves while it is in the first-level cache.
  private static let tilesOfPanel = 8

  /// Splits the work into tasks over batch and row dimensions first: a task's rows stay in the second-level cache
  /// while the panels pass by, and are enough for the panels to come from farther away.
  private func distribute(_ plan: inout NestPlan, _ target: Target) {
    let element = fold.body.instructions[row].dtype.byteCount
    let rowBytes = kernel.points(rows) * kernel.points(reduced) * element
    let fits = ceilingQuotient(rowBytes, target.secondLevelCacheBytes / 4)
    let panels = ceilingQuotient(extent, plan.loops[batch.count].tile)
    var wanted = max(
      min(NestPlan.maximumTasks, plan.work / NestPlan.grain),
      panels > 1 ? min(fits, 4 * NestPlan.maximumTasks) : 1)
    var order = plan.loops.indices.filter { $0 != batch.count } + [batch.count]
    // What lies within a row's memory, as groups of channels do, comes back to it while the cache holds it.
    let within = batch.indices.filter { liesWithinRows(batch[$0]) }
    if !within.isEmpty, kernel.points(reduced) <= 64 {
      let bytes = kernel.parameterBytes
      let cached = ceilingQuotient(bytes, target.secondLevelCacheBytes / 2)
      wanted = max(wanted, min(cached, 4 * NestPlan.maximumTasks))
      order = order.filter { !within.contains($0) } + within
    }
    let tiles = plan.loops[(batch.count + 1)...].reduce(1) {
      $0 * ceilingQuotient(kernel.extent($1.id), $1.tile)
    }
    let enough = kernel.points(batch) * max(tiles / Contraction.tilesOfPanel, fits, 1)
    guard within.isEmpty, panels > 1, enough < wanted else {
      return plan.distribute(kernel, into: wanted, order: order)
    }
    plan.distribute(kernel, into: enough, order: order.dropLast())
    let parts = plan.loops.reduce(1) { $0 * ceilingQuotient(kernel.extent($1.id), $1.block) }
    plan.distribute(kernel, into: wanted / parts, order: [batch.count])
  }

  /// Whether results along a batch dimension lie nearer to each other than those of neighbouring rows.
  private func liesWithinRows(_ id: DimensionID) -> Bool {
    guard let store = kernel.stages.last?.index.first,
      case .affine(let step) = store.dependence(on: id)
    else { return false }
    return rows.allSatisfy { row in
      guard case .affine(let own) = store.dependence(on: row) else { return false }
      return own > step
    }
  }
}

extension VectorChoice {
  /// The plan that copies elements which lie next to each other into narrow panels: as many panels at a time as share
  /// lines of what is read, so that these are read once and the panels are written from front to back.
  ///
  /// - Parameter panel: the place of the loop over panels.
  fileprivate func copying(panel: Int, width: Int) -> NestPlan {
    let body = kernel.stages[0].body
    let bytes = body.instructions.last?.dtype.byteCount ?? 4
    var plan = NestPlan()
    plan.vector = kernel.outer.last
    plan.lanes = plan.vector.map { lanes($0, kernel.stages) } ?? 1
    plan.work = kernel.work
    plan.stages = [StagePlan()]
    plan.loops = kernel.outer.map { OuterLoop(id: $0, block: kernel.extent($0)) }
    plan.loops[plan.loops.count - 1].tile = ceilingQuotient(width, plan.lanes) * plan.lanes
    let together = max(1, 2 * VectorChoice.lineBytes / (width * bytes))
    plan.loops[panel].tile = min(together, kernel.extent(plan.loops[panel].id))
    plan.distributeCopy(kernel)
    return plan
  }
}

extension NestPlan {
  /// Divides a copy among tasks: the threads are awake for the products, and a copied element takes longer than an
  /// operation in registers.
  fileprivate mutating func distributeCopy(_ kernel: Kernel) {
    let wanted = min(NestPlan.maximumTasks, work / (NestPlan.grain / 8))
    distribute(kernel, into: wanted, order: Array(loops.indices))
  }

  /// Gives a copy the tasks of the products that read it: the same loops come first, and no other is divided.
  fileprivate mutating func follow(_ first: [OuterLoop], of kernel: Kernel) {
    let rest = loops.filter { loop in !first.contains { $0.id == loop.id } }
    loops = first + rest
    for place in first.count..<loops.count { loops[place].block = kernel.extent(loops[place].id) }
  }

  /// Orders the loops around the vectors by their steps in the memory that is read.
  ///
  /// A copy then reads from front to back; what it writes it writes in whole lines.
  fileprivate mutating func followLoads(of kernel: Kernel) {
    guard vector != nil, let last = loops.last, let body = kernel.stages.first?.body else { return }
    func step(_ loop: OuterLoop) -> Int {
      body.instructions.indices.reduce(0) { max($0, body.ownStep($1, along: loop.id)) }
    }
    let sorted = loops.dropLast().enumerated().sorted { a, b in
      let (first, second) = (step(a.element), step(b.element))
      return first != second ? first > second : a.offset < b.offset
    }
    loops = sorted.map(\.element) + [last]
    for place in loops.indices { loops[place].block = kernel.extent(loops[place].id) }
    distributeCopy(kernel)
  }
}

/// A phase: a kernel whose parameter i is memory i, and how it is computed.
struct Piece: Sendable {
  enum Work: Sendable {
    /// As one loop nest.
    case nest(NestPlan)
    /// As a contraction in blocks.
    case blocks(Contraction, Blocking)
    /// As attention, in blocks of rows.
    case attention(Attention)
  }
  var kernel: Kernel
  var work: Work
  /// Where a part of the reduction is computed: what its dimensions are in those of the whole.
  var originals: [DimensionID: IndexExpression] = [:]
  /// The copies that each task makes for itself first, as loop nests with the same tasks.
  var copies: [Piece] = []
}
