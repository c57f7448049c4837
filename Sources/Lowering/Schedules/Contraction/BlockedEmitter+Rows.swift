import GraphIR
import LoopIR

/// The copy of the row factor, made by a phase of its own.
///
/// It is laid out in blocks of the reduction, and in these in tiles of rows: in a tile each row's steps one after
/// the other, or each step's rows, whichever lie next to each other in the factor's memory. Rows beyond the last
/// repeat it: their sums are not used.
extension BlockedEmitter {
  /// The elements of a tile in the copy.
  var tileSize: Int { blocking.rows * blocking.steps }

  /// The place of a block's tile in the copy.
  func tilePlace(
    _ counters: [DimensionID: LoopIndex], block: LoopIndex, _ tile: LoopIndex
  ) -> LoopIndex {
    var place: LoopIndex = 0
    for id in rowBatch { place = place * kernel.extent(id) + (counters[id] ?? 0) }
    return ((place * stepBlocks + block) * tileCount + tile) * tileSize
  }

  /// The place of an element in a tile.
  func place(_ row: Int, _ step: LoopIndex) -> LoopIndex {
    if blocking.copiesRows { return step * blocking.rows + LoopIndex(constant: row) }
    return step + LoopIndex(constant: row * blocking.steps)
  }

  /// What one task copies: a block of the reduction, for some tiles.
  private struct Part {
    var counters: [DimensionID: LoopIndex] = [:]
    var block: LoopIndex = 0
    /// The first step of the block, and the number of its steps.
    var first: LoopIndex = 0
    var steps: LoopIndex = 0
    var tile: LoopIndex = 0
  }

  /// The tiles that one task copies: rows enough to read long pieces of memory.
  private var partTiles: Int { min(tileCount, max(64, ceilingQuotient(tileCount, 8))) }

  /// Emits the phase.
  func copy() throws(Diagnostic) {
    let counts =
      rowBatch.map(kernel.extent) + [stepBlocks, ceilingQuotient(tileCount, partTiles)]
    let taskCount = counts.reduce(1, *)
    try builder.phase(taskCount: taskCount, workPerTask: partTiles * tileSize) {
      task throws(Diagnostic) in
      let places = split(task, counts)
      var part = Part()
      for (id, place) in zip(rowBatch, places) { part.counters[id] = place }
      part.block = places[rowBatch.count]
      part.first = part.block * blocking.steps
      part.steps = count(from: part.first, to: stepCount, most: blocking.steps)
      part.tile = places[rowBatch.count + 1] * partTiles
      if blocking.copiesRows { try copyAlongRows(part) } else { try copyAlongSteps(part) }
    }
  }

  private func copyAlongSteps(_ part: Part) throws(Diagnostic) {
    let tiles = count(from: part.tile, to: tileCount, most: partTiles)
    let whole = builder.quotient(part.steps, lanes) * lanes
    let rest = stepCount % lanes
    try builder.loop("tile", to: tiles) { tile throws(Diagnostic) in
      let tile = bounded(part.tile + tile, below: tileCount)
      let base = tilePlace(part.counters, block: part.block, tile)
      for row in 0..<blocking.rows {
        var point = Point(counters: part.counters)
        let source = tile * blocking.rows + LoopIndex(constant: row)
        point.counters[self.row] = bounded(source, below: rowCount)
        // Several vectors share the check of where they end.
        let wide = builder.quotient(part.steps, 4 * lanes) * (4 * lanes)
        for (start, end, vectors) in [(0, wide, 4), (wide, whole, 1)] {
          let size = vectors * lanes
          try builder.loop("step", from: start, to: end, step: size) { step throws(Diagnostic) in
            let source = bounded(part.first + step, below: stepCount - size + 1)
            point.vector = VectorDimension(id: self.step, lanes: lanes, active: nil)
            for vector in 0..<vectors {
              let offset = LoopIndex(constant: vector * lanes)
              point.counters[self.step] = source + offset
              try store(point, at: base + place(row, step + offset))
            }
          }
        }
        guard rest > 0 else { continue }
        try inLastBlock(part.first, stepCount, blocking.steps) { () throws(Diagnostic) in
          let last = LoopIndex(constant: stepCount - rest)
          point.counters[self.step] = last
          point.vector = VectorDimension(id: self.step, lanes: lanes, active: rest)
          let local = last - LoopIndex(constant: (stepBlocks - 1) * blocking.steps)
          try store(point, at: base + place(row, local))
        }
      }
    }
  }

  private func copyAlongRows(_ part: Part) throws(Diagnostic) {
    // Vectors as long as they divide a tile, so that no tail is left in one.
    var wide = lanes
    while blocking.rows % wide != 0 { wide /= 2 }
    let whole = rowCount / blocking.rows
    let tiles = count(from: part.tile, to: whole, most: partTiles)
    let rest = rowCount % blocking.rows
    try builder.loop("step", to: part.steps) { step throws(Diagnostic) in
      var point = Point(counters: part.counters)
      point.counters[self.step] = bounded(part.first + step, below: stepCount)
      try builder.loop("tile", to: tiles) { tile throws(Diagnostic) in
        let tile = bounded(part.tile + tile, below: whole)
        let base = tilePlace(part.counters, block: part.block, tile)
        for row in Swift.stride(from: 0, to: blocking.rows, by: wide) {
          point.counters[self.row] = tile * blocking.rows + LoopIndex(constant: row)
          point.vector =
            wide > 1 ? VectorDimension(id: self.row, lanes: wide, active: nil) : nil
          try store(point, at: base + place(row, step))
        }
      }
      guard rest > 0 else { return }
      try inLastBlock(part.tile, tileCount, partTiles) { () throws(Diagnostic) in
        point.vector = nil
        let base = tilePlace(part.counters, block: part.block, LoopIndex(constant: whole))
        for row in 0..<blocking.rows {
          let source = whole * blocking.rows + min(row, rest - 1)
          point.counters[self.row] = LoopIndex(constant: source)
          try store(point, at: base + place(row, step))
        }
      }
    }
  }

  /// Copies the row factor at a point, which may be a vector.
  private func store(_ point: Point, at place: LoopIndex) throws(Diagnostic) {
    let values = try body.emit(factor, at: point)
    let value = body.widen(values[values.count - 1], to: point.vector?.lanes ?? 1)
    builder.store(
      value, LoopAccess(memory: copies, offset: place, active: point.vector?.active))
  }
}
