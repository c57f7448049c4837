import GraphIR
import LoopIR

/// The copy of a panel, made by the task that needs it, for each block of the reduction.
///
/// It is read many times from the first-level cache, while the column factor's own rows may lie in as many pages.
extension BlockedEmitter {
  /// Emits the copy of a panel's part.
  func copyPanel(_ block: Block, _ part: Part, _ panel: LoopIndex) throws(Diagnostic) {
    let rest = extent % width
    guard rest > 0 else { return try copyPanel(block, part, panel, width) }
    if panelCount == 1 { return try copyPanel(block, part, panel, rest) }
    let own = builder.define(.index(panel), LoopType(.i64))
    let last = builder.define(.constant(UInt64(panelCount - 1)), LoopType(.i64))
    let isWhole = builder.define(.compare(.less, own, last), LoopType(.bool))
    try builder.conditional(
      isWhole,
      then: { () throws(Diagnostic) in
        try copyPanel(block, part, bounded(panel, below: panelCount - 1), width)
      },
      otherwise: { () throws(Diagnostic) in
        try copyPanel(block, part, LoopIndex(constant: panelCount - 1), rest)
      })
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
          builder.store(value, LoopAccess(memory: panels, offset: offset))
        }
      }
    }
  }

  /// Asks for a tile's share of the lines of the next panel.
  func askAhead(
    _ block: Block, _ part: Part, _ panel: LoopIndex, _ slot: LoopIndex
  ) throws(Diagnostic) {
    let share = ceilingQuotient(part.count, blocking.groups * blocking.tiles)
    try builder.loop("ahead", to: LoopIndex(constant: share)) { number throws(Diagnostic) in
      let places = split(slot * share + number, [part.runs, part.steps])
      var point = Point(counters: block.counters)
      for (id, place) in zip(runs, split(part.run + places[0], runs.map(kernel.extent))) {
        point.counters[id] = place
      }
      point.counters[step] = part.step + places[1]
      point.counters[vector] = (panel + 1) * width
      body.prefetch(columnFactor, at: point)
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
