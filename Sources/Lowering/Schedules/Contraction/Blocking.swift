import GraphIR
import LoopIR

/// How a contraction is cut into blocks that stay in the caches.
///
/// Both factors are copied first: the row factor in tiles, the column factor in panels. A task then computes a block
/// of results. For each block of the reduction, in order, it adds to its sums the products of its tiles, which the
/// second-level cache holds, with each of its panels, whose part stays in the first-level cache while the tiles pass
/// by; the sums stay in the second-level cache until the stages that follow read them. The blocks of the reduction, and so the order of every sum, depend on the extents and the target alone.
struct Blocking {
  /// The register tile: rows, and vectors in each.
  var rows: Int
  var vectors: Int
  /// The steps of the reduction in a block.
  var steps: Int
  /// The tiles of rows in a block.
  var tiles: Int
  /// The panels in a block.
  var panels: Int
  /// Whether rows lie next to each other in memory, rather than the steps of the reduction.
  var copiesRows: Bool
}

extension Contraction {
  /// The number of points of all row dimensions.
  var rowCount: Int { kernel.points(rows) }
  /// The number of steps of the reduction.
  var stepCount: Int { kernel.points(reduced) }

  /// The blocks of a contraction; nil where its factors are better read where they lie.
  func blocking(_ target: Target) -> Blocking? {
    guard isBlockable(target), rowCount >= 64, extent >= 128, stepCount >= 256,
      let innermost = reduced.last
    else { return nil }
    let body = fold.body
    let size = body.instructions[row].dtype.byteCount
    guard let step = body.stride(row, along: innermost) else { return nil }
    let (rows, vectors) = RegisterTile.padded(self, target)
    let width = lanes * vectors
    // Rows are copied where their lines do not stay in the cache, or where a panel and the rows beside it do not.
    let isLong =
      stepCount * width * size > 3 * target.firstLevelCacheBytes
      && rowCount * stepCount * size > 2 * target.secondLevelCacheBytes
    guard isLong || rowDistance(target) > 1 else { return nil }

    let mostSteps = max(64, target.firstLevelCacheBytes / 2 / (width * size))
    let stepBlocks = ceilingQuotient(stepCount, mostSteps)
    let steps = ceilingQuotient(ceilingQuotient(stepCount, stepBlocks), lanes) * lanes
    var blocking = Blocking(
      rows: rows, vectors: vectors, steps: steps, tiles: 1, panels: 1,
      copiesRows: step != 1 && self.rows.first.map { body.stride(row, along: $0) == 1 } ?? false)
    split(&blocking, size, target)
    return blocking
  }

  /// How many times as long the products take because each step of the reduction touches a line of the row factor of
  /// its own, and those of all steps do not stay in the first-level cache.
  func rowDistance(_ target: Target) -> Double {
    let body = fold.body
    guard let innermost = reduced.last, let step = body.stride(row, along: innermost),
      step * body.instructions[row].dtype.byteCount >= 64
    else { return 1 }
    let lines = kernel.extent(innermost) * 64
    if lines >= 2 * target.firstLevelCacheBytes { return 2.2 }
    return lines >= target.firstLevelCacheBytes / 2 ? 1.35 : 1
  }

  /// Gives each task its tiles and panels: as many as the second-level cache holds, fewer where there would be
  /// few tasks.
  private func split(_ blocking: inout Blocking, _ size: Int, _ target: Target) {
    let (tiles, panels) = (
      ceilingQuotient(rowCount, blocking.rows),
      ceilingQuotient(extent, lanes * blocking.vectors)
    )
    let wanted = max(1, min(NestPlan.maximumTasks, kernel.work / (256 * NestPlan.grain)))
    let tileBytes = blocking.rows * blocking.steps * size
    let mostTiles = max(1, target.secondLevelCacheBytes / 4 / tileBytes)
    let rowBlocks = max(
      ceilingQuotient(tiles, mostTiles),
      min(ceilingQuotient(wanted, kernel.points(batch)), ceilingQuotient(tiles, 16)))
    blocking.tiles = ceilingQuotient(tiles, rowBlocks)
    let panelBytes = blocking.tiles * blocking.rows * blocking.vectors * lanes * size
    let mostPanels = max(1, target.secondLevelCacheBytes / 4 / panelBytes)
    let panelBlocks = max(
      ceilingQuotient(panels, mostPanels),
      min(ceilingQuotient(wanted, kernel.points(batch) * rowBlocks), ceilingQuotient(panels, 8)))
    blocking.panels = ceilingQuotient(panels, panelBlocks)
  }

  /// Whether the factors may be copied, and their products summed as they are.
  ///
  /// Windows that overlap are copied more than once. That takes memory, and gains only where there are many products
  /// with each copy and a panel for the whole reduction would fill the second-level cache.
  private func isBlockable(_ target: Target) -> Bool {
    let body = fold.body
    guard let last = body.instructions.last,
      StageEmitter.accumulator(last.dtype, .sum) == last.dtype,
      case .load(.parameter(let place), _, _) = body.instructions[row].operation
    else { return false }
    for id in reduced {
      let varies = body.varying(with: id)
      guard varies[row], varies[column] else { return false }
    }
    let used = (batch + rows + reduced).filter { body.varying(with: $0)[row] }
    let copies = kernel.points(used)
    if copies <= kernel.parameters[place].type.shape.elementCount { return true }
    let panel = stepCount * lanes * last.dtype.byteCount * 2
    return extent >= 256 && panel > target.secondLevelCacheBytes / 2
      && copies * last.dtype.byteCount <= 32 * target.secondLevelCacheBytes
  }
}

extension RegisterTile {
  /// The rows and vectors of the tile that takes the fewest cycles when the last tiles are padded.
  static func padded(_ contraction: Contraction, _ target: Target) -> (rows: Int, vectors: Int) {
    let allVectors = ceilingQuotient(contraction.extent, contraction.lanes)
    var best = (rows: 1, vectors: 1, cost: Double.infinity)
    for vectors in 1...min(4, allVectors) {
      for rows in 1...mostRows(vectors, target) {
        let tiles =
          ceilingQuotient(contraction.rowCount, rows) * ceilingQuotient(allVectors, vectors)
        let cost = Double(tiles) * cycles(rows, vectors)
        if cost < best.cost * 0.999 { best = (rows, vectors, cost) }
      }
    }
    return (best.rows, best.vectors)
  }
}
