import GraphIR
import LoopIR

/// In which order the phases of a kernel add up what they fold: phases that agree in it give the same bits.
///
/// Which results are computed together, in which order, on which thread, and from where their operands are read does
/// not matter.
struct ReductionOrder: Hashable {
  private struct Fold: Hashable {
    /// What is folded, outermost loop first.
    var folded: [DimensionID]
    /// The folded dimension along which the lanes go, each with a sum of its own; nil where a sum is in one lane.
    var vector: DimensionID?
    var lanes = 1
    /// The sums among which the steps of the innermost loop take turns.
    var accumulators = 1
    /// The runs, and the steps of each, that are summed on their own before they are added, or the parts from which steps
    /// are taken in turns; empty where there is one.
    var block: [Int] = []
  }

  private var folds: [Fold] = []

  /// The order of some phases.
  init(_ pieces: [Piece]) {
    for piece in pieces {
      switch piece.work {
      case .nest(let plan): add(piece.kernel, plan)
      case .blocks(let contraction, let blocking): add(contraction, blocking)
      case .attention: folds.append(Fold(folded: []))
      }
    }
  }

  private mutating func add(_ kernel: Kernel, _ plan: NestPlan) {
    for (place, stage) in kernel.stages.enumerated() where !stage.folded.isEmpty {
      let own = plan.stages[place]
      // Rows are added to the results so far one after the other, or some of each part in turns.
      if place < plan.rowFolds {
        folds.append(
          Fold(folded: stage.folded, block: plan.rowsAreFar ? [plan.rowsAtOnce] : []))
        continue
      }
      let vector = own.vector.flatMap { stage.folded.contains($0) ? $0 : nil }
      folds.append(
        Fold(
          folded: own.folded, vector: vector, lanes: vector == nil ? 1 : own.lanes,
          accumulators: own.accumulators, block: own.farSteps > 1 ? [own.farSteps] : []))
    }
  }

  private mutating func add(_ contraction: Contraction, _ blocking: Blocking) {
    let isWhole = blocking.runs * blocking.steps == contraction.stepCount
    folds.append(
      Fold(
        folded: contraction.reduced, block: isWhole ? [] : [blocking.runs, blocking.steps]))
  }
}
