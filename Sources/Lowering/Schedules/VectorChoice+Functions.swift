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

  /// The cost of a function from which on its chain is long.
  private static let longChain = 16
}
