import GraphIR
import LoopIR

/// A block of an output in scratch: rows along the vectors, one for each point across them.
struct GatheredBlock {
  /// The scratch.
  var memory: Int
  /// From one row to the next.
  var pitch: Int
  /// The loops along the rows and across them.
  var along: OuterLoop
  var across: OuterLoop

  /// Where the lanes of a point lie.
  func access(_ point: Point, _ builder: LoopsBuilder) -> LoopAccess {
    let (row, column) = (
      across.place(of: point.counters, builder), along.place(of: point.counters, builder)
    )
    return LoopAccess(memory: memory, offset: row * pitch + column)
  }
}

extension OuterLoop {
  /// Where in its task's block a point lies along this loop: blocks start at multiples of their size.
  fileprivate func place(
    of counters: [DimensionID: LoopIndex], _ builder: LoopsBuilder
  ) -> LoopIndex {
    builder.remainder(counters[id] ?? 0, block)
  }
}

/// Transpositions of what no cache holds.
///
/// Memory takes neighbouring lines at once several times as fast as lines of many rows in turns. So a block is put
/// together in scratch, then stored row by row; meanwhile the lines of the next block are asked for in the order
/// in which they lie, which no prefetcher finds out.
extension NestEmitter {
  /// Computes a block in scratch and stores it.
  ///
  /// - Parameter next: where the next task's blocks start.
  func gather(_ starts: [LoopIndex], next: [LoopIndex]) throws(Diagnostic) {
    guard let along = plan.loops.first(where: { $0.id == plan.vector }),
      let across = plan.loops.first(where: { $0.id == plan.crossing })
    else { throw Diagnostic(.internalError, "kernel @\(kernel.name): nothing is transposed") }
    var inner = self
    for place in plan.streamed.sorted() {
      let dtype = kernel.parameters[place].type.dtype
      // One line more, so that the rows of a column do not meet in the cache.
      let pitch = along.block + VectorChoice.lineBytes / dtype.byteCount
      let memory = builder.addMemory(
        LoopMemory(name: "block\(place)", dtype: dtype, count: across.block * pitch, kind: .worker))
      inner.stages.body.gathered[place] = GatheredBlock(
        memory: memory, pitch: pitch, along: along, across: across)
    }
    try inner.outer(0, starts, Tile())
    try copy(
      inner.stages.body.gathered, starts, ahead: Ahead(kernel, along, across, plan.loops, next))
  }

  /// Stores the rows of blocks past the caches, while the lines of the next block are asked for.
  private func copy(
    _ blocks: [Int: GatheredBlock], _ starts: [LoopIndex], ahead: Ahead
  ) throws(Diagnostic) {
    var rows = self
    rows.plan.crossing = nil
    let order = plan.loops.indices.sorted { rank(plan.loops[$0]) < rank(plan.loops[$1]) }
    rows.plan.loops = order.map { plan.loops[$0] }
    for place in order.indices {
      let isAlong = rows.plan.loops[place].id == plan.vector
      rows.plan.loops[place].tile = isAlong ? ahead.line : 1
    }
    try rows.points(0, order.map { starts[$0] }, Tile()) { tile throws(Diagnostic) in
      let points = rows.points(of: tile)
      if tile.sizes[ahead.along.id] == ahead.line {
        ahead.prefetch(builder, tile.counters)
      }
      for stage in kernel.stages {
        guard case .parameter(let place) = stage.target, let block = blocks[place] else { continue }
        for point in points {
          let type = LoopType(kernel.parameters[place].type.dtype, lanes: plan.lanes)
          let value = builder.define(.load(block.access(point, builder)), type)
          try stages.body.store(value, to: stage.target, at: stage.index[0], point)
        }
      }
    }
  }

  /// Rows come in the order of the points across them, and the points along them innermost.
  private func rank(_ loop: OuterLoop) -> Int {
    loop.id == plan.vector ? 2 : loop.id == plan.crossing ? 1 : 0
  }

  /// Runs the loops over tiles of points.
  private func points(
    _ depth: Int, _ starts: [LoopIndex], _ tile: Tile, _ body: (Tile) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    guard depth < plan.loops.count else { return try body(tile) }
    try loop(depth, from: starts[depth], tile) { tile throws(Diagnostic) in
      try points(depth + 1, starts, tile, body)
    }
  }
}

/// What the next block reads across the vectors: for each line that is stored, a line of it.
private struct Ahead {
  let along: OuterLoop
  let across: OuterLoop
  /// The elements of a line that is stored.
  let line: Int
  /// Where the next blocks start.
  private let next: [DimensionID: LoopIndex]
  /// What is read.
  private let loads: [(memory: Int, index: IndexExpression, line: Int)]

  init(
    _ kernel: Kernel, _ along: OuterLoop, _ across: OuterLoop, _ loops: [OuterLoop],
    _ next: [LoopIndex]
  ) {
    self.along = along
    self.across = across
    self.next = Dictionary(uniqueKeysWithValues: zip(loops.map(\.id), next))
    let bytes = kernel.stages.map { kernel.type(of: $0.target).dtype.byteCount }.max() ?? 4
    line = max(VectorChoice.lineBytes / bytes, along.tile)
    var known: Set<ScalarInstruction> = []
    var loads: [(memory: Int, index: IndexExpression, line: Int)] = []
    for instruction in kernel.stages.flatMap(\.body.instructions) {
      guard case .load(.parameter(let memory), let index, _) = instruction.operation,
        instruction.isCrossed(along.id, across.id), known.insert(instruction).inserted
      else { continue }
      loads.append((memory, index[0], VectorChoice.lineBytes / instruction.dtype.byteCount))
    }
    self.loads = loads
  }

  /// Asks for the line of the next block that has the number of the present line of this one.
  func prefetch(_ builder: LoopsBuilder, _ counters: [DimensionID: LoopIndex]) {
    let number =
      across.place(of: counters, builder) * ceilingQuotient(along.block, line)
      + builder.quotient(along.place(of: counters, builder), line)
    for load in loads {
      let lines = ceilingQuotient(across.block, load.line)
      var point = Point(counters: next)
      point.counters[along.id] = (next[along.id] ?? 0) + builder.quotient(number, lines)
      point.counters[across.id] =
        (next[across.id] ?? 0) + builder.remainder(number, lines) * load.line
      let place = IndexEmitter(builder: builder, point: point, values: []).evaluate(load.index)
      builder.prefetch(load.memory, place.base)
    }
  }
}
