import GraphIR
import LoopIR

extension NestPlan {
  /// For each loop around guarded loads the points at which none of their guards fails, where there are others too.
  ///
  /// Only loops whose tiles need not begin at multiples of their size: those of single points, and those that no task
  /// shares with another.
  func interiors(of kernel: Kernel) -> [DimensionID: Range<Int>] {
    guard rowFolds == 0, crossing == nil else { return [:] }
    var guards: Set<IndexGuard> = []
    for instruction in kernel.stages.flatMap(\.body.instructions) {
      if case .load(_, _, let own) = instruction.operation { guards.formUnion(own) }
    }
    var interiors: [DimensionID: Range<Int>] = [:]
    for loop in loops where loop.id != vector {
      let extent = kernel.extent(loop.id)
      guard loop.tile == 1 || loop.block >= extent else { continue }
      var interior = 0..<extent
      for condition in guards {
        guard let points = kernel.interior(of: condition, along: loop.id) else { continue }
        interior = interior.clamped(to: points)
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
  /// The points of a dimension at which a guard holds whatever the others are; nil where it does not depend on it, or
  /// not in an affine way.
  fileprivate func interior(of condition: IndexGuard, along id: DimensionID) -> Range<Int>? {
    guard case .affine(let step) = condition.expression.dependence(on: id), step > 0 else {
      return nil
    }
    let rest = condition.expression - IndexExpression.dimension(id) * step
    guard let range = rest.range(in: bounds) else { return nil }
    // 0 <= step * point + range < extent
    let first = max(0, -floorQuotient(range.lowerBound, step))
    let last = floorQuotient(condition.extent - 1 - range.upperBound, step)
    return first <= last ? first..<last + 1 : 0..<0
  }
}
