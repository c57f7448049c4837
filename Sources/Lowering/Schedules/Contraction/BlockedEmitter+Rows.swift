import GraphIR
import LoopIR

/// The copy of a block's rows, made anew for each block of the reduction, or of all rows by a phase of its own.
///
/// In a tile each row's steps lie one after the other, or each step's rows, whichever lie next to each other in the
/// factor's memory. Rows beyond the last hold anything: their sums are not used. The copy is written from front to
/// back in whole vectors; what one writes beyond its end, the next overwrites, and each tile has room behind it.
extension BlockedEmitter {
  /// Emits the phase that copies all rows: a task for each block of the reduction.
  func copyAllRows() throws(Diagnostic) {
    var whole = self
    (whole.blocking.groups, whole.blocking.tiles) = (groupCount, tileCount)
    let counts =
      rowBatch.map(kernel.extent) + [
        ceilingQuotient(runCount, blocking.runs), ceilingQuotient(runLength, blocking.steps),
      ]
    let taskCount = counts.reduce(1, *)
    let elements = groupCount * rowExtent * blocking.runs * blocking.steps
    try builder.phase(taskCount: taskCount, workPerTask: elements) { task throws(Diagnostic) in
      let places = split(task, counts)
      var block = Block()
      for (id, place) in zip(rowBatch, places) { block.counters[id] = place }
      try atPart(places[rowBatch.count], of: runCount, blocking.runs) {
        run, runs throws(Diagnostic) in
        try atPart(places[rowBatch.count + 1], of: runLength, blocking.steps) {
          step, steps throws(Diagnostic) in
          try whole.copy(block, part(run, runs, step, steps))
        }
      }
    }
  }

  /// Emits what is done for one part of a size, or for what is left behind all of that size.
  private func atPart(
    _ number: LoopIndex, of count: Int, _ size: Int,
    _ inside: (Count, Int) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let (whole, rest) = (count / size, count % size)
    let last = Count(number: LoopIndex(constant: whole), first: LoopIndex(constant: whole * size))
    if whole == 0 { return try inside(last, rest) }
    let own = bounded(number, below: whole)
    let part = Count(number: own, first: own * size)
    guard rest > 0 else { return try inside(part, size) }
    let type = LoopType(.i64)
    let place = builder.define(.index(number), type)
    let limit = builder.define(.constant(UInt64(whole)), type)
    let condition = builder.define(.compare(.less, place, limit), LoopType(.bool))
    try builder.conditional(
      condition, then: { () throws(Diagnostic) in try inside(part, size) },
      otherwise: { () throws(Diagnostic) in try inside(last, rest) })
  }

  /// Where a tile of a block lies in the copy.
  func tilePlace(
    _ block: Block, _ part: Part, _ group: LoopIndex, _ tile: LoopIndex
  ) -> LoopIndex {
    guard blocking.copiesRowsFirst else {
      return (group * blocking.tiles + tile) * blocking.tileSize(lanes)
    }
    var place: LoopIndex = 0
    for id in rowBatch { place = place * kernel.extent(id) + (block.counters[id] ?? 0) }
    place = place * blocking.parts(runCount, runLength) + part.number
    place = place * groupCount + bounded(block.group + group, below: groupCount)
    place = place * tileCount + bounded(block.tile + tile, below: tileCount)
    return place * blocking.tileSize(lanes)
  }

  /// Emits the copy of a block's rows.
  func copy(_ block: Block, _ part: Part) throws(Diagnostic) {
    try forEachGroup(block) { group, counters throws(Diagnostic) in
      let base = tilePlace(block, part, group, 0)
      if blocking.copiesRows {
        try copyAlongRows(block, part, counters, base)
      } else {
        try copyAlongSteps(block, part, counters, base)
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
      let base = first + tile * blocking.tileSize(lanes)
      let source = bounded(block.tile + tile, below: tileCount) * blocking.rows
      try builder.loop("row", to: LoopIndex(constant: blocking.rows)) { row throws(Diagnostic) in
        var counters = counters
        counters[self.row] = bounded(source + row, below: rowExtent)
        try forEachRun(part, counters) { place, counters throws(Diagnostic) in
          try checkingOnce(counters) { holding throws(Diagnostic) in
            try copyRun(part, counters, holding) { base + blocking.place(row, place + $0) }
          }
        }
      }
    }
  }

  /// Emits what is done for a run: where its guards hold, and where they may not.
  private func checkingOnce(
    _ counters: [DimensionID: LoopIndex],
    _ inside: (Set<IndexGuard>) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let guards = factor.guards(unchangedAlong: [step])
    let stages = StageEmitter(body: body, varyingLocals: [], fault: nil)
    guard let condition = stages.conjunction(guards, [Point(counters: counters)]) else {
      return try inside([])
    }
    try builder.conditional(
      condition, then: { () throws(Diagnostic) in try inside(guards) },
      otherwise: { () throws(Diagnostic) in try inside([]) })
  }

  /// Copies the steps of a run to their places.
  private func copyRun(
    _ part: Part, _ counters: [DimensionID: LoopIndex], _ holding: Set<IndexGuard>,
    to place: (LoopIndex) -> LoopIndex
  ) throws(Diagnostic) {
    let whole = part.steps / lanes * lanes
    func copy(_ step: LoopIndex, _ active: Int?) throws(Diagnostic) {
      var point = Point(counters: counters)
      point.counters[self.step] = part.step + step
      point.vector = VectorDimension(id: self.step, lanes: lanes, active: active)
      point.holding = holding
      try store(point, at: place(step))
    }
    try builder.loop("step", to: LoopIndex(constant: whole), step: lanes, unroll: 4) {
      step throws(Diagnostic) in try copy(step, nil)
    }
    if whole < part.steps { try copy(LoopIndex(constant: whole), part.steps - whole) }
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
          let base = first + slot * blocking.tileSize(lanes)
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
          try copy(source, at: tile, blocking.rows)
        }
        guard rest > 0 else { return }
        try inLastBlock(block.tile, tileCount, blocking.tiles) { () throws(Diagnostic) in
          try copy(
            LoopIndex(constant: whole), at: LoopIndex(constant: whole % blocking.tiles), rest)
        }
      }
    }
  }

  /// Whether tiles ask for the rows that are copied next.
  ///
  /// Rows from beyond the second-level cache keep the copy waiting otherwise. Few tiles would take long to ask.
  var asksForRows: Bool {
    blocking.copiesRows && !blocking.copiesRowsFirst && blocking.hasFarRows
      && 2 * blocking.panels * blocking.tiles >= blocking.runs * blocking.steps
  }

  /// Asks for a tile's share of the rows of the next block of the reduction.
  func askAhead(
    _ block: Block, _ part: Part, _ panel: LoopIndex, _ group: LoopIndex, _ tile: LoopIndex
  ) throws(Diagnostic) {
    var counters = block.counters
    let place = bounded(block.group + group, below: groupCount)
    for (id, place) in zip(groups, split(place, groups.map(kernel.extent))) {
      counters[id] = place
    }
    let share = ceilingQuotient(part.count, blocking.panels * blocking.tiles)
    let line = max(1, VectorChoice.lineBytes / dtype.byteCount)
    try builder.loop("ahead", to: LoopIndex(constant: share)) { number throws(Diagnostic) in
      let ahead = bounded(
        (panel * blocking.tiles + tile) * share + number, below: part.count)
      counters = self.counters(counters, part, at: ahead, blocksLater: 1)
      try builder.loop("line", to: LoopIndex(constant: blockRows), step: line) {
        row throws(Diagnostic) in
        counters[self.row] = block.tile * blocking.rows + row
        prefetch(Point(counters: counters))
      }
    }
  }

  /// The counters of a point so many steps after the first of a block of the reduction, or of a later block.
  func counters(
    _ counters: [DimensionID: LoopIndex], _ part: Part, at number: LoopIndex,
    blocksLater: LoopIndex
  ) -> [DimensionID: LoopIndex] {
    var counters = counters
    let places = split(number, [part.runs, part.steps])
    let cutsRuns = runLength > blocking.steps
    let run = part.run + places[0] + blocksLater * (cutsRuns ? 0 : part.runs)
    for (id, place) in zip(runs, split(bounded(run, below: runCount), runs.map(kernel.extent))) {
      counters[id] = place
    }
    counters[step] = part.step + places[1] + blocksLater * (cutsRuns ? part.steps : 0)
    return counters
  }

  /// Asks for the row factor at a point.
  private func prefetch(_ point: Point) { body.prefetch(factor, at: point) }

  /// Copies the row factor at a vector of points.
  private func store(_ point: Point, at place: LoopIndex) throws(Diagnostic) {
    let values = try body.emit(factor, at: point)
    let value = body.widen(values[values.count - 1], to: lanes)
    if let copies { builder.store(value, LoopAccess(memory: copies, offset: place)) }
  }
}
