import GraphIR
import LoopIR

/// The copy of a block's rows, made anew for each block of the reduction.
///
/// In a tile each row's steps lie one after the other, or each step's rows, whichever lie next to each other in the
/// factor's memory. Rows beyond the last hold anything: their sums are not used. The copy is written from front to
/// back in whole vectors; what one writes beyond its end, the next overwrites, and each tile has room behind it.
extension BlockedEmitter {
  /// Emits the copy.
  func copy(_ block: Block, _ part: Part) throws(Diagnostic) {
    try forEachGroup(block) { group, counters throws(Diagnostic) in
      let tile = group * blocking.tiles
      if blocking.copiesRows {
        try copyAlongRows(block, part, counters, tile)
      } else {
        try copyAlongSteps(block, part, counters, tile)
      }
    }
  }

  /// Emits what is done for each run of a part: with its first step's place in the part, and its counters.
  func forEachRun(
    _ part: Part, _ counters: [DimensionID: LoopIndex],
    _ inside: (LoopIndex, [DimensionID: LoopIndex]) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    try builder.loop("run", to: LoopIndex(constant: part.runs)) { run throws(Diagnostic) in
      var counters = counters
      for (id, place) in zip(runs, split(part.run + run, runs.map(kernel.extent))) {
        counters[id] = place
      }
      try inside(run * part.steps, counters)
    }
  }

  private func copyAlongSteps(
    _ block: Block, _ part: Part, _ counters: [DimensionID: LoopIndex], _ first: LoopIndex
  ) throws(Diagnostic) {
    let tiles = count(from: block.tile, to: tileCount, most: blocking.tiles)
    try builder.loop("tile", to: tiles) { tile throws(Diagnostic) in
      let base = (first + tile) * blocking.tileSize(lanes)
      let source = bounded(block.tile + tile, below: tileCount) * blocking.rows
      try builder.loop("row", to: LoopIndex(constant: blocking.rows)) { row throws(Diagnostic) in
        var counters = counters
        counters[self.row] = bounded(source + row, below: rowExtent)
        try forEachRun(part, counters) { place, counters throws(Diagnostic) in
          let whole = part.steps / lanes * lanes
          func copy(_ step: LoopIndex, _ active: Int?) throws(Diagnostic) {
            var point = Point(counters: counters)
            point.counters[self.step] = part.step + step
            point.vector = VectorDimension(id: self.step, lanes: lanes, active: active)
            try store(point, at: base + blocking.place(row, place + step))
          }
          try builder.loop("step", to: LoopIndex(constant: whole), step: lanes, unroll: 4) {
            step throws(Diagnostic) in try copy(step, nil)
          }
          if whole < part.steps { try copy(LoopIndex(constant: whole), part.steps - whole) }
        }
      }
    }
  }

  private func copyAlongRows(
    _ block: Block, _ part: Part, _ counters: [DimensionID: LoopIndex], _ first: LoopIndex
  ) throws(Diagnostic) {
    let whole = rowExtent / blocking.rows
    let rest = rowExtent % blocking.rows
    let tiles = count(from: block.tile, to: whole, most: blocking.tiles)
    try forEachRun(part, counters) { place, counters throws(Diagnostic) in
      try builder.loop("step", to: LoopIndex(constant: part.steps)) { step throws(Diagnostic) in
        var counters = counters
        counters[self.step] = part.step + step
        func copy(_ tile: LoopIndex, at slot: LoopIndex, _ count: Int) throws(Diagnostic) {
          let base = slot * blocking.tileSize(lanes)
          // The steps lie far apart: what comes a few later is asked for.
          var later = counters
          later[self.step] = part.step + step + LoopIndex(constant: 8)
          later[self.row] = tile * blocking.rows
          prefetch(Point(counters: later))
          for row in Swift.stride(from: 0, to: count, by: lanes) {
            var point = Point(counters: counters)
            point.counters[self.row] = tile * blocking.rows + LoopIndex(constant: row)
            let active = count - row < lanes ? count - row : nil
            point.vector = VectorDimension(id: self.row, lanes: lanes, active: active)
            try store(point, at: base + blocking.place(LoopIndex(constant: row), place + step))
          }
        }
        try builder.loop("tile", to: tiles) { tile throws(Diagnostic) in
          let source = bounded(block.tile + tile, below: max(whole, 1))
          try copy(source, at: first + tile, blocking.rows)
        }
        guard rest > 0 else { return }
        try inLastBlock(block.tile, tileCount, blocking.tiles) { () throws(Diagnostic) in
          try copy(
            LoopIndex(constant: whole), at: first + LoopIndex(constant: whole % blocking.tiles),
            rest)
        }
      }
    }
  }

  /// Asks for the row factor at a point.
  private func prefetch(_ point: Point) { body.prefetch(factor, at: point) }

  /// Copies the row factor at a vector of points.
  private func store(_ point: Point, at place: LoopIndex) throws(Diagnostic) {
    let values = try body.emit(factor, at: point)
    let value = body.widen(values[values.count - 1], to: lanes)
    builder.store(value, LoopAccess(memory: copies, offset: place))
  }
}
