import GraphIR
import LoopIR

/// What becomes of a block's sums.
extension BlockedEmitter {
  /// Runs the stages after the sums for the results of a block.
  func finish(_ block: Block) throws(Diagnostic) {
    let first = block.tile * blocking.rows
    let rows = count(from: first, to: rowExtent, most: blockRows)
    let whole = count(from: block.panel, to: extent / width, most: blocking.panels)
    try forEachGroup(block) { group, counters throws(Diagnostic) in
      try builder.loop("row", to: rows) { row throws(Diagnostic) in
        var point = Point(counters: counters)
        point.counters[self.row] = bounded(first + row, below: rowExtent)
        let slot = group * blockRows + row
        try builder.loop("panel", to: whole) { panel throws(Diagnostic) in
          let column = bounded((block.panel + panel) * width, below: extent - width + 1)
          try finish(point, column, sumsAt: sumPlace(panel: panel, row: slot), width)
        }
        let rest = extent % width
        guard rest > 0, fault != .scheduleSkipsTail else { return }
        let last = panelCount - 1
        try inLastBlock(block.panel, panelCount, blocking.panels) { () throws(Diagnostic) in
          let panel = LoopIndex(constant: last % blocking.panels)
          try finish(
            point, LoopIndex(constant: last * width), sumsAt: sumPlace(panel: panel, row: slot),
            rest)
        }
      }
    }
  }

  /// Asks for what the stages after the sums read at the points of a tile, once the last products are added.
  func askForOperands(
    _ block: Block, _ part: Part, _ panel: LoopIndex, _ group: LoopIndex, _ tile: LoopIndex
  ) throws(Diagnostic) {
    if blocking.askedFor.isEmpty { return }
    try inLastBlock(part.number, blocking.parts(runCount, runLength), 1) { () throws(Diagnostic) in
      var point = Point(counters: block.counters)
      let place = bounded(block.group + group, below: groupCount)
      for (id, place) in zip(groups, split(place, groups.map(kernel.extent))) {
        point.counters[id] = place
      }
      let points = (0..<blocking.rows).flatMap { row in
        stride(from: 0, to: width, by: lanes).map { column in
          var moved = point
          moved.counters[self.row] =
            (block.tile + tile) * blocking.rows + LoopIndex(constant: row)
          moved.counters[vector] = panel * width + LoopIndex(constant: column)
          moved.vector = VectorDimension(id: vector, lanes: lanes)
          return moved
        }
      }
      body.ask(for: blocking.askedFor, at: points)
    }
  }

  private func finish(
    _ point: Point, _ column: LoopIndex, sumsAt base: LoopIndex, _ size: Int
  ) throws(Diagnostic) {
    let type = LoopType(dtype, lanes: lanes)
    let stages = StageEmitter(
      body: body, varyingLocals: kernel.varyingLocals(with: vector), fault: nil)
    var points: [Point] = []
    for start in stride(from: 0, to: size, by: lanes) {
      var moved = point
      let active = min(lanes, size - start)
      moved.counters[vector] = column + LoopIndex(constant: start)
      moved.vector = VectorDimension(
        id: vector, lanes: lanes, active: active == lanes ? nil : active)
      let offset = base + LoopIndex(constant: start)
      let sum = builder.define(.load(LoopAccess(memory: sums, offset: offset)), type)
      let fold = kernel.stages[0]
      if case .local(let place) = fold.target {
        moved.locals[place] = body.convert(sum, to: kernel.locals[place].type.dtype)
      } else {
        try body.store(sum, to: fold.target, at: fold.index[0], moved)
      }
      points.append(moved)
    }
    for stage in kernel.stages.dropFirst() {
      try stages.emit(stage, StagePlan(), &points)
    }
  }
}
