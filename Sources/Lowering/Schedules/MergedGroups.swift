import GraphIR
import LoopIR

/// A convolution whose groups have fewer results than a vector has lanes, or some that are left over, with the groups and
/// their results as one dimension along which the vectors go.
///
/// The filter and the results lie along it; of the input each element stands in as many lanes as its group has
/// results. So many vectors are computed together that each of them has its lanes in the same groups every time.
struct MergedGroups {
  /// The kernel with one dimension in place of two.
  private(set) var kernel: Kernel
  /// The dimension of the groups' results.
  let whole: DimensionID

  /// Merges the groups of a sum of products with their results; nil where there are none, or too few lanes.
  init?(_ kernel: Kernel, _ target: Target) {
    guard let stage = kernel.stages.first, case .fold(.sum, _) = stage.kind,
      stage.body.instructions.last?.operation == .binary(.multiply), let last = kernel.stages.last,
      case .parameter = last.target
    else { return nil }
    for minor in kernel.outer where last.index[0].dependence(on: minor) == .affine(1) {
      let results = kernel.extent(minor)
      for major in kernel.outer where last.index[0].dependence(on: major) == .affine(results) {
        var merged = kernel
        let whole = merged.addDimension("go", kernel.extent(major) * results)
        let bounds = merged.bounds
        guard kernel.canMerge(major, minor) else { continue }
        merged.mapExpressions { index in
          if index.allowsMerging(major, minor, minor: results) {
            return index.merging(major, minor, into: whole)
          }
          let group = IndexExpression.dimension(whole).quotient(by: results, in: bounds)
          return index.substituting(in: bounds) { $0 == .dimension(major) ? group : nil }
        }
        merged.replace(minor, by: [])
        merged.replace(major, by: [whole])
        let lanes = VectorChoice(kernel: merged, target: target).lanes(whole, merged.stages)
        guard lanes > 1, results < lanes || results < 2 * lanes && results % lanes != 0 else {
          continue
        }
        self.kernel = merged
        self.whole = whole
        return
      }
    }
    return nil
  }

  /// How it is computed, with about the cycles that it takes; nil where vectors cannot go along the results.
  func plan(_ target: Target) -> (plan: NestPlan, cost: Double)? {
    let choice = VectorChoice(kernel: kernel, target: target)
    guard choice.canVectorize(outer: whole), let tile = choice.pointTile(whole) else { return nil }
    let vectors = Double(choice.vectors(whole, choice.lanes(whole, kernel.stages)))
    let points = Double(kernel.points(kernel.outer)) / Double(kernel.extent(whole)) * vectors
    let cost = points * Double(kernel.points(kernel.stages[0].folded)) * tile.cost
    return (choice.outerPlan(whole), cost)
  }
}

extension Kernel {
  /// Whether every index is either a function of two dimensions merged, or of the major one alone.
  fileprivate func canMerge(_ major: DimensionID, _ minor: DimensionID) -> Bool {
    let results = extent(minor)
    var canMerge = true
    forEachExpression { index in
      if !index.allowsMerging(major, minor, minor: results),
        index.dependence(on: minor) != .affine(0)
      {
        canMerge = false
      }
    }
    return canMerge
  }
}
