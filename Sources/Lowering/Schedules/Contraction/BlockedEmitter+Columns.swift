import GraphIR
import LoopIR

/// The columns of a block: in panels that lie copied, in a panel that the task copies for each block of the reduction,
/// or where they are.
///
/// A panel is read many times from the first-level cache, while the column factor's own rows may lie in as many pages.
extension BlockedEmitter {
  /// The columns that the tiles of rows are multiplied with.
  struct Columns {
    /// The first one's place in the panels; where they are read in place, 0.
    var place: LoopIndex = 0
    /// Where they are read in place: the counters of the first one, and how many there are.
    var point = Point()
    var count: Int
  }

  /// Emits what is done with a panel's columns in a block of the reduction.
  func withColumns(
    _ block: Block, _ part: Part, _ panel: LoopIndex, _ first: LoopIndex,
    _ inside: (Columns) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    switch blocking.columns {
    case .packedFirst:
      var place: LoopIndex = 0
      for id in panelBatch { place = place * kernel.extent(id) + (block.counters[id] ?? 0) }
      place = place * panelCount + panel
      try inside(Columns(place: (place * stepCount + first) * width, count: width))
    case .packedByTask:
      try byWidth(panel) { panel, columns throws(Diagnostic) in
        try copyPanel(block, part, panel, columns)
      }
      try inside(Columns(count: width))
    case .inPlace:
      var point = Point(counters: block.counters)
      for (id, place) in zip(runs, split(part.run, runs.map(kernel.extent))) {
        point.counters[id] = place
      }
      try byWidth(panel) { panel, count throws(Diagnostic) in
        point.counters[vector] = panel * width
        try inside(Columns(point: point, count: count))
      }
    }
  }

  /// Emits what depends on how many columns a panel has: all, or those that are left for the last.
  private func byWidth(
    _ panel: LoopIndex, _ inside: (LoopIndex, Int) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let rest = extent % width
    guard rest > 0 else { return try inside(panel, width) }
    if panelCount == 1 { return try inside(panel, rest) }
    let own = builder.define(.index(panel), LoopType(.i64))
    let last = builder.define(.constant(UInt64(panelCount - 1)), LoopType(.i64))
    let isWhole = builder.define(.compare(.less, own, last), LoopType(.bool))
    try builder.conditional(
      isWhole,
      then: { () throws(Diagnostic) in
        try inside(bounded(panel, below: panelCount - 1), width)
      },
      otherwise: { () throws(Diagnostic) in
        try inside(LoopIndex(constant: panelCount - 1), rest)
      })
  }

  /// The vectors of columns at a step of a block of the reduction.
  func vectors(
    of columns: Columns, _ part: Part, at step: LoopIndex
  ) throws(Diagnostic) -> [RegisterID] {
    var vectors: [RegisterID] = []
    for start in stride(from: 0, to: width, by: lanes) {
      if let panels {
        let offset = columns.place + step * width + LoopIndex(constant: start)
        let access = LoopAccess(memory: panels, offset: offset)
        vectors.append(builder.define(.load(access), LoopType(dtype, lanes: lanes)))
      } else if start < columns.count {
        var point = columns.point
        point.counters[self.step] = part.step + step
        let active = min(lanes, columns.count - start)
        point.counters[vector] = (point.counters[vector] ?? 0) + LoopIndex(constant: start)
        point.vector = VectorDimension(
          id: vector, lanes: lanes, active: active == lanes ? nil : active)
        let values = try body.emit(columnFactor, at: point)
        vectors.append(body.widen(values[values.count - 1], to: lanes))
      }
    }
    return vectors
  }

  /// Emits the copy of the first columns of a panel; what lies beyond them is not used.
  private func copyPanel(
    _ block: Block, _ part: Part, _ panel: LoopIndex, _ columns: Int
  ) throws(Diagnostic) {
    try forEachRun(part, block.counters) { place, counters throws(Diagnostic) in
      try builder.loop("step", to: LoopIndex(constant: part.steps), unroll: 2) {
        step throws(Diagnostic) in
        var point = Point(counters: counters)
        point.counters[self.step] = part.step + step
        for start in stride(from: 0, to: columns, by: lanes) {
          let active = min(lanes, columns - start)
          point.counters[vector] = panel * width + LoopIndex(constant: start)
          point.vector = VectorDimension(
            id: vector, lanes: lanes, active: active == lanes ? nil : active)
          let values = try body.emit(columnFactor, at: point)
          let value = body.widen(values[values.count - 1], to: lanes)
          let offset = (place + step) * width + LoopIndex(constant: start)
          if let panels { builder.store(value, LoopAccess(memory: panels, offset: offset)) }
        }
      }
    }
  }

  /// Asks for a tile's share of the next panel that lies copied, and for some of what follows that.
  func askAhead(_ part: Part, _ columns: Columns, _ slot: LoopIndex, _ step: LoopIndex) {
    guard let panels else { return }
    let share = ceilingQuotient(part.count * width, blocking.groups * blocking.tiles)
    let next = columns.place + slot * share + LoopIndex(constant: stepCount * width)
    builder.prefetch(panels, next + step * (width / 4))
  }

  /// Asks for a tile's share of the lines of the next panel that the task copies: of the same block of the reduction, or
  /// the first one of the next.
  func askAhead(
    _ block: Block, _ part: Part, panel: LoopIndex, slot: LoopIndex
  ) throws(Diagnostic) {
    let share = ceilingQuotient(part.count, blocking.groups * blocking.tiles)
    let isNextPart = builder.quotient(panel + 1, blocking.panels)
    let next = block.panel + builder.remainder(panel + 1, blocking.panels)
    let line = max(1, VectorChoice.lineBytes / dtype.byteCount)
    try builder.loop("ahead", to: LoopIndex(constant: share)) { number throws(Diagnostic) in
      let counters = counters(
        block.counters, part, at: slot * share + number, blocksLater: isNextPart)
      for start in stride(from: 0, to: width, by: line) {
        var point = Point(counters: counters)
        point.counters[vector] = next * width + LoopIndex(constant: start)
        body.prefetch(columnFactor, at: point)
      }
    }
  }
}

extension BodyEmitter {
  /// Asks for what a body loads at a point.
  func prefetch(_ body: ScalarBody, at point: Point) {
    let indices = IndexEmitter(builder: builder, point: point, values: [])
    for instruction in body.instructions {
      guard case .load(.parameter(let place), let index, _) = instruction.operation else {
        continue
      }
      builder.prefetch(place, indices.evaluate(index[0]).base)
    }
  }
}
