import GraphIR
import LoopIR

/// How a contraction is computed.
enum ContractionMethod: Equatable {
  /// As one loop nest around a register tile, which reads columns from panels or where they are.
  case nest(RegisterTile, packs: Bool)
  /// In blocks that stay in the caches.
  case blocks(Blocking)
}

extension Contraction {
  /// The method that promises most.
  func method(_ target: Target) -> ContractionMethod {
    if let blocking = blocking(target) { return .blocks(blocking) }
    let tile = RegisterTile.choose(self, target)
    let gains = cost(.nest(tile, packs: true), target) < cost(.nest(tile, packs: false), target)
    return .nest(tile, packs: needsPacking || gains)
  }

  /// The method that promises most, and others that keep its order of every sum, each with the number of better ones of
  /// its kind.
  func methods(_ target: Target) -> [(method: ContractionMethod, place: Int)] {
    let best = method(target)
    var methods = [(method: best, place: 0)]
    func add(_ method: ContractionMethod, _ place: Int) {
      if !methods.contains(where: { $0.method == method }) { methods.append((method, place)) }
    }
    for packs in [true, false] where packs || columnStride == 1 {
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
    var isCopied = false
    switch method {
    case .nest(let tile, let packs):
      cost = tile.cost * steps * rowDistance(target)
      if !packs { cost *= columnDistance(tile, target) }
      isCopied = packs && !isPackedOnce
    case .blocks(let blocking):
      cost = cycles(blocking, target) * steps + overhead(blocking, target)
    }
    if isCopied {
      // A copy that is there before the run costs it nothing; one that no cache holds goes to memory and back.
      let size = fold.body.instructions[column].dtype.byteCount
      let copies = Double(extent) * steps
      let isFar = copies * Double(size) > Double(target.secondLevelCacheBytes)
      cost += copies * ((columnStride == 1 ? 0.5 : 1) + (isFar ? 1.5 : 0))
    }
    // Lanes that lie apart are read and written one by one, each in a line of its own; few lines stay in the cache
    // until the next rows come to them.
    let reuses = rows.first.map(isContiguous) ?? false && extent <= 2 * lanes
    cost += Double(apart) * Double(kernel.points(kernel.outer)) * (reuses ? 4 : 12)
    return cost
  }

  /// How many times as long the products take because the lines of the columns, where they lie, do not stay in the
  /// first-level cache beside those of the rows.
  private func columnDistance(_ tile: RegisterTile, _ target: Target) -> Double {
    let width = tile.vectors * lanes * fold.body.instructions[column].dtype.byteCount
    let lines = stepCount * ceilingQuotient(width, 64)
    // Steps that follow each other without a gap lie as they would in a copy.
    guard lines * 64 >= target.firstLevelCacheBytes / 2, columnStep > width else { return 1 }
    // Of what lies across two lines, both are read.
    return width % 64 == 0 ? 1.05 : 1.2
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
