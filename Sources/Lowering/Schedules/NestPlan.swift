import GraphIR
import LoopIR

/// How the loops of one kernel are arranged; any plan whose vector dimensions fit its stores is correct.
struct NestPlan {
  /// The outer dimensions, outermost loop first.
  var loops: [OuterLoop] = []
  /// The outer dimension along which the lanes of all stages go; nil: the stages choose.
  var vector: DimensionID?
  /// The lanes of its vectors.
  var lanes = 1
  /// An outer dimension of which as many neighbours as there are lanes are computed together.
  ///
  /// Loads that are contiguous along it are transposed in registers.
  var crossing: DimensionID?
  /// How many of the first stages are folded row by row of memory, their results so far kept in scratch.
  ///
  /// The rows are along the vectors, which then are the last loop.
  var rowFolds = 0
  /// How many such rows are added to a vector of results while it is in a register.
  var rowsAtOnce = 1
  /// Whether these come from as many parts of memory, and not one after the other.
  var rowsAreFar = false
  /// How many of the innermost folded dimensions lie within a row: a vector of results goes over all of them before the
  /// next vector's turn.
  var foldsInRow = 0
  /// The stage beside whose steps the last stage stores the point before; nil: it follows the others of its own point.
  var overlapped: Int?
  /// A plan for each stage.
  var stages: [StagePlan] = []
  /// An estimate of all the work, in scalar operations.
  var work = 0
  /// Memories whose lanes beyond the last point may be read.
  var padded: Set<Int> = []
  /// Outputs that are stored past the caches.
  var streamed: Set<Int> = []
  /// Parameters that later stages read and that are asked for before the first stage of a tile.
  var askedFor: Set<Int> = []
  /// Whether a task first puts its block of these outputs together in scratch, then stores whole pieces of rows.
  var isGathered = false
}

/// The loop over an outer dimension.
struct OuterLoop {
  var id: DimensionID
  /// How many points are computed together; of the vector dimension a multiple of the lanes.
  var tile = 1
  /// Whether they stay together where guards may fail: they differ in what they read.
  var staysTogether = false
  /// How many points one task gets: a multiple of the tile, or all.
  var block: Int
  /// How often the loop is unrolled.
  var unroll = 1
}

/// The loops inside of a stage.
struct StagePlan {
  /// The stage's own or folded dimension along which the lanes go, where no outer one is chosen.
  var vector: DimensionID?
  /// The lanes of its vectors.
  var lanes = 1
  /// The folded dimensions, outermost loop first.
  var folded: [DimensionID] = []
  /// How many accumulators a fold has for each of its values: they hide the latency of the additions.
  var accumulators = 1
  /// From how many parts of the innermost folded dimension its steps are taken in turns.
  var farSteps = 1
  /// Whether an extreme of floats is exact only at the end of its fold (`FloatExtreme`).
  var endsExactly = false
  /// How often the innermost loop is unrolled.
  var unroll = 1
  /// The outer dimension whose next points' elements are asked for while those of the present ones are used.
  var ahead: DimensionID?
  /// The rows of a contraction that are asked for while those of the present tile are used.
  var nextRows: NextRows?
}

/// Rows of a contraction that lie one after the other in memory, in tiles.
///
/// A processor foresees few streams, and each row of a tile is one; but the next tile begins where the last row ends. In
/// each step of the reduction as many elements of a later tile are asked for as the present one reads.
struct NextRows {
  /// The instruction that loads the rows.
  var load: Int
  /// Their dimension, and how many a tile has.
  var id: DimensionID
  var tile: Int
  /// The dimension of the reduction.
  var step: DimensionID
  /// How many tiles ahead.
  static let distance = 2
}

extension NestPlan {
  /// A plan without vectors in which one task does everything, in the order of the kernel's dimensions.
  static func scalar(_ kernel: Kernel) -> NestPlan {
    var plan = NestPlan()
    plan.loops = kernel.outer.map { OuterLoop(id: $0, block: kernel.extent($0)) }
    plan.stages = kernel.stages.map { StagePlan(folded: $0.folded) }
    return plan
  }
}

extension NestPlan {
  /// Unrolls loops of a few turns that decide what is read: in each turn it is known.
  ///
  /// So are read the parts that a reshape interleaves, as those of a strided convolution's gradient.
  mutating func unrollChoices(of kernel: Kernel) {
    var copies = 1
    for place in loops.indices.dropLast() where loops[place].tile == 1 {
      let (id, extent) = (loops[place].id, kernel.extent(loops[place].id))
      guard extent <= 4, extent * copies <= 8, kernel.stages.contains(where: { $0.chooses(by: id) })
      else { continue }
      loops[place].unroll = extent
      copies *= extent
    }
  }
}

extension KernelStage {
  /// Whether a guard depends on a dimension.
  fileprivate func chooses(by id: DimensionID) -> Bool {
    body.instructions.contains { instruction in
      guard case .load(_, _, let guards) = instruction.operation else { return false }
      return guards.contains { $0.expression.dependence(on: id) != .affine(0) }
    }
  }
}
