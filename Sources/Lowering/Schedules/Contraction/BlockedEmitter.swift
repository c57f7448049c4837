import GraphIR
import LoopIR

/// Emits a contraction in blocks, as two phases: a copy of the row factor, and the products.
///
/// The column factor lies in panels, which are the kernel's last parameter.
struct BlockedEmitter {
  let builder: LoopsBuilder
  /// The contraction with one dimension of rows and one of the reduction.
  let kernel: Kernel
  let blocking: Blocking
  let fault: PlantedFault?
  let batch: [DimensionID]
  let row: DimensionID
  let step: DimensionID
  let vector: DimensionID
  let lanes: Int
  /// The type of the sums.
  let dtype: DType
  /// The computation of the row factor.
  let factor: ScalarBody
  let body: BodyEmitter
  /// The batch dimensions that the panels and the rows have.
  private let panelBatch: [DimensionID]
  let rowBatch: [DimensionID]
  /// The memory of the row factor's copy.
  let copies: Int
  /// The worker's memory of the sums.
  private let sums: Int

  var rowCount: Int { kernel.extent(row) }
  var stepCount: Int { kernel.extent(step) }
  var extent: Int { kernel.extent(vector) }
  var width: Int { lanes * blocking.vectors }
  var tileCount: Int { ceilingQuotient(rowCount, blocking.rows) }
  private var panelCount: Int { ceilingQuotient(extent, width) }
  var stepBlocks: Int { ceilingQuotient(stepCount, blocking.steps) }
  /// The rows of a block.
  var blockRows: Int { blocking.tiles * blocking.rows }

  /// Makes an emitter of a contraction that reads panels.
  init(
    _ builder: LoopsBuilder, _ contraction: Contraction, _ blocking: Blocking,
    fault: PlantedFault?
  ) {
    var kernel = contraction.kernel
    row = kernel.flatten(contraction.rows, "row")
    step = kernel.flatten(contraction.reduced, "step")
    let original = kernel.stages[0].body
    dtype = original.instructions.last?.dtype ?? .f32
    factor = original.slice(endingAt: contraction.row)
    panelBatch = contraction.batch.filter { original.varying(with: $0)[contraction.column] }
    rowBatch = contraction.batch.filter { original.varying(with: $0)[contraction.row] }
    batch = contraction.batch
    vector = contraction.vector
    lanes = contraction.lanes
    self.builder = builder
    self.kernel = kernel
    self.blocking = blocking
    self.fault = fault
    let steps =
      ceilingQuotient(kernel.extent(step), blocking.steps) * blocking.steps
      * kernel.points(rowBatch)
    let tiles = ceilingQuotient(kernel.extent(row), blocking.rows)
    copies = builder.addMemory(
      LoopMemory(
        name: "rows", dtype: dtype, count: tiles * blocking.rows * steps, kind: .shared))
    let width = contraction.lanes * blocking.vectors
    sums = builder.addMemory(
      LoopMemory(
        name: "sums", dtype: dtype,
        count: blocking.tiles * blocking.rows * blocking.panels * width, kind: .worker))
    body = BodyEmitter(
      builder: builder, kernel: kernel, scratch: [:], localLanes: contraction.lanes, padded: [])
  }

  /// A block of results: counters of the batch, and its first tile and panel.
  struct Block {
    var counters: [DimensionID: LoopIndex] = [:]
    var tile: LoopIndex = 0
    var panel: LoopIndex = 0
  }

  /// Emits the phases.
  func emit() throws(Diagnostic) {
    try copy()
    let rowBlocks = ceilingQuotient(tileCount, blocking.tiles)
    let panelBlocks = ceilingQuotient(panelCount, blocking.panels)
    let counts = batch.map(kernel.extent) + [panelBlocks, rowBlocks]
    let taskCount = counts.reduce(1, *)
    try builder.phase(
      taskCount: taskCount, workPerTask: ceilingQuotient(kernel.work, taskCount)
    ) { task throws(Diagnostic) in
      let places = split(task, counts)
      var block = Block()
      for (id, place) in zip(batch, places) { block.counters[id] = place }
      block.panel = places[batch.count] * blocking.panels
      block.tile = places[batch.count + 1] * blocking.tiles
      try sum(block)
      try finish(block)
    }
  }

  /// The digits of a task's number, of which the last counts fastest.
  func split(_ task: LoopIndex, _ counts: [Int]) -> [LoopIndex] {
    var rest = counts.reduce(1, *)
    return counts.map { count in
      rest /= count
      return builder.remainder(builder.quotient(task, rest), count)
    }
  }

  /// The lesser of an index and the last below a limit.
  func bounded(_ index: LoopIndex, below limit: Int) -> LoopIndex {
    if builder.range(of: index).upper < limit { return index }
    let type = LoopType(.i64)
    let own = builder.define(.index(index), type)
    let last = builder.define(.constant(UInt64(max(limit - 1, 0))), type)
    return .register(builder.define(.binary(.minimum, own, last), type))
  }

  /// How many of a block's parts, of which the first is given, come before the end.
  func count(from first: LoopIndex, to end: Int, most: Int) -> LoopIndex {
    bounded(LoopIndex(constant: end) - first, below: most + 1)
  }

  // MARK: Sums

  private func sum(_ block: Block) throws(Diagnostic) {
    let whole = stepCount / blocking.steps
    let start = fault == .scheduleWrongReductionStart ? 1 : 0
    try builder.loop("block", from: LoopIndex(constant: start), to: LoopIndex(constant: whole)) {
      number throws(Diagnostic) in try add(block, number, blocking.steps)
    }
    let rest = stepCount % blocking.steps
    if rest > 0 { try add(block, LoopIndex(constant: whole), rest) }
  }

  /// Adds the products of a block of the reduction.
  private func add(
    _ block: Block, _ number: LoopIndex, _ steps: Int
  ) throws(Diagnostic) {
    let isLater = builder.define(
      .compare(
        .greater, builder.define(.index(number), LoopType(.i64)),
        builder.define(.constant(0), LoopType(.i64))), LoopType(.bool))
    let panels = count(from: block.panel, to: panelCount, most: blocking.panels)
    let tiles = count(from: block.tile, to: tileCount, most: blocking.tiles)
    try builder.loop("panel", to: panels) { panel throws(Diagnostic) in
      var place: LoopIndex = 0
      for id in panelBatch { place = place * kernel.extent(id) + (block.counters[id] ?? 0) }
      place = place * panelCount + bounded(block.panel + panel, below: panelCount)
      place = (place * stepCount + number * blocking.steps) * width
      try builder.loop("tile", to: tiles) { tile throws(Diagnostic) in
        // Each tile asks for its part of the next panel, and for some of what follows that.
        let part = ceilingQuotient(steps * width, blocking.tiles)
        try multiply(
          sumsAt: (panel * blockRows + tile * blocking.rows) * width,
          rowsAt: tilePlace(
            block.counters, block: number, bounded(block.tile + tile, below: tileCount)),
          panelAt: place, nextAt: place + tile * part + LoopIndex(constant: stepCount * width),
          steps, continuing: number == 0 ? nil : isLater)
      }
    }
  }

  /// Adds the products of a tile of rows and a panel to their sums, or sets these.
  private func multiply(
    sumsAt base: LoopIndex, rowsAt start: LoopIndex, panelAt place: LoopIndex,
    nextAt next: LoopIndex, _ steps: Int, continuing: RegisterID?
  ) throws(Diagnostic) {
    let type = LoopType(dtype, lanes: lanes)
    let count = blocking.rows * blocking.vectors
    let variables = (0..<count).map { _ in builder.makeVariable(type) }
    func access(_ slot: Int) -> LoopAccess {
      LoopAccess(memory: sums, offset: base + LoopIndex(constant: slot * lanes))
    }
    func clear() {
      for variable in variables { builder.assign(variable, builder.define(.constant(0), type)) }
    }
    if let continuing {
      try builder.conditional(
        continuing,
        then: { () throws(Diagnostic) in
          for (slot, variable) in variables.enumerated() {
            builder.assign(variable, builder.define(.load(access(slot)), type))
          }
        }, otherwise: { () throws(Diagnostic) in clear() })
    } else {
      clear()
    }
    try builder.loop("step", to: LoopIndex(constant: steps), unroll: 4) {
      step throws(Diagnostic) in
      let memory = kernel.parameters.count - 1
      builder.prefetch(memory, next + step * (width / 4))
      let columns = (0..<blocking.vectors).map { vector in
        let offset = place + step * width + LoopIndex(constant: vector * lanes)
        return builder.define(.load(LoopAccess(memory: memory, offset: offset)), type)
      }
      for row in 0..<blocking.rows {
        let copy = builder.define(
          .load(LoopAccess(memory: copies, offset: start + self.place(row, step))),
          LoopType(dtype))
        for (vector, column) in columns.enumerated() {
          let variable = variables[row * blocking.vectors + vector]
          builder.assign(variable, body.multiplyAdd(copy, column, builder.read(variable)))
        }
      }
    }
    for (slot, variable) in variables.enumerated() {
      builder.store(builder.read(variable), access(slot))
    }
  }

  // MARK: Results

  /// Runs the stages after the sums for the results of a block.
  private func finish(_ block: Block) throws(Diagnostic) {
    let first = block.tile * blocking.rows
    let rows = count(from: first, to: rowCount, most: blockRows)
    let whole = fullPanels(block)
    try builder.loop("row", to: rows) { row throws(Diagnostic) in
      var point = Point(counters: block.counters)
      point.counters[self.row] = bounded(first + row, below: rowCount)
      try builder.loop("panel", to: whole) { panel throws(Diagnostic) in
        let column = bounded((block.panel + panel) * width, below: extent - width + 1)
        try finish(point, column, sumsAt: (panel * blockRows + row) * width, width)
      }
      let rest = extent % width
      guard rest > 0, fault != .scheduleSkipsTail else { return }
      let last = panelCount - 1
      try inLastBlock(block.panel, panelCount, blocking.panels) { () throws(Diagnostic) in
        let base = (LoopIndex(constant: last % blocking.panels) * blockRows + row) * width
        try finish(point, LoopIndex(constant: last * width), sumsAt: base, rest)
      }
    }
  }

  /// The panels of a block that have no padding.
  private func fullPanels(_ block: Block) -> LoopIndex {
    count(from: block.panel, to: extent / width, most: blocking.panels)
  }

  /// Emits what only the last of the blocks along a dimension does.
  func inLastBlock(
    _ first: LoopIndex, _ end: Int, _ most: Int, _ inside: () throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    if end <= most { return try inside() }
    let own = builder.define(.index(first + LoopIndex(constant: most)), LoopType(.i64))
    let limit = builder.define(.constant(UInt64(end)), LoopType(.i64))
    let isLast = builder.define(.compare(.greaterEqual, own, limit), LoopType(.bool))
    try builder.conditional(isLast, then: inside)
  }

  private func finish(
    _ point: Point, _ column: LoopIndex, sumsAt base: LoopIndex, _ size: Int
  ) throws(Diagnostic) {
    let type = LoopType(dtype, lanes: lanes)
    let stages = StageEmitter(
      body: body, varyingLocals: kernel.varyingLocals(with: vector), fault: nil)
    var points: [Point] = []
    for start in stride(from: 0, to: size, by: lanes) {
      var moved = point
      let active = min(lanes, size - start)
      moved.counters[vector] = column + LoopIndex(constant: start)
      moved.vector = VectorDimension(
        id: vector, lanes: lanes, active: active == lanes ? nil : active)
      let offset = base + LoopIndex(constant: start)
      let sum = builder.define(.load(LoopAccess(memory: sums, offset: offset)), type)
      let fold = kernel.stages[0]
      if case .local(let place) = fold.target {
        moved.locals[place] = body.convert(sum, to: kernel.locals[place].type.dtype)
      } else {
        try body.store(sum, to: fold.target, at: fold.index[0], moved)
      }
      points.append(moved)
    }
    for stage in kernel.stages.dropFirst() {
      try stages.emit(stage, StagePlan(), &points)
    }
  }
}

extension Kernel {
  /// Replaces dimensions by one that walks through them in order.
  fileprivate mutating func flatten(_ list: [DimensionID], _ name: String) -> DimensionID {
    if list.count == 1 { return list[0] }
    let whole = addDimension(name, points(list))
    let bounds = bounds
    let parts = IndexExpression.index(
      ofLinear: .dimension(whole), in: Shape(list.map(extent)), bounds: bounds)
    mapExpressions { index in
      index.substituting(in: bounds) { atom in
        guard case .dimension(let id) = atom, let place = list.firstIndex(of: id) else {
          return nil
        }
        return parts[place]
      }
    }
    return whole
  }
}
