import GraphIR
import LoopIR

/// The division of a contraction's results among tasks, and what it costs.
///
/// Tasks with few rows copy all columns anew, and tasks with few panels all rows; a copy that is made once for all goes
/// through memory instead. Few tasks leave threads idle.
extension Contraction {
  /// Gives each task its groups, tiles and panels, and says whether rows are copied first: what costs least, with tiles
  /// that the second-level cache holds.
  ///
  /// - Returns: about how many cycles the copies, the sums and idle threads take.
  @discardableResult
  func split(_ blocking: inout Blocking, _ target: Target) -> Double {
    let size = fold.body.instructions[row].dtype.byteCount
    let tiles = ceilingQuotient(rowExtent(blocking), blocking.rows)
    let all = tiles * (rowCount / rowExtent(blocking))
    let panels = ceilingQuotient(extent, lanes * blocking.vectors)
    let mostTiles = max(1, target.secondLevelCacheBytes / 2 / (blocking.tileSize(lanes) * size))
    let mostTasks = max(1, min(NestPlan.maximumTasks, kernel.work / (64 * NestPlan.grain)))
    var best = Ranking<Blocking>(margin: 0.999)
    let least = ceilingQuotient(all, mostTiles)
    for rowBlocks in shares(of: all, from: least, to: max(least, mostTasks)) {
      var own = blocking
      setRows(&own, tiles: ceilingQuotient(all, rowBlocks))
      let panelBytes = own.groups * own.tiles * own.rows * own.vectors * lanes * size
      let fewest = ceilingQuotient(panels, max(1, 2 * target.secondLevelCacheBytes / panelBytes))
      let most = max(fewest, mostTasks / (rowBlocks * kernel.points(batch)))
      for panelBlocks in shares(of: panels, from: fewest, to: most) {
        own.panels = ceilingQuotient(panels, panelBlocks)
        let mayCopyFirst =
          panelBlocks > 1 && blocking.columns != .inPlace && !blocking.hasRowsInPlace
        for copiesRowsFirst in mayCopyFirst ? [false, true] : [false] {
          own.copiesRowsFirst = copiesRowsFirst
          best.consider(own, cost: overhead(own, target) + idleTime(own))
        }
      }
    }
    guard let found = best.first else { return .infinity }
    blocking = found.choice
    return found.cost
  }

  /// The counts of equal parts that differ in the size of a part.
  private func shares(of whole: Int, from least: Int, to most: Int) -> [Int] {
    (least...most).filter { count in
      count == least
        || ceilingQuotient(whole, count) < ceilingQuotient(whole, count - 1) && count <= whole
    }
  }

  /// Gives a block tiles: of one group, or all of several.
  private func setRows(_ blocking: inout Blocking, tiles share: Int) {
    let tiles = ceilingQuotient(rowExtent(blocking), blocking.rows)
    let groups = rowCount / rowExtent(blocking)
    (blocking.groups, blocking.tiles) = (1, tiles)
    if share >= tiles {
      blocking.groups = ceilingQuotient(groups, ceilingQuotient(groups, share / tiles))
    } else {
      blocking.tiles = ceilingQuotient(tiles, ceilingQuotient(tiles, share))
    }
  }

  /// About how many cycles the copies and the sums take.
  func overhead(_ blocking: Blocking, _ target: Target) -> Double {
    let blocks = Double(ceilingQuotient(stepCount, blocking.runs * blocking.steps))
    let grid = grid(blocking)
    let vectors = blocking.rows * blocking.vectors
    let sums = Double(grid.tiles * grid.panels * kernel.points(batch) * vectors) * blocks
    // The second-level cache holds the tiles too.
    let size = fold.body.instructions[row].dtype.byteCount
    let own = blocking.groups * blocking.tiles * blocking.panels * vectors * lanes * size
    return rowCopies(blocking, grid.panelBlocks, target)
      + columnCopies(blocking, grid.rowBlocks, target)
      + (own > target.secondLevelCacheBytes / 2 ? 5 : 2.3) * sums
  }

  /// About how many cycles of the products threads wait for others.
  private func idleTime(_ blocking: Blocking) -> Double {
    let grid = grid(blocking)
    let batch = kernel.points(batch)
    return RegisterTile.cycles(blocking.rows, blocking.vectors)
      * Double(grid.tiles * grid.panels * batch) * Double(stepCount)
      * idleShare(batch * grid.rowBlocks * grid.panelBlocks)
  }

  /// How many tiles and panels there are, and blocks of them.
  private func grid(
    _ blocking: Blocking
  ) -> (tiles: Int, panels: Int, rowBlocks: Int, panelBlocks: Int) {
    let tiles = ceilingQuotient(rowExtent(blocking), blocking.rows)
    let groups = rowCount / rowExtent(blocking)
    let panels = ceilingQuotient(extent, lanes * blocking.vectors)
    return (
      tiles: tiles * groups, panels: panels,
      rowBlocks: ceilingQuotient(groups, blocking.groups) * ceilingQuotient(tiles, blocking.tiles),
      panelBlocks: ceilingQuotient(panels, blocking.panels)
    )
  }

  /// The cycles of the copies of rows.
  private func rowCopies(_ blocking: Blocking, _ panelBlocks: Int, _ target: Target) -> Double {
    let body = fold.body
    let isAlongSteps = body.stride(rowLoad, along: reduced[reduced.count - 1]) == 1
    // A vector of a tile's rows, or of steps.
    let each =
      isAlongSteps
      ? 4 / Double(lanes)
      : blocking.copiesRows
        ? 5 * Double(ceilingQuotient(blocking.rows, lanes)) / Double(blocking.rows) : 1
    let elements = Double(rowCount) * Double(stepCount)
    let reads = elements * Double(kernel.points(batch))
    if blocking.hasRowsInPlace { return 0.1 * reads * Double(panelBlocks) }
    guard blocking.copiesRowsFirst else { return each * reads * Double(panelBlocks) }
    let varying = batch.filter { body.varying(with: $0)[row] }
    let copied = elements * Double(kernel.points(varying))
    return copied * (each + transfer(copied, body.instructions[row].dtype, target))
      + 0.15 * reads * Double(panelBlocks) + phaseTime
  }

  /// The cycles of the copies of columns.
  private func columnCopies(_ blocking: Blocking, _ rowBlocks: Int, _ target: Target) -> Double {
    let body = fold.body
    let elements = Double(extent) * Double(stepCount)
    switch blocking.columns {
    case .inPlace: return 0.1 * elements * Double(kernel.points(batch) * rowBlocks)
    case .packedByTask:
      return elements * Double(kernel.points(batch) * rowBlocks) * 4 / Double(lanes)
    case .packedFirst:
      let reads = 0.2 * elements * Double(kernel.points(batch) * rowBlocks)
      if isPackedOnce { return reads }
      let varying = batch.filter { body.varying(with: $0)[column] }
      let copied = elements * Double(kernel.points(varying))
      return copied
        * ((columnStride == 1 ? 3 : 8) / Double(lanes)
          + transfer(copied, body.instructions[column].dtype, target)) + reads + phaseTime
    }
  }

  /// The cycles that threads take to begin a phase together.
  private var phaseTime: Double { 8192 }

  /// The cycles for which each element of a copy waits on its way out of the second-level cache and back.
  private func transfer(_ elements: Double, _ dtype: DType, _ target: Target) -> Double {
    let bytes = elements * Double(dtype.byteCount)
    if bytes <= Double(target.secondLevelCacheBytes / 2) { return 0 }
    let perByte = bytes <= Double(target.lastLevelCacheBytes / 8) ? 0.1 : 0.2
    return perByte * Double(dtype.byteCount)
  }

  /// The share of their time that threads wait for others to finish their last tasks: the mean over numbers of threads,
  /// of which each is half as likely as half of it.
  private func idleShare(_ tasks: Int) -> Double {
    var (sum, weights) = (0.0, 0.0)
    for threads in [1, 2, 4, 8, 16] {
      let weight = 1 / Double(threads)
      let longest = ceilingQuotient(tasks, threads) * threads
      sum += weight * (Double(longest) / Double(tasks) - 1)
      weights += weight
    }
    return sum / weights
  }
}
