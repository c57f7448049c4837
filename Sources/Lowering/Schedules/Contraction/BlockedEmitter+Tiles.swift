import GraphIR
import LoopIR

/// The tiles of rows that are multiplied with a panel: copies, or the rows where they lie.
///
/// Rows that lie next to each other, few enough to stay in the first-level cache beside a panel's columns, are read as
/// fast there as from a copy. What the next block of the reduction reads is asked for meanwhile, from front to back.
extension BlockedEmitter {
  /// The rows of a tile.
  struct Rows {
    /// Where their copy lies.
    var place: LoopIndex = 0
    /// Where they are read in place: the counters of the first one.
    var point = Point()
    /// How many there are.
    var count: Int
    /// How many tiles the block has multiplied with the rows of the same group before.
    var pass: LoopIndex = 0
  }

  /// Emits what is done for each tile of a block, with its number in a group and its rows: the last tile in place has
  /// those that are left.
  func forEachTile(
    _ block: Block, _ inside: (LoopIndex, Int) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let rest = blocking.hasRowsInPlace ? rowExtent % blocking.rows : 0
    let whole = rest > 0 ? tileCount - 1 : tileCount
    let tiles = count(from: block.tile, to: whole, most: blocking.tiles)
    try builder.loop("tile", to: tiles) { tile throws(Diagnostic) in
      try inside(tile, blocking.rows)
    }
    guard rest > 0 else { return }
    try inLastBlock(block.tile, tileCount, blocking.tiles) { () throws(Diagnostic) in
      try inside(LoopIndex(constant: whole % blocking.tiles), rest)
    }
  }

  /// The rows of a tile of a block.
  func rows(
    _ block: Block, _ part: Part, _ group: LoopIndex, _ tile: LoopIndex, _ count: Int
  ) -> Rows {
    guard blocking.hasRowsInPlace else {
      return Rows(place: tilePlace(block, part, group, tile), count: count)
    }
    var counters = block.counters
    for (id, place) in zip(runs, split(part.run, runs.map(kernel.extent))) { counters[id] = place }
    let group = bounded(block.group + group, below: groupCount)
    for (id, place) in zip(groups, split(group, groups.map(kernel.extent))) {
      counters[id] = place
    }
    let first =
      count < blocking.rows
      ? LoopIndex(constant: (tileCount - 1) * blocking.rows)
      : bounded(block.tile + tile, below: rowExtent / blocking.rows) * blocking.rows
    counters[row] = first
    return Rows(point: Point(counters: counters), count: count)
  }

  /// A row's element at a step of a block of the reduction.
  func element(
    _ number: Int, of rows: Rows, _ part: Part, at step: LoopIndex
  ) throws(Diagnostic) -> RegisterID {
    if let copies {
      let place = rows.place + blocking.place(LoopIndex(constant: number), step)
      return builder.define(.load(LoopAccess(memory: copies, offset: place)), LoopType(dtype))
    }
    var point = rows.point
    point.counters[row] = (point.counters[row] ?? 0) + LoopIndex(constant: number)
    point.counters[self.step] = part.step + step
    let values = try body.emit(factor, at: point)
    return values[values.count - 1]
  }

  /// Asks for a step's share of the tile behind one that a phase before has copied.
  func askForNextTile(_ rows: Rows, _ step: LoopIndex) {
    guard let copies else { return }
    let next = rows.place + LoopIndex(constant: blocking.tileSize(lanes))
    builder.prefetch(copies, next + step * blocking.rows)
  }

  /// Asks for a step's share of the rows and columns of the next block of the reduction.
  func askAhead(_ part: Part, _ rows: Rows, _ columns: Columns, _ step: LoopIndex) {
    let passes = blocking.panels * blocking.tiles
    func ask(_ factor: ScalarBody, _ first: Point, _ id: DimensionID) {
      var point = first
      point.counters[id] = 0
      point.counters[self.step] = part.step + LoopIndex(constant: part.steps)
      let indices = IndexEmitter(builder: builder, point: point, values: [])
      for (place, instruction) in factor.instructions.enumerated() {
        guard case .load(.parameter(let memory), let index, _) = instruction.operation,
          let stride = factor.stride(place, along: self.step), stride > 0
        else { continue }
        let share = ceilingQuotient(stride, passes)
        let offset = (rows.pass * part.steps + step) * share
        builder.prefetch(memory, indices.evaluate(index[0]).base + offset)
      }
    }
    ask(factor, rows.point, row)
    if case .inPlace = blocking.columns { ask(columnFactor, columns.point, vector) }
  }
}
