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
          builder.store(identity, sum(memory, point, tile))
        }
      }
    }
    let over = plan.stages[0].folded
    try rows(Array(over.dropLast(plan.foldsInRow)), Point()) { rows throws(Diagnostic) in
      try loop(depth, from: start, tile) { tile throws(Diagnostic) in
        for (stage, memory) in zip(kernel.stages, sums) {
          if plan.foldsInRow > 0 {
            try fold(stage, Array(over.suffix(plan.foldsInRow)), memory, rows, tile)
          } else {
            for point in points(of: tile) { try fold(stage, memory, rows, point, tile) }
          }
        }
      }
    }
    try loop(depth, from: start, tile) { tile throws(Diagnostic) in
      var points = points(of: tile)
      for (stage, memory) in zip(kernel.stages, sums) {
        let type = LoopType(stage.foldedType, lanes: plan.lanes)
        let values = points.map { builder.define(.load(sum(memory, $0, tile)), type) }
        try stages.finish(values, stage, &points)
      }
      for place in kernel.stages.indices.dropFirst(plan.rowFolds) {
        try stages.emit(kernel.stages[place], plan.stages[place], &points)
      }
    }
  }

  /// Where a vector of results so far lies: a row for each of the points beside each other across the vectors.
  private func sum(_ memory: Int, _ point: Point, _ tile: Tile) -> LoopAccess {
    guard let vector = plan.vector, let first = point.counters[vector] else {
      return LoopAccess(memory: memory, offset: 0)
    }
    let row = point.slot / ceilingQuotient(tile.sizes[vector] ?? 1, plan.lanes)
    let offset = first + LoopIndex(constant: row * (kernel.extent(vector) + plan.lanes))
    return LoopAccess(memory: memory, offset: offset)
  }

  /// Adds some rows to one vector of results.
  private func fold(
    _ stage: KernelStage, _ memory: Int, _ rows: [Point], _ point: Point, _ tile: Tile
  ) throws(Diagnostic) {
    guard case .fold(let function, _) = stage.kind else { return }
    let place = sum(memory, point, tile)
    var value = builder.define(.load(place), LoopType(stage.foldedType, lanes: plan.lanes))
    for row in rows {
      value = try stages.combined(stage, function, point.moved(to: row), value, masked: nil)
    }
    builder.store(value, place)
  }

  /// Adds the steps within rows to the results of a tile.
  private func fold(
    _ stage: KernelStage, _ steps: [DimensionID], _ memory: Int, _ rows: [Point], _ tile: Tile
  ) throws(Diagnostic) {
    guard case .fold(let function, _) = stage.kind else { return }
    var own = plan.stages[0]
    own.folded = steps
    let type = LoopType(stage.foldedType, lanes: plan.lanes)
    for row in rows {
      let points = points(of: tile).map { $0.moved(to: row) }
      let places = points.map { sum(memory, $0, tile) }
      let values = places.map { builder.define(.load($0), type) }
      let sums = try stages.accumulate(stage, own, function, points, onto: values)
      for (value, place) in zip(sums, places) { builder.store(value, place) }
    }
  }

  /// Runs loops over folded dimensions; the body gets the counters of some neighbours of the last one.
  private func rows(
    _ dimensions: [DimensionID], _ point: Point, _ body: ([Point]) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    guard let id = dimensions.first else { return try body([point]) }
    func some(_ first: LoopIndex, _ count: Int, _ distance: Int) -> [Point] {
      (0..<count).map { step in
        var moved = point
        moved.counters[id] = first + LoopIndex(constant: step * distance)
        return moved
      }
    }
    func inside(_ first: LoopIndex, _ count: Int, _ distance: Int = 1) throws(Diagnostic) {
      let points = some(first, count, distance)
      if dimensions.count == 1 { return try body(points) }
      try rows(Array(dimensions.dropFirst()), points[0], body)
    }
    let extent = kernel.extent(id)
    let step = dimensions.count == 1 ? plan.rowsAtOnce : 1
    let full = extent / step * step
    let distance = plan.rowsAreFar ? extent / step : 1
    let stride = plan.rowsAreFar ? 1 : step
    let start = fault == .scheduleWrongReductionStart && extent > step ? stride : 0
    try builder.loop(
      kernel.dimensions[id.index].name, from: LoopIndex(constant: start),
      to: LoopIndex(constant: plan.rowsAreFar ? distance : full), step: stride
    ) { counter throws(Diagnostic) in
      try inside(counter, step, distance)
    }
    if full < extent { try inside(LoopIndex(constant: full), extent - full) }
  }
}
