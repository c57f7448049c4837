import GraphIR
import LoopIR

/// Rows one after the other, each of which is stored while the next one is computed.
///
/// A stage of long chains keeps the arithmetic busy, one that divides and stores waits for the divider and for memory:
/// beside each other they take little longer than the longer one.
extension NestEmitter {
  /// Runs a task's innermost outer loop.
  ///
  /// - Parameter place: the stage beside which the last one runs for the row before.
  func overlapRows(
    _ start: LoopIndex, _ tile: Tile, beside place: Int
  ) throws(Diagnostic) {
    guard let loop = plan.loops.last, let last = kernel.stages.last else { return }
    let end = end(loop, start, kernel.extent(loop.id))
    let carried = carriedVariables(last)
    func row(_ counter: LoopIndex) -> Point {
      var point = Point(counters: tile.counters)
      point.counters[loop.id] = counter
      return point
    }
    func before(_ counter: LoopIndex) -> Point {
      var point = row(counter - 1)
      point.locals = carried.mapValues { builder.read($0) }
      return point
    }
    func compute(
      _ counter: LoopIndex, _ besides: ((Point) throws(Diagnostic) -> Void)?
    ) throws(Diagnostic) {
      var points = [row(counter)]
      for (stage, own) in zip(kernel.stages, plan.stages).dropLast().enumerated() {
        let inside = stage == place ? besides : nil
        try stages.emit(own.0, own.1, &points, beside: inside)
      }
      for (local, variable) in carried.sorted(by: { $0.key < $1.key }) {
        if let value = points[0].locals[local] { builder.assign(variable, value) }
      }
    }
    try compute(start, nil)
    try builder.loop(
      kernel.dimensions[loop.id.index].name, from: start + 1, to: end
    ) { counter throws(Diagnostic) in
      let before = before(counter)
      try compute(counter) { inner throws(Diagnostic) in
        try stages.step(last, at: before.moved(to: inner))
      }
    }
    var points = [before(end)]
    try stages.emit(last, plan.stages[kernel.stages.count - 1], &points)
  }

  /// Variables for the scalars that the last stage takes from those before it.
  private func carriedVariables(_ last: KernelStage) -> [Int: VariableID] {
    var carried: [Int: VariableID] = [:]
    for instruction in last.body.instructions {
      guard case .load(.local(let local), _, _) = instruction.operation,
        kernel.locals[local].type.shape.elementCount == 1, carried[local] == nil
      else { continue }
      carried[local] = builder.makeVariable(LoopType(kernel.locals[local].type.dtype))
    }
    return carried
  }
}
