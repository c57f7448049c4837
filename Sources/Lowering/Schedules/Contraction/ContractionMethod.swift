import GraphIR
import LoopIR

/// How a contraction is computed.
enum ContractionMethod: Equatable {
  /// As one loop nest around a register tile, which reads its factors from panels or where they are.
  case nest(RegisterTile, packs: PackedFactors)
  /// In blocks that stay in the caches.
  case blocks(Blocking)
}

/// The factors of a contraction that are copied into panels first.
struct PackedFactors: OptionSet {
  let rawValue: Int
  static let columns = PackedFactors(rawValue: 1)
  static let rows = PackedFactors(rawValue: 2)
}

extension Contraction {
  /// The method that promises most.
  func method(_ target: Target) -> ContractionMethod {
    let nest = nest(target)
    guard let blocking = blocking(target) else { return nest }
    guard case .nest(_, let packs) = nest, packs.contains(.rows) else { return .blocks(blocking) }
    // What is counted of the copies of blocks, others of their products hide in part.
    return 1.12 * cost(nest, target) < cost(.blocks(blocking), target) ? nest : .blocks(blocking)
  }

  /// The loop nest that promises most.
  private func nest(_ target: Target) -> ContractionMethod {
    var ranking = Ranking<ContractionMethod>()
    let tile = RegisterTile.choose(self, target)
    for rows in mayPackRows(target) ? [[], .rows] : [[]] as [PackedFactors] {
      for columns in needsPacking(target) ? [.columns] : [.columns, []] as [PackedFactors] {
        let method = ContractionMethod.nest(tile, packs: rows.union(columns))
        ranking.consider(method, cost: cost(method, target))
      }
    }
    return ranking.first?.choice ?? .nest(tile, packs: [])
  }

  /// Whether rows lie next to each other, their steps apart, and a panel of all steps stays in the second-level cache.
  ///
  /// Constants are left to the copies that are made before the run.
  private func mayPackRows(_ target: Target) -> Bool {
    guard rows.count == 1, reduced.count == 1, rowCount >= 12, rowDistance(target) > 1,
      !isPackedOnce, !isCopiedOnce(row),
      fold.body.stride(rowLoad, along: rows[0]) == 1
    else { return false }
    return !readsFarRowsAgain(target)
  }

  /// The method that promises most, and others that keep its order of every sum, each with the number of better ones of
  /// its kind.
  func methods(_ target: Target) -> [(method: ContractionMethod, place: Int)] {
    let best = method(target)
    var methods = [(method: best, place: 0)]
    func add(_ method: ContractionMethod, _ place: Int) {
      if !methods.contains(where: { $0.method == method }) { methods.append((method, place)) }
    }
    let packedRows: [PackedFactors] = mayPackRows(target) ? [.rows, []] : [[]]
    let packedColumns: [PackedFactors] = columnStride == 1 ? [.columns, []] : [.columns]
    for packs in packedRows.flatMap({ rows in packedColumns.map(rows.union) }) {
      for (place, tile) in RegisterTile.ranking(self, target).ordered.prefix(4).enumerated() {
        add(.nest(tile.choice, packs: packs), place)
      }
    }
    guard let blocking = blocking(target) ?? wholeBlocks(target) else { return methods }
    var columns = [blocking.columns]
    if blocking.columns == .packedFirst, columnStride == 1 { columns.append(.packedByTask) }
    if blocking.columns == .packedByTask { columns.append(.packedFirst) }
    for columns in columns {
      for (place, tile) in paddedTiles(blocking, target).ordered.prefix(4).enumerated() {
        var other = blocking
        (other.rows, other.vectors) = (tile.choice.rows, tile.choice.vectors)
        other.columns = columns
        split(&other, target)
        add(.blocks(other), place)
      }
    }
    // A cache that others use too, or a larger share of it.
    for share in [0.5, 2] {
      var (other, shared) = (blocking, target)
      shared.secondLevelCacheBytes = Int(Double(target.secondLevelCacheBytes) * share)
      if case .blocks = best {
        split(&other, shared)
        add(.blocks(other), 1)
      }
    }
    return methods
  }

  /// Blocks of the whole reduction, in the order in which a nest adds up; nil where rows cannot be copied, or are few.
  private func wholeBlocks(_ target: Target) -> Blocking? {
    guard isBlockable, extent >= 2 * lanes, stepCount >= 64, rowCount >= 12,
      let innermost = reduced.last, let first = rows.first
    else { return nil }
    let body = fold.body
    let copiesRows =
      body.stride(rowLoad, along: innermost) != 1 && body.stride(rowLoad, along: first) == 1
    let runLength = kernel.extent(innermost)
    let panelBytes = stepCount * 4 * lanes * body.instructions[row].dtype.byteCount
    guard panelBytes <= target.secondLevelCacheBytes else { return nil }
    return Blocking(
      rows: 1, vectors: 1, runs: stepCount / runLength, steps: runLength, copiesRows: copiesRows,
      columns: packedColumns)
  }
}

// MARK: - Costs

extension Contraction {
  /// About how long a method takes, in cycles.
  func cost(_ method: ContractionMethod, _ target: Target) -> Double {
    let steps = Double(kernel.points(reduced) * kernel.points(batch))
    var cost: Double
    switch method {
    case .nest(let tile, let packs):
      cost = tile.cost * steps
      if !packs.contains(.rows) { cost *= rowDistance(target) }
      if !packs.contains(.columns) { cost *= columnDistance(tile, target) }
      if packs.contains(.rows) { cost += copy(of: row, rowCount, isContiguous: true, target) }
      if packs.contains(.columns) {
        cost += copy(of: column, extent, isContiguous: columnStride == 1, target)
      }
      cost += accessesApart(lines: tile.vectors * lanes, target)
    case .blocks(let blocking):
      cost = cycles(blocking, target) * steps + overhead(blocking, target)
      cost += accessesApart(lines: blocking.panels * blocking.vectors * lanes, target)
    }
    return cost
  }

  /// About how many cycles the copy of a factor into panels takes: none where it is made before the run.
  ///
  /// What lies across the vectors is turned in registers; what no second-level cache holds is waited for.
  private func copy(
    of factor: Int, _ width: Int, isContiguous: Bool, _ target: Target
  ) -> Double {
    if isCopiedOnce(factor) { return 0 }
    let body = fold.body
    let varying = batch.filter { body.varying(with: $0)[factor] }
    let elements = Double(width) * Double(kernel.points(reduced + varying))
    let isFar =
      elements * Double(body.instructions[factor].dtype.byteCount)
      > Double(target.secondLevelCacheBytes)
    return elements * ((isContiguous ? 3 : 8) / Double(lanes) + (isFar ? 0.5 : 0))
  }

  /// About how many cycles the lanes take that are read and written one by one, each in a line of its own.
  ///
  /// - Parameter lines: how many lines the next row comes back to. Those that are a large power of two apart fall into
  ///   few sets of the first-level cache, which then does not hold them.
  private func accessesApart(lines: Int, _ target: Target) -> Double {
    let accesses = Double(apart) * Double(kernel.points(kernel.outer))
    guard let store = kernel.stages.last, rows.first.map(isContiguous) ?? false,
      case .affine(let stride) = store.index[0].dependence(on: vector)
    else { return 12 * accesses }
    let bytes = max(abs(stride) * kernel.type(of: store.target).dtype.byteCount, 64)
    let ways = target.firstLevelCacheBytes / 4096
    let most = 4096 / max(commonDivisor(bytes, 4096), 64) * ways
    let count = min(extent, lines)
    return (count <= most ? 2 : count <= 2 * most ? 4 : 20) * accesses
  }

  /// How many times as long the products take because the lines of the columns, where they lie, do not stay in the
  /// first-level cache beside those of the rows.
  private func columnDistance(_ tile: RegisterTile, _ target: Target) -> Double {
    let width = tile.vectors * lanes * fold.body.instructions[column].dtype.byteCount
    let lines = stepCount * ceilingQuotient(width, 64)
    // Steps that follow each other without a gap lie as they would in a copy.
    guard lines * 64 >= target.firstLevelCacheBytes / 2, columnStep > width else { return 1 }
    // Of what lies across two lines, both are read.
    if width % 64 == 0 { return target.vectorBytes >= Target.lineBytes ? 1.02 : 1.05 }
    return 1.2
  }

  /// The cycles of a step of the reduction over all tiles: those of the best tile, more where a block's tile takes more.
  private func cycles(_ blocking: Blocking, _ target: Target) -> Double {
    let tiles = paddedTiles(blocking, target)
    let own = tiles.all.first {
      $0.choice.rows == blocking.rows && $0.choice.vectors == blocking.vectors
    }
    guard let own, let best = tiles.first else { return .infinity }
    return RegisterTile.choose(self, target).cost * own.cost / best.cost
  }

  /// Whether the results of neighbouring rows lie next to each other.
  private func isContiguous(_ row: DimensionID) -> Bool {
    let store = kernel.stages.last { if case .parameter = $0.target { true } else { false } }
    return store?.index[0].dependence(on: row) == .affine(1)
  }

  /// The accesses of the epilogue, and stores of the fold, whose neighbouring lanes lie apart.
  private var apart: Int {
    func isApart(_ index: IndexExpression) -> Bool {
      switch index.dependence(on: vector) {
      case .affine(let stride): abs(stride) > 1
      case .other: true
      }
    }
    var count = 0
    for (place, stage) in kernel.stages.enumerated() {
      if case .parameter = stage.target, isApart(stage.index[0]) { count += 1 }
      guard place > 0 else { continue }
      for instruction in stage.body.instructions {
        if case .load(_, let index, _) = instruction.operation, isApart(index[0]) { count += 1 }
      }
    }
    return count
  }
}
