import GraphIR
import LoopIR

/// Emits a normalized kernel as one phase of loops, as a plan says.
struct NestEmitter {
  let builder: LoopsBuilder
  let kernel: Kernel
  var plan: NestPlan
  let fault: PlantedFault?
  var stages: StageEmitter
  /// For each stage that is folded row by row the memory of its results so far.
  let sums: [Int]
  /// The points of loops at which no guard fails, where there are others.
  let interiors: [DimensionID: Range<Int>]

  /// Makes an emitter; parameter i of the kernel is memory i of the builder's loops.
  init(_ builder: LoopsBuilder, _ kernel: Kernel, _ plan: NestPlan, fault: PlantedFault?) {
    self.builder = builder
    self.kernel = kernel
    self.plan = plan
    self.fault = fault
    interiors = plan.interiors(of: kernel)
    let slots = plan.loops.reduce(1) { product, loop in
      product * (loop.id == plan.vector ? loop.tile / plan.lanes : loop.tile)
    }
    // Vectors inside of a stage may then read past the last element without a mask.
    let surplus = plan.stages.map(\.lanes).max() ?? 1
    var scratch: [Int: Int] = [:]
    for (place, local) in kernel.locals.enumerated() where local.type.shape.elementCount > 1 {
      scratch[place] = builder.addMemory(
        LoopMemory(
          name: local.name, dtype: local.type.dtype,
          count: local.type.shape.elementCount * slots * plan.lanes + surplus, kind: .worker))
    }
    sums = kernel.stages.prefix(plan.rowFolds).enumerated().map { place, stage in
      builder.addMemory(
        LoopMemory(
          name: "sums\(place)", dtype: stage.foldedType,
          count: (plan.vector.map { kernel.extent($0) + plan.lanes } ?? 1)
            * plan.loops.dropLast().reduce(1) { $0 * $1.tile },
          kind: .worker))
    }
    let body = BodyEmitter(
      builder: builder, kernel: kernel, scratch: scratch, localLanes: plan.lanes,
      padded: plan.padded.union(scratch.values), streamed: plan.streamed)
    stages = StageEmitter(
      body: body, varyingLocals: kernel.varyingLocals(with: plan.vector), fault: fault)
  }

  /// How many blocks the tasks divide each loop into.
  private var counts: [Int] { plan.loops.map { ceilingQuotient(kernel.extent($0.id), $0.block) } }

  /// Emits the phase.
  ///
  /// - Parameter copies: what each task does first, divided among as many tasks.
  func emit(after copies: [NestEmitter] = []) throws(Diagnostic) {
    let counts = counts
    let taskCount = counts.reduce(1, *)
    try builder.phase(
      taskCount: taskCount, workPerTask: ceilingQuotient(plan.work, taskCount)
    ) { task throws(Diagnostic) in
      for copy in copies {
        try copy.outer(0, copy.starts(of: task, copy.counts), Tile())
      }
      let starts = self.starts(of: task, counts)
      if plan.isGathered {
        return try gather(starts, next: self.starts(of: task + 1, counts))
      }
      try outer(0, starts, Tile())
    }
  }

  /// Where the blocks of a task start.
  private func starts(of task: LoopIndex, _ counts: [Int]) -> [LoopIndex] {
    var rest = counts.reduce(1, *)
    return zip(plan.loops, counts).map { loop, count in
      rest /= count
      return builder.remainder(builder.quotient(task, rest), count) * loop.block
    }
  }

  /// The points computed together: counters of their first, and how many along each dimension.
  struct Tile {
    var counters: [DimensionID: LoopIndex] = [:]
    var sizes: [DimensionID: Int] = [:]
    /// Whether guards may fail along a loop around this one: points are then computed one by one.
    var isBorder = false
  }

  func outer(
    _ depth: Int, _ starts: [LoopIndex], _ tile: Tile
  ) throws(Diagnostic) {
    guard depth < plan.loops.count else { return try stages(at: tile) }
    if plan.rowFolds > 0, depth == plan.loops.count - 1 { return try foldRows(starts[depth], tile) }
    if let place = plan.overlapped, depth == plan.loops.count - 1, interiors.isEmpty {
      return try overlapRows(starts[depth], tile, beside: place)
    }
    try loop(depth, from: starts[depth], tile) { tile throws(Diagnostic) in
      try outer(depth + 1, starts, tile)
    }
  }

  /// One outer loop of a task, by whole tiles and what is left over.
  func loop(
    _ depth: Int, from start: LoopIndex, _ tile: Tile, _ body: (Tile) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let loop = plan.loops[depth]
    let extent = kernel.extent(loop.id)
    if let interior = interiors[loop.id] {
      return try around(interior, loop, from: start, tile, body)
    }
    let full = extent / loop.tile * loop.tile
    func inner(_ counter: LoopIndex, _ size: Int) throws(Diagnostic) {
      var tile = tile
      tile.counters[loop.id] = counter
      tile.sizes[loop.id] = size
      try body(tile)
    }
    try builder.loop(
      kernel.dimensions[loop.id.index].name, from: start, to: end(loop, start, full),
      step: loop.tile, unroll: loop.unroll
    ) { counter throws(Diagnostic) in
      try inner(counter, loop.tile)
    }
    guard full < extent, fault != .scheduleSkipsTail || full == 0 else { return }
    if loop.block >= extent {
      return try inner(LoopIndex(constant: full), extent - full)
    }
    let last = builder.define(.index(start + LoopIndex(constant: loop.block)), LoopType(.i64))
    let limit = builder.define(.constant(UInt64(extent)), LoopType(.i64))
    let isLast = builder.define(.compare(.greaterEqual, last, limit), LoopType(.bool))
    try builder.conditional(isLast) { () throws(Diagnostic) in
      try inner(LoopIndex(constant: full), extent - full)
    }
  }

  /// Where a task's loop over whole tiles ends.
  func end(_ loop: OuterLoop, _ start: LoopIndex, _ full: Int) -> LoopIndex {
    if loop.block >= kernel.extent(loop.id) { return LoopIndex(constant: full) }
    let end = start + LoopIndex(constant: loop.block)
    if builder.range(of: end).upper <= full { return end }
    let own = builder.define(.index(end), LoopType(.i64))
    let limit = builder.define(.constant(UInt64(full)), LoopType(.i64))
    return .register(builder.define(.binary(.minimum, own, limit), LoopType(.i64)))
  }

  /// One outer loop of a task: the points at which no guard fails by tiles, each of the others by itself, so that it is
  /// known what fails there.
  private func around(
    _ interior: Range<Int>, _ loop: OuterLoop, from start: LoopIndex, _ tile: Tile,
    _ body: (Tile) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let isSplit = loop.block < kernel.extent(loop.id)
    let end = start + LoopIndex(constant: loop.block)
    func inner(_ counter: LoopIndex, _ size: Int, isBorder: Bool) throws(Diagnostic) {
      var tile = tile
      tile.counters[loop.id] = counter
      tile.sizes[loop.id] = size
      tile.isBorder = tile.isBorder || isBorder
      try body(tile)
    }
    func border(_ places: Range<Int>) throws(Diagnostic) {
      for place in places {
        let point = LoopIndex(constant: place)
        guard isSplit else {
          try inner(point, 1, isBorder: true)
          continue
        }
        let isFrom = compare(.lessEqual, start, point)
        let isBelow = compare(.less, point, end)
        let isOwn = builder.define(.binary(.and, isFrom, isBelow), LoopType(.bool))
        try builder.conditional(isOwn) { () throws(Diagnostic) in
          try inner(point, 1, isBorder: true)
        }
      }
    }
    try border(0..<interior.lowerBound)
    let size = tile.isBorder && !loop.staysTogether ? 1 : loop.tile
    let full = interior.lowerBound + interior.count / size * size
    let first = LoopIndex(constant: interior.lowerBound)
    let (from, to) =
      isSplit
      ? (bound(.maximum, start, first), bound(.minimum, end, LoopIndex(constant: full)))
      : (first, LoopIndex(constant: full))
    try builder.loop(
      kernel.dimensions[loop.id.index].name, from: from, to: to, step: size, unroll: loop.unroll
    ) { counter throws(Diagnostic) in
      try inner(counter, size, isBorder: false)
    }
    if full < interior.upperBound, fault != .scheduleSkipsTail {
      try inner(LoopIndex(constant: full), interior.upperBound - full, isBorder: false)
    }
    try border(interior.upperBound..<kernel.extent(loop.id))
  }

  private func compare(
    _ function: CompareFunction, _ a: LoopIndex, _ b: LoopIndex
  ) -> RegisterID {
    let sides = [a, b].map { builder.define(.index($0), LoopType(.i64)) }
    return builder.define(.compare(function, sides[0], sides[1]), LoopType(.bool))
  }

  private func bound(_ function: BinaryFunction, _ a: LoopIndex, _ b: LoopIndex) -> LoopIndex {
    let sides = [a, b].map { builder.define(.index($0), LoopType(.i64)) }
    return .register(builder.define(.binary(function, sides[0], sides[1]), LoopType(.i64)))
  }

  private func stages(at tile: Tile) throws(Diagnostic) {
    var points = points(of: tile)
    stages.body.ask(for: plan.askedFor, at: points)
    for (stage, stagePlan) in zip(kernel.stages, plan.stages) {
      try stages.emit(stage, stagePlan, &points)
    }
  }

  /// The points of a tile: rows first, the vectors of a row last.
  func points(of tile: Tile) -> [Point] {
    var points = [Point(counters: tile.counters)]
    for loop in plan.loops where loop.id != plan.vector {
      let size = tile.sizes[loop.id] ?? 1
      guard size > 1, let first = tile.counters[loop.id] else { continue }
      points = points.flatMap { point in
        (0..<size).map { step in
          var moved = point
          moved.counters[loop.id] = first + LoopIndex(constant: step)
          if loop.id == plan.crossing {
            moved.crossing = Crossing(id: loop.id, place: step, count: size)
          }
          return moved
        }
      }
    }
    if let vector = plan.vector, let size = tile.sizes[vector], let first = tile.counters[vector] {
      points = points.flatMap { point in
        stride(from: 0, to: size, by: plan.lanes).map { step in
          var moved = point
          let active = min(plan.lanes, size - step)
          moved.counters[vector] = first + LoopIndex(constant: step)
          moved.vector = VectorDimension(
            id: vector, lanes: plan.lanes, active: active == plan.lanes ? nil : active)
          return moved
        }
      }
    }
    for slot in points.indices { points[slot].slot = slot }
    return points
  }
}

/// The quotient, rounded up.
func ceilingQuotient(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

extension Kernel {
  /// The scalar locals that differ between the lanes of a dimension; ranked ones always count as such.
  func varyingLocals(with vector: DimensionID?) -> Set<Int> {
    var varying: Set<Int> = []
    guard let vector else { return varying }
    for (place, local) in locals.enumerated() where local.type.shape.elementCount > 1 {
      varying.insert(place)
    }
    for stage in stages {
      guard case .local(let place) = stage.target else { continue }
      let varies = stage.body.varying(with: vector, locals: { varying.contains($0) })
      if varies.last ?? false { varying.insert(place) }
    }
    return varying
  }
}
