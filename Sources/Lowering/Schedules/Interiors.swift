import GraphIR
import LoopIR

extension NestPlan {
  /// For each loop around guarded loads the points at which none of their guards fails, where there are others too.
  ///
  /// Loops that tasks share begin at a multiple of their tile's size, as do the tasks' parts.
  func interiors(of kernel: Kernel) -> [DimensionID: Range<Int>] {
    guard rowFolds == 0, !isGathered else { return [:] }
    var guards: Set<IndexGuard> = []
    for instruction in kernel.stages.flatMap(\.body.instructions) {
      if case .load(_, _, let own) = instruction.operation { guards.formUnion(own) }
    }
    var interiors: [DimensionID: Range<Int>] = [:]
    for loop in loops where loop.id != vector {
      let extent = kernel.extent(loop.id)
      // Of what one tile computes it is known in any case what fails.
      if loop.tile >= extent { continue }
      var interior = 0..<extent
      for condition in guards where !kernel.isWalked(condition, beyond: extent) {
        guard let points = kernel.interior(of: condition, along: loop.id) else { continue }
        interior = interior.clamped(to: points)
      }
      // Without guards that fail, what a tile leaves over is computed together.
      if interior == 0..<extent { continue }
      if loop.block < extent {
        let first = ceilingQuotient(interior.lowerBound, loop.tile) * loop.tile
        interior = first..<max(interior.upperBound / loop.tile * loop.tile, first)
      }
      let border = extent - interior.count
      if border > 0, border <= Self.mostBorder, !interior.isEmpty { interiors[loop.id] = interior }
    }
    return interiors
  }

  /// How many points of a loop are written out because a guard may fail there.
  static let mostBorder = 4
}

extension Kernel {
  /// For each dimension that a stage folds, of some, the steps at which none of its guards fails, where there are others
  /// too.
  func interiors(
    of stage: KernelStage, along folded: [DimensionID]
  ) -> [DimensionID: Range<Int>] {
    var guards: Set<IndexGuard> = []
    for instruction in stage.body.instructions {
      if case .load(_, _, let own) = instruction.operation { guards.formUnion(own) }
    }
    var interiors: [DimensionID: Range<Int>] = [:]
    for id in folded {
      var interior = 0..<extent(id)
      for condition in guards {
        guard let steps = self.interior(of: condition, along: id) else { continue }
        interior = interior.clamped(to: steps)
      }
      let border = extent(id) - interior.count
      // A few steps are not worth a loop.
      if 1...NestPlan.mostBorder ~= border, 3 * border <= extent(id) { interiors[id] = interior }
    }
    return interiors
  }

  /// Whether a fold walks through what a guard checks, further than the points of an outer dimension do: these are the
  /// taps of a filter, and the fold's ends are where guards fail.
  fileprivate func isWalked(_ condition: IndexGuard, beyond extent: Int) -> Bool {
    stages.contains { stage in
      stage.folded.contains {
        self.extent($0) > extent && condition.expression.dependence(on: $0) != .affine(0)
      }
    }
  }

  /// The points of a dimension at which a guard holds whatever the others are; nil where it does not depend on it, or
  /// not in a known way.
  fileprivate func interior(of condition: IndexGuard, along id: DimensionID) -> Range<Int>? {
    let bounds = bounds
    guard case .affine(let step) = condition.expression.dependence(on: id) else {
      return searchedInterior(of: condition, along: id)
    }
    guard step > 0 else { return nil }
    let rest = condition.expression - IndexExpression.dimension(id) * step
    guard let range = rest.range(in: bounds) else { return nil }
    // 0 <= step * point + range < extent
    let first = max(0, -floorQuotient(range.lowerBound, step))
    let last = floorQuotient(condition.extent - 1 - range.upperBound, step)
    return first <= last ? first..<last + 1 : 0..<0
  }

  /// The same where the dimension occurs divided: the points between those near the ends where the guard may fail; nil
  /// where it may between them too, as where a remainder tells.
  private func searchedInterior(of condition: IndexGuard, along id: DimensionID) -> Range<Int>? {
    let (extent, bounds) = (extent(id), bounds)
    func holds(_ point: Int) -> Bool {
      let there = condition.expression.substituting(in: bounds) {
        $0 == .dimension(id) ? IndexExpression(constant: point) : nil
      }
      return IndexGuard(there, below: condition.extent).verdict(in: bounds) == true
    }
    guard extent <= Self.mostSearched, let first = (0..<extent).first(where: holds),
      let last = (first..<extent).last(where: holds), (first..<last).allSatisfy(holds)
    else { return nil }
    return first..<last + 1
  }

  /// How many points are tried at most.
  private static let mostSearched = 1 << 9
}
