import GraphIR
import LoopIR

/// Plans for what takes many steps, each of which waits for the one before.
extension VectorChoice {
  /// How many vectors of lanes of a dimension are computed as one, that their steps may alternate.
  ///
  /// The steps of a function such as exp form one long chain, and the instructions of one vector fill the
  /// processor's queues before those of the next ones come into sight. Vectors as wide as several registers become
  /// instructions on each of these in turn.
  func vectorsTogether(_ id: DimensionID, _ lanes: Int, _ stages: [KernelStage]) -> Int {
    let isLong = stages.contains { stage in
      stage.body.instructions.contains { $0.cost >= VectorChoice.longChain }
    }
    var together = isLong ? 4 : 1
    // What is left over at the end is computed as a whole vector, too.
    while together > 1, kernel.extent(id) < 4 * together * lanes { together /= 2 }
    return together
  }

  /// The stage whose long chains leave time for the last stage to divide and store the row before; nil where there is
  /// none.
  ///
  /// The last stage may read what rows keep in scratch only where that is not yet the next row's. Results that
  /// no cache holds get a loop of their own: threads that store them piecemeal wait for memory together.
  func overlappedStage(_ plan: NestPlan) -> Int? {
    guard plan.streamed.isEmpty, let last = kernel.stages.last, case .parameter = last.target,
      last.kind == .map, let vector = plan.stages.last?.vector, last.dimensions == [vector],
      divides(last),
      let row = plan.loops.last, kernel.extent(row.id) > 1
    else { return nil }
    let lanes = lanes(vector, [last])
    return kernel.stages.indices.dropLast().first { place in
      let stage = kernel.stages[place]
      return hasLongChain(stage) && plan.stages[place].vector == vector
        && stage.dimensions + stage.folded == [vector] && self.lanes(vector, [stage]) == lanes
        && mayFollow(last, stage, at: place)
    }
  }

  /// Whether a stage waits for the divider, and for nothing longer.
  private func divides(_ stage: KernelStage) -> Bool {
    !hasLongChain(stage)
      && stage.body.instructions.contains { $0.cost >= VectorChoice.division }
  }

  private func hasLongChain(_ stage: KernelStage) -> Bool {
    stage.body.instructions.contains { $0.cost >= VectorChoice.longChain }
  }

  /// Whether the last stage finds all that it reads in scratch while a stage goes over the next row.
  private func mayFollow(_ last: KernelStage, _ stage: KernelStage, at place: Int) -> Bool {
    last.body.instructions.allSatisfy { instruction in
      guard case .load(.local(let local), let index, let guards) = instruction.operation,
        kernel.locals[local].type.shape.elementCount > 1
      else { return true }
      if kernel.stages.prefix(place).contains(where: { $0.target == .local(local) }) {
        return false
      }
      return stage.target != .local(local) || guards.isEmpty && index == stage.index
    }
  }

  /// The cost of a function from which on its chain is long.
  private static let longChain = 16
  /// The cost of a division.
  private static let division = 6
}
