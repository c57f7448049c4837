import GraphIR
import LoopIR

/// Folds over long columns: memory is read in its order, some rows at a time, and what is folded so far stays in
/// scratch, as a row of results.
extension NestEmitter {
  /// Folds the first stages over all rows, then runs the other stages.
  func foldRows(_ start: LoopIndex, _ tile: Tile) throws(Diagnostic) {
    let depth = plan.loops.count - 1
    try loop(depth, from: start, tile) { tile throws(Diagnostic) in
      for point in points(of: tile) {
        for (stage, memory) in zip(kernel.stages, sums) {
          guard case .fold(let function, _) = stage.kind else { continue }
          let type = LoopType(stage.foldedType, lanes: plan.lanes)
          let identity = builder.define(.constant(function.identity(type.dtype)), type)
          builder.store(identity, sum(memory, point))
        }
      }
    }
    try rows(kernel.stages[0].folded, Point()) { rows throws(Diagnostic) in
      try loop(depth, from: start, tile) { tile throws(Diagnostic) in
        for point in points(of: tile) {
          for (stage, memory) in zip(kernel.stages, sums) { try fold(stage, memory, rows, point) }
        }
      }
    }
    try loop(depth, from: start, tile) { tile throws(Diagnostic) in
      var points = points(of: tile)
      for (stage, memory) in zip(kernel.stages, sums) {
        let type = LoopType(stage.foldedType, lanes: plan.lanes)
        let values = points.map { builder.define(.load(sum(memory, $0)), type) }
        try stages.finish(values, stage, &points)
      }
      for place in kernel.stages.indices.dropFirst(plan.rowFolds) {
        try stages.emit(kernel.stages[place], plan.stages[place], &points)
      }
    }
  }

  /// Where a vector of results so far lies.
  private func sum(_ memory: Int, _ point: Point) -> LoopAccess {
    LoopAccess(memory: memory, offset: plan.vector.flatMap { point.counters[$0] } ?? 0)
  }

  /// Adds some rows to one vector of results.
  private func fold(
    _ stage: KernelStage, _ memory: Int, _ rows: [Point], _ point: Point
  ) throws(Diagnostic) {
    guard case .fold(let function, _) = stage.kind else { return }
    let place = sum(memory, point)
    var value = builder.define(.load(place), LoopType(stage.foldedType, lanes: plan.lanes))
    for row in rows {
      value = try stages.combined(stage, function, point.moved(to: row), value, masked: nil)
    }
    builder.store(value, place)
  }

  /// Runs loops over folded dimensions; the body gets the counters of some neighbours of the last one.
  private func rows(
    _ dimensions: [DimensionID], _ point: Point, _ body: ([Point]) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    guard let id = dimensions.first else { return try body([point]) }
    func some(_ first: LoopIndex, _ count: Int) -> [Point] {
      (0..<count).map { step in
        var moved = point
        moved.counters[id] = first + LoopIndex(constant: step)
        return moved
      }
    }
    let extent = kernel.extent(id)
    let step = dimensions.count == 1 ? plan.rowsAtOnce : 1
    let full = extent / step * step
    let start = fault == .scheduleWrongReductionStart && extent > step ? step : 0
    try builder.loop(
      kernel.dimensions[id.index].name, from: LoopIndex(constant: start),
      to: LoopIndex(constant: full), step: step
    ) { counter throws(Diagnostic) in
      if dimensions.count == 1 { return try body(some(counter, step)) }
      try rows(Array(dimensions.dropFirst()), some(counter, 1)[0], body)
    }
    if full < extent { try body(some(LoopIndex(constant: full), extent - full)) }
  }
}
