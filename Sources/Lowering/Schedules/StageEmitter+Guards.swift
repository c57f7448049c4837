import GraphIR
import LoopIR

/// Loops of long folds that check outside of the innermost loop what does not change in it.
extension StageEmitter {
  /// From so many steps on a fold is worth a second innermost loop.
  private static let fewSteps = 64

  /// Runs loops over what a stage folds; the body gets what to add to the points, and the guards that hold there.
  func iterate(
    _ stage: KernelStage, _ loops: InnerLoops, _ points: [Point],
    _ inside: (Point, Set<IndexGuard>) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let guards = unchangedGuards(stage, loops, points)
    guard !guards.isEmpty, let innermost = loops.dimensions.last else {
      return try iterate(loops, Point()) { inner throws(Diagnostic) in try inside(inner, []) }
    }
    var (outer, inner) = (loops, loops)
    outer.dimensions = Array(loops.dimensions.dropLast())
    (outer.accumulators, outer.unroll, outer.unrolled) = (1, 1, max(loops.unrolled - 1, 0))
    (outer.interiors, outer.farSteps) = ([:], 1)
    inner.dimensions = [innermost]
    inner.skipsFirst = loops.skipsFirst && outer.dimensions.isEmpty
    try iterate(outer, Point()) { place throws(Diagnostic) in
      let moved = points.map { $0.moved(to: place) }
      func run(_ holding: Set<IndexGuard>) throws(Diagnostic) {
        try iterate(inner, place) { inner throws(Diagnostic) in try inside(inner, holding) }
      }
      guard let condition = conjunction(guards, moved) else { return try run([]) }
      try builder.conditional(condition) { () throws(Diagnostic) in
        try run(guards)
      } otherwise: { () throws(Diagnostic) in
        try run([])
      }
    }
  }

  /// The guards of a stage that are the same for all steps of the innermost loop, and for all lanes.
  private func unchangedGuards(
    _ stage: KernelStage, _ loops: InnerLoops, _ points: [Point]
  ) -> Set<IndexGuard> {
    guard loops.vector == nil, let innermost = loops.dimensions.last, loops.unrolled == 0,
      kernel.points(stage.folded) > Self.fewSteps
    else { return [] }
    return stage.body.guards(unchangedAlong: [innermost] + points.compactMap { $0.vector?.id })
  }

  /// The condition that guards hold at all points; nil where that need not be asked, or is known not to be.
  func conjunction(_ guards: Set<IndexGuard>, _ points: [Point]) -> RegisterID? {
    let all = points.map { IndexEmitter(builder: builder, point: $0, values: []) }
    // In an order that does not change from run to run.
    let sorted = guards.sorted {
      (kernel.text(of: $0.expression), $0.extent) < (kernel.text(of: $1.expression), $1.extent)
    }
    if all.contains(where: { point in sorted.contains(where: point.fails) }) { return nil }
    var result: RegisterID?
    for indices in all {
      for condition in sorted {
        guard let register = indices.condition(condition) else { continue }
        result = result.map { body.binary(.and, $0, register) } ?? register
      }
    }
    return result
  }
}

extension ScalarBody {
  /// The guards of loads that are the same for all points along some dimensions.
  func guards(unchangedAlong changing: [DimensionID]) -> Set<IndexGuard> {
    var guards: Set<IndexGuard> = []
    for instruction in instructions {
      guard case .load(_, _, let own) = instruction.operation else { continue }
      for condition in own {
        var isUnchanged = true
        condition.expression.forEachLeaf { leaf in
          switch leaf {
          case .dimension(let id): if changing.contains(id) { isUnchanged = false }
          case .instruction: isUnchanged = false
          case .quotient, .remainder: break
          }
        }
        if isUnchanged { guards.insert(condition) }
      }
    }
    return guards
  }
}
