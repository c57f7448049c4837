import GraphIR
import LoopIR

/// Emits a contraction in blocks.
///
/// A task computes a block of results. For each block of the reduction, in order, it copies its rows into tiles, unless
/// a phase before has, and adds the products of each tile with each panel to its sums; then it runs the stages that
/// follow. Panels are copied when their turn comes, or lie in the kernel's last parameter.
struct BlockedEmitter {
  let builder: LoopsBuilder
  /// The contraction, with its reduction in runs.
  let kernel: Kernel
  var blocking: Blocking
  let fault: PlantedFault?
  let batch: [DimensionID]
  /// The row dimensions whose values a group of tiles shares.
  let groups: [DimensionID]
  /// The dimension of the rows in a group.
  let row: DimensionID
  /// The dimensions of the reduction that a run has one value of each of.
  let runs: [DimensionID]
  /// The innermost dimension of the reduction: the steps of a run.
  let step: DimensionID
  let vector: DimensionID
  let lanes: Int
  /// The type of the sums.
  let dtype: DType
  /// The computation of the row factor, and of the column factor.
  let factor: ScalarBody
  let columnFactor: ScalarBody
  let body: BodyEmitter
  /// The batch dimensions that the panels have.
  let panelBatch: [DimensionID]
  /// The batch dimensions that rows which are copied first have.
  let rowBatch: [DimensionID]
  /// The worker's memory of the rows of a block, or the memory of all rows; nil where rows are read in place.
  let copies: Int?
  /// The memory of all panels, or the worker's of one panel in a block of the reduction; nil where columns are read in
  /// place.
  let panels: Int?
  /// The worker's memory of the sums.
  let sums: Int

  var rowExtent: Int { kernel.extent(row) }
  var runLength: Int { kernel.extent(step) }
  var runCount: Int { kernel.points(runs) }
  var stepCount: Int { runCount * runLength }
  var extent: Int { kernel.extent(vector) }
  var width: Int { lanes * blocking.vectors }
  var groupCount: Int { kernel.points(groups) }
  /// The tiles of a group.
  var tileCount: Int { ceilingQuotient(rowExtent, blocking.rows) }
  var panelCount: Int { ceilingQuotient(extent, width) }
  /// The rows that the tiles of a block have in one group.
  var blockRows: Int { blocking.tiles * blocking.rows }

  /// Makes an emitter of a contraction that reads panels.
  init(
    _ builder: LoopsBuilder, _ contraction: Contraction, _ blocking: Blocking,
    fault: PlantedFault?
  ) {
    var kernel = contraction.kernel
    // The rows with the shortest steps in memory come last.
    let rows: [DimensionID] = contraction.rows.reversed()
    if blocking.copiesRows {
      groups = Array(rows.dropLast())
      row = rows[rows.count - 1]
    } else {
      groups = []
      row = kernel.flatten(rows, "row")
    }
    runs = Array(contraction.reduced.dropLast())
    step = contraction.reduced[contraction.reduced.count - 1]
    let original = kernel.stages[0].body
    dtype = original.instructions.last?.dtype ?? .f32
    factor = original.slice(endingAt: contraction.row)
    columnFactor = original.slice(endingAt: contraction.column)
    panelBatch = contraction.batch.filter { original.varying(with: $0)[contraction.column] }
    rowBatch = contraction.batch.filter { original.varying(with: $0)[contraction.row] }
    batch = contraction.batch
    vector = contraction.vector
    lanes = contraction.lanes
    self.builder = builder
    self.kernel = kernel
    self.blocking = blocking
    self.fault = fault
    let tiles = blocking.groups * blocking.tiles
    let rowExtent = kernel.extent(row)
    let copied =
      blocking.copiesRowsFirst
      ? kernel.points(rowBatch) * blocking.parts(kernel.points(runs), kernel.extent(step))
        * kernel.points(groups) * ceilingQuotient(rowExtent, blocking.rows) : tiles
    copies =
      blocking.hasRowsInPlace
      ? nil
      : builder.addMemory(
        LoopMemory(
          name: PackedCopy.rows, dtype: dtype, count: copied * blocking.tileSize(lanes),
          kind: blocking.copiesRowsFirst ? .shared : .worker))
    let width = contraction.lanes * blocking.vectors
    panels =
      switch blocking.columns {
      case .packedFirst: kernel.parameters.count - 1
      case .packedByTask:
        builder.addMemory(
          LoopMemory(
            name: "panel", dtype: dtype, count: blocking.runs * blocking.steps * width,
            kind: .worker))
      case .inPlace: nil
      }
    sums = builder.addMemory(
      LoopMemory(
        name: "sums", dtype: dtype,
        count: tiles * blocking.rows * blocking.panels * width, kind: .worker))
    body = BodyEmitter(
      builder: builder, kernel: kernel, scratch: [:], localLanes: contraction.lanes, padded: [])
  }

  /// A block of results: counters of the batch, and its first group, tile of each group, and panel.
  struct Block {
    var counters: [DimensionID: LoopIndex] = [:]
    var group: LoopIndex = 0
    var tile: LoopIndex = 0
    var panel: LoopIndex = 0
  }

  /// Emits the phases.
  func emit() throws(Diagnostic) {
    if blocking.copiesRowsFirst { try copyAllRows() }
    let counts =
      batch.map(kernel.extent) + [
        ceilingQuotient(panelCount, blocking.panels),
        ceilingQuotient(groupCount, blocking.groups),
        ceilingQuotient(tileCount, blocking.tiles),
      ]
    let taskCount = counts.reduce(1, *)
    try builder.phase(
      taskCount: taskCount, workPerTask: ceilingQuotient(kernel.work, taskCount)
    ) { task throws(Diagnostic) in
      let places = split(task, counts)
      var block = Block()
      for (id, place) in zip(batch, places) { block.counters[id] = place }
      block.panel = places[batch.count] * blocking.panels
      block.group = places[batch.count + 1] * blocking.groups
      block.tile = places[batch.count + 2] * blocking.tiles
      try sum(block)
      try finish(block)
    }
  }

  /// The digits of a number, of which the last counts fastest.
  func split(_ number: LoopIndex, _ counts: [Int]) -> [LoopIndex] {
    var rest = counts.reduce(1, *)
    return counts.map { count in
      rest /= count
      return builder.remainder(builder.quotient(number, rest), count)
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

  /// Emits what is done for each group of a block: with its number in the block, and the counters of its points.
  func forEachGroup(
    _ block: Block, _ inside: (LoopIndex, [DimensionID: LoopIndex]) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let count = count(from: block.group, to: groupCount, most: blocking.groups)
    try builder.loop("group", to: count) { number throws(Diagnostic) in
      var counters = block.counters
      let group = bounded(block.group + number, below: groupCount)
      for (id, place) in zip(groups, split(group, groups.map(kernel.extent))) {
        counters[id] = place
      }
      try inside(number, counters)
    }
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

  // MARK: Sums

  private func sum(_ block: Block) throws(Diagnostic) {
    let skips = fault == .scheduleWrongReductionStart
    let cutsRuns = runLength > blocking.steps
    try forEachPart(of: runCount, blocking.runs, "runs", skips: skips && !cutsRuns) {
      run, runs throws(Diagnostic) in
      try forEachPart(of: runLength, blocking.steps, "block", skips: skips && cutsRuns) {
        step, steps throws(Diagnostic) in
        try add(block, part(run, runs, step, steps))
      }
    }
  }

  /// The block of the reduction of which these are the numbers of the first run and step, and how many it has.
  func part(_ run: Count, _ runs: Int, _ step: Count, _ steps: Int) -> Part {
    Part(
      number: run.number * ceilingQuotient(runLength, blocking.steps) + step.number,
      run: run.first, runs: runs, step: step.first, steps: steps)
  }

  /// The number of a part, and of the first of what it has.
  struct Count {
    var number: LoopIndex
    var first: LoopIndex
  }

  /// Emits what is done for parts of one size, and for what is left behind them.
  private func forEachPart(
    of count: Int, _ size: Int, _ name: String, skips: Bool,
    _ inside: (Count, Int) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let whole = count / size
    try builder.loop(name, from: skips ? 1 : 0, to: LoopIndex(constant: whole)) {
      number throws(Diagnostic) in try inside(Count(number: number, first: number * size), size)
    }
    let rest = count % size
    if rest > 0 {
      let number = LoopIndex(constant: whole)
      try inside(Count(number: number, first: number * size), rest)
    }
  }

  /// A block of the reduction: some runs, and some steps of each.
  struct Part {
    /// Its place among all blocks.
    var number: LoopIndex
    var run: LoopIndex
    var runs: Int
    var step: LoopIndex
    var steps: Int
    var count: Int { runs * steps }
  }

  /// Adds the products of a block of the reduction.
  private func add(_ block: Block, _ part: Part) throws(Diagnostic) {
    if !blocking.copiesRowsFirst, !blocking.hasRowsInPlace { try copy(block, part) }
    let first = part.run * runLength + part.step
    let isLater =
      first == 0
      ? nil
      : builder.define(
        .compare(
          .greater, builder.define(.index(first), LoopType(.i64)),
          builder.define(.constant(0), LoopType(.i64))), LoopType(.bool))
    let panelCount = count(from: block.panel, to: panelCount, most: blocking.panels)
    let groups = count(from: block.group, to: groupCount, most: blocking.groups)
    try builder.loop("panel", to: panelCount) { panel throws(Diagnostic) in
      let number = bounded(block.panel + panel, below: self.panelCount)
      try withColumns(block, part, number, first) { columns throws(Diagnostic) in
        try builder.loop("group", to: groups) { group throws(Diagnostic) in
          try forEachTile(block) { tile, count throws(Diagnostic) in
            let slot = group * blocking.tiles + tile
            if asksForRows { try askAhead(block, part, panel, group, tile) }
            try askForOperands(block, part, number, group, tile)
            if case .packedByTask = blocking.columns {
              try askAhead(block, part, panel: panel, slot: slot)
            }
            var rows = self.rows(block, part, group, tile, count)
            rows.pass = panel * blocking.tiles + tile
            try multiply(
              sumsAt: sumPlace(panel: panel, row: slot * blocking.rows), rows, columns, slot,
              part, isLater: isLater)
          }
        }
      }
    }
  }

  /// Where the sums of a row of a block with a panel are.
  func sumPlace(panel: LoopIndex, row: LoopIndex) -> LoopIndex {
    (panel * (blocking.groups * blockRows) + row) * width
  }

  /// Adds the products of a tile of rows and a panel to their sums, or sets these.
  ///
  /// The products of a block of the reduction are summed on their own first, so that errors do not grow with the
  /// length of the reduction, but with that of a block and the number of blocks (Higham, "The accuracy of floating
  /// point summation", SIAM J. Sci. Comput. 14, 1993).
  private func multiply(
    sumsAt base: LoopIndex, _ rows: Rows, _ columns: Columns, _ slot: LoopIndex, _ part: Part,
    isLater: RegisterID?
  ) throws(Diagnostic) {
    let type = LoopType(dtype, lanes: lanes)
    let count = rows.count * blocking.vectors
    let variables = (0..<count).map { _ in builder.makeVariable(type) }
    for variable in variables { builder.assign(variable, builder.define(.constant(0), type)) }
    try builder.loop("step", to: LoopIndex(constant: part.count), unroll: 4) {
      step throws(Diagnostic) in
      if case .packedFirst = blocking.columns { askAhead(part, columns, slot, step) }
      if blocking.copiesRowsFirst, blocking.hasFarRows { askForNextTile(rows, step) }
      if blocking.hasRowsInPlace { askAhead(part, rows, columns, step) }
      let vectors = try vectors(of: columns, part, at: step)
      for row in 0..<rows.count {
        let element = try self.element(row, of: rows, part, at: step)
        for (vector, column) in vectors.enumerated() {
          let variable = variables[row * blocking.vectors + vector]
          builder.assign(variable, body.multiplyAdd(element, column, builder.read(variable)))
        }
      }
    }
    func access(_ slot: Int) -> LoopAccess {
      LoopAccess(memory: sums, offset: base + LoopIndex(constant: slot * lanes))
    }
    let parts = variables.map(builder.read)
    func set() throws(Diagnostic) {
      for (slot, part) in parts.enumerated() { builder.store(part, access(slot)) }
    }
    guard let isLater else { return try set() }
    try builder.conditional(
      isLater,
      then: { () throws(Diagnostic) in
        for (slot, part) in parts.enumerated() {
          let sum = builder.define(.load(access(slot)), type)
          builder.store(builder.define(.binary(.add, sum, part), type), access(slot))
        }
      }, otherwise: set)
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
