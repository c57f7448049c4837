import GraphIR
import LoopIR

/// How a contraction is cut into blocks that stay in the caches.
///
/// A task computes a block of results. For each block of the reduction, in order, it copies its rows into tiles, which
/// the second-level cache holds, and adds to its sums the products of the tiles with each of its panels, whose part
/// stays in the first-level cache while the tiles pass by. Rows or columns that several tasks need may be copied by a
/// phase of their own before. The sums
/// are touched once in each block of the reduction, until the stages that follow read them. The blocks of the
/// reduction, and so the order of every sum, depend on the extents and the target alone.
struct Blocking: Equatable {
  /// The register tile: rows, and vectors in each.
  var rows: Int
  var vectors: Int
  /// The runs of the reduction, that is of its innermost dimension, in a block.
  var runs: Int
  /// The steps of each run in a block: all, or some of a single run.
  var steps: Int
  /// The groups of rows, and the tiles of each, in a block: all tiles where there are several groups.
  var groups = 1
  var tiles = 1
  /// The panels in a block.
  var panels = 1
  /// Whether rows lie next to each other in memory, rather than the steps of the reduction.
  ///
  /// Tiles then consist of such rows: a group has one value of each other row dimension.
  var copiesRows: Bool
  /// Where the products read the columns.
  var columns: Columns
  /// Whether a phase copies all rows before the products: tasks would copy them again for each block of panels.
  var copiesRowsFirst = false
  /// Whether products read the rows where they lie, next to each other.
  var hasRowsInPlace = false
  /// Whether the rows are more than the second-level cache holds.
  var hasFarRows = false

  /// The parameters that are asked for in the last block of the reduction: the stages that follow read them.
  var askedFor: Set<Int> = []

  /// Where the products read the columns.
  enum Columns {
    /// In panels that a phase copies before the products: tasks would copy them again for each of many blocks of rows.
    case packedFirst
    /// In panels that the tasks copy when they need them.
    case packedByTask
    /// Where they lie, a few steps of the reduction at a time: memory is then read in its order.
    case inPlace
  }

  /// Rows that are not worth a copy of a panel, though each of its steps lies in a page of its own.
  static let fewRows = 12
  /// Rows that are worth a copy of all columns.
  static let manyRows = 64
  /// How many rows of the column factor are read beside each other: a processor foresees about as many streams.
  static let stepsInPlace = 16
  /// Fewer steps than these are not worth their sums.
  static let leastStepsInPlace = 32

  /// The elements from tile to tile in the copy of the rows: vectors may be written beyond a tile's end.
  func tileSize(_ lanes: Int) -> Int { rows * runs * steps + lanes }

  /// The blocks of a reduction of so many runs of so many steps.
  func parts(_ runCount: Int, _ runLength: Int) -> Int {
    ceilingQuotient(runCount, runs) * ceilingQuotient(runLength, steps)
  }

  /// The place of an element in a tile.
  func place(_ row: LoopIndex, _ step: LoopIndex) -> LoopIndex {
    copiesRows ? step * rows + row : step + row * (runs * steps)
  }
}

extension Contraction {
  /// The number of points of all row dimensions.
  var rowCount: Int { kernel.points(rows) }
  /// The load of the row factor: itself, or what it converts.
  var rowLoad: Int {
    let factor = fold.body.instructions[row]
    return factor.operation == .convert ? factor.operands[0] : row
  }
  /// The number of steps of the reduction.
  var stepCount: Int { kernel.points(reduced) }

  /// The blocks of a contraction; nil where its factors are better read where they lie.
  func blocking(_ target: Target) -> Blocking? {
    guard isBlockable, extent >= 2 * lanes, stepCount >= 160, kernel.work >= 1 << 20,
      let innermost = reduced.last, let first = rows.first
    else { return nil }
    let isPackedOnce = isPackedOnce
    let isInPlace = !isPackedOnce && rowCount <= Blocking.fewRows && hasFarColumns(target)
    let body = fold.body
    let copiesRows =
      body.stride(rowLoad, along: innermost) != 1 && body.stride(rowLoad, along: first) == 1
    let copies = rowCount >= 12 && gainsByCopies(target)
    let readsRows = rowCount >= 12 && copiesRows && hasFarPanels(target)
    guard isInPlace || copies || readsRows else { return nil }
    var choices = Ranking<Blocking>()
    let groups = copiesRows ? rowCount / kernel.extent(first) : 1
    func consider(_ columns: Blocking.Columns, hasRowsInPlace: Bool) {
      var blocking = Blocking(
        rows: 1, vectors: 1, runs: 1, steps: kernel.extent(innermost), copiesRows: copiesRows,
        columns: columns)
      blocking.hasRowsInPlace = hasRowsInPlace
      blocking.hasFarRows = hasFarRows(target)
      guard let tile = paddedTiles(blocking, target).first else { return }
      (blocking.rows, blocking.vectors) = tile.choice
      cutReduction(&blocking, target)
      // Copied, rows surely stay in the first-level cache.
      let share = hasRowsInPlace ? 1.05 : 1
      let products = tile.cost * Double(kernel.points(reduced + batch)) * Double(groups)
      let cost = share * products + split(&blocking, target)
      blocking.askedFor = operandsAskedFor(blocking, target)
      choices.consider(blocking, cost: cost)
    }
    for columns in isInPlace ? [.inPlace] : copies ? copiesOfColumns : [] {
      consider(columns, hasRowsInPlace: false)
    }
    if !isInPlace, readsRows {
      for columns in [Blocking.Columns.inPlace, .packedByTask]
      where stepsInPlace(columns, target) >= Blocking.leastStepsInPlace {
        consider(columns, hasRowsInPlace: true)
      }
    }
    return choices.first?.choice
  }

  /// The far operands of the stages that follow, where the second-level cache holds a block of them beside the tiles.
  private func operandsAskedFor(_ blocking: Blocking, _ target: Target) -> Set<Int> {
    let operands = farOperands(target)
    let points = blocking.groups * blocking.tiles * blocking.rows * blocking.panels
    let bytes = operands.reduce(0) { $0 + kernel.parameters[$1].type.dtype.byteCount }
    return points * blocking.vectors * lanes * bytes <= target.secondLevelCacheBytes / 2
      ? operands : []
  }

  /// Whether a panel of all steps is more than the first-level cache holds: tile after tile would read it from afar.
  private func hasFarPanels(_ target: Target) -> Bool {
    let size = fold.body.instructions[column].dtype.byteCount
    return stepCount * 2 * lanes * size > target.firstLevelCacheBytes
  }

  /// How many steps the first-level cache holds of rows where they lie, beside a panel's columns; 0 where they are no
  /// plain loads.
  private func stepsInPlace(_ columns: Blocking.Columns, _ target: Target) -> Int {
    func isPlain(_ place: Int) -> Bool {
      guard case .load(.parameter, _, let guards) = fold.body.instructions[place].operation else {
        return false
      }
      return guards.isEmpty
    }
    guard isPlain(row), isPlain(column), columnStride == 1, !isPackedOnce,
      let innermost = reduced.last,
      let rowStep = fold.body.stride(row, along: innermost),
      let columnStep = fold.body.stride(column, along: innermost)
    else { return 0 }
    let size = fold.body.instructions[row].dtype.byteCount
    // A panel, and beside a copy what will be copied next.
    let bytes = (abs(rowStep) + 4 * lanes) * size
    let steps = target.firstLevelCacheBytes * 3 / 4 / bytes
    guard columns == .inPlace else { return steps }
    // Of the lines of a set half are left for columns.
    let sets = 4096 / commonDivisor(max(abs(columnStep) * size, 64), 4096)
    return min(steps, 4 * sets)
  }

  /// Where columns that are copied may be read: what goes through memory in another order is better copied once.
  private var copiesOfColumns: [Blocking.Columns] {
    isPackedOnce || columnStride != 1 ? [.packedFirst] : [.packedFirst, .packedByTask]
  }

  /// Where copied columns are read.
  var packedColumns: Blocking.Columns {
    isPackedOnce || columnStride != 1 || rowCount >= Blocking.manyRows
      ? .packedFirst : .packedByTask
  }

  /// The rows that tiles are made of: all, or those of a group.
  func rowExtent(_ blocking: Blocking) -> Int {
    blocking.copiesRows ? rows.first.map(kernel.extent) ?? 1 : rowCount
  }

  /// Whether rows are better copied: their lines do not stay in the cache where they lie, or a panel and the rows
  /// beside it do not.
  private func gainsByCopies(_ target: Target) -> Bool {
    // Elements that are converted or checked once serve all columns.
    if hasGuardedRows { return true }
    if rowLoad != row || rowDistance(target) > 1 {
      return rowCount >= 32 || columnStride == 1 || isPackedOnce
    }
    guard rowCount >= Blocking.manyRows else { return hasFarColumns(target) }
    let size = fold.body.instructions[row].dtype.byteCount
    let panelBytes = stepCount * 2 * lanes * size
    // Windows are short pieces of memory: rows of a tile are left over at the end of each.
    if rows.count > 1, extent >= 4 * lanes {
      return 2 * panelBytes > 3 * target.firstLevelCacheBytes
    }
    return readsFarRowsAgain(target)
  }

  /// Whether the rows come from beyond the second-level cache for each panel, which is more than the first-level cache
  /// holds.
  func readsFarRowsAgain(_ target: Target) -> Bool {
    let size = fold.body.instructions[row].dtype.byteCount
    return stepCount * 2 * lanes * size > 3 * target.firstLevelCacheBytes
      && Double(rowCount) * Double(stepCount * size) > Double(2 * target.secondLevelCacheBytes)
  }

  /// Whether some rows reach beyond a tensor's ends, and steps lie next to each other, so that a copy checks once.
  private var hasGuardedRows: Bool {
    guard case .load(_, _, let guards) = fold.body.instructions[rowLoad].operation,
      let innermost = reduced.last
    else { return false }
    return !guards.isEmpty && fold.body.stride(rowLoad, along: innermost) == 1
  }

  /// Whether each step of the column factor lies in a page of its own, and all in memory rather than in a cache; of a
  /// copy that is there already, whether it lies in memory.
  ///
  /// For fewer than many rows a copy of all panels would take longer than the products, and one by the task that needs
  /// it does not.
  private func hasFarColumns(_ target: Target) -> Bool {
    let size = fold.body.instructions[column].dtype.byteCount
    let varies = batch.filter { fold.body.varying(with: $0)[column] }
    let columns = Double(extent) * Double(stepCount) * Double(kernel.points(varies))
    return (isPackedOnce || columnStride == 1 && columnStep >= 1024)
      && columns * Double(size) > Double(8 * target.secondLevelCacheBytes)
  }

  /// Whether the rows are more than the second-level cache holds.
  private func hasFarRows(_ target: Target) -> Bool {
    let varies = batch.filter { fold.body.varying(with: $0)[row] }
    let rows = Double(rowCount) * Double(stepCount) * Double(kernel.points(varies))
    let size = fold.body.instructions[rowLoad].dtype.byteCount
    return rows * Double(size) > Double(target.secondLevelCacheBytes)
  }

  /// How many times as long the products take because each step of the reduction touches a line of the row factor of
  /// its own, and those of all steps do not stay in the first-level cache.
  func rowDistance(_ target: Target) -> Double {
    let body = fold.body
    guard let innermost = reduced.last, let stride = body.stride(rowLoad, along: innermost) else {
      return 1
    }
    let step = abs(stride) * body.instructions[rowLoad].dtype.byteCount
    guard step >= 64 else { return 1 }
    if stepCount * 64 >= 2 * target.firstLevelCacheBytes { return 2.2 }
    // Lines a page apart fall into one set of the cache, of eight lines.
    let sets = 4096 / commonDivisor(step, 4096)
    return stepCount * 64 >= target.firstLevelCacheBytes / 2 || stepCount > 8 * sets ? 1.35 : 1
  }

  /// Cuts the reduction so that a block's part of a panel takes half of the first-level cache: blocks of several runs,
  /// or several blocks in each run.
  ///
  /// Where the task copies a panel, what it will copy next waits beside it.
  private func cutReduction(_ blocking: inout Blocking, _ target: Target) {
    if blocking.hasRowsInPlace {
      let parts = ceilingQuotient(blocking.steps, stepsInPlace(blocking.columns, target))
      let unrolled = 4
      blocking.steps = min(
        blocking.steps,
        ceilingQuotient(ceilingQuotient(blocking.steps, parts), unrolled) * unrolled)
      return
    }
    if blocking.columns == .inPlace {
      blocking.steps = min(blocking.steps, Blocking.stepsInPlace)
      return
    }
    let width = lanes * blocking.vectors * fold.body.instructions[row].dtype.byteCount
    let share = blocking.columns == .packedByTask ? 4 : 2
    let most = max(64, target.firstLevelCacheBytes / share / width)
    let (runLength, runCount) = (blocking.steps, stepCount / blocking.steps)
    if runLength > most + most / 2 {
      let pieces = ceilingQuotient(runLength, most)
      blocking.steps = ceilingQuotient(ceilingQuotient(runLength, pieces), lanes) * lanes
    } else {
      let blocks = ceilingQuotient(runCount, max(1, most / runLength))
      blocking.runs = ceilingQuotient(runCount, blocks)
    }
  }

  /// Whether the row factor may be copied, and the products summed as they are.
  var isBlockable: Bool {
    let body = fold.body
    guard let last = body.instructions.last, let innermost = reduced.last,
      StageEmitter.accumulator(last.dtype, .sum) == last.dtype,
      case .load(.parameter, _, _) = body.instructions[rowLoad].operation,
      body.stride(rowLoad, along: innermost) != nil
    else { return false }
    return reduced.allSatisfy { id in
      let varies = body.varying(with: id)
      return varies[row] && varies[column]
    }
  }
}

extension Contraction {
  /// The rows and vectors of register tiles, with the cycles that a step of the reduction takes over all tiles of a group
  /// when the last ones are padded, or smaller where rows are read in place.
  func paddedTiles(
    _ blocking: Blocking, _ target: Target
  ) -> Ranking<(rows: Int, vectors: Int)> {
    let rowExtent = rowExtent(blocking)
    let allVectors = ceilingQuotient(extent, lanes)
    var ranking = Ranking<(rows: Int, vectors: Int)>(margin: 0.999)
    for vectors in 1...min(4, allVectors) {
      for rows in 1...min(rowExtent, RegisterTile.mostRows(vectors, target)) {
        var panel = Double(rowExtent / rows) * RegisterTile.cycles(rows, vectors)
        let rest = rowExtent % rows
        if rest > 0 {
          panel += RegisterTile.cycles(blocking.hasRowsInPlace ? rest : rows, vectors)
        }
        let cost = panel * Double(ceilingQuotient(allVectors, vectors))
        ranking.consider((rows, vectors), cost: cost)
      }
    }
    return ranking
  }
}
