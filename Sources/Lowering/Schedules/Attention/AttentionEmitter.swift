import GraphIR
import LoopIR

/// Emits attention block by block of rows, as one phase.
///
/// While a matrix is computed, the rows of a block lie in the lanes of vectors and its keys follow one after the other:
/// maxima and sums over the keys need no exchange between lanes, and the key's factor of a score is a scalar that is read
/// where it lies. Only the row's factor is copied, transposed, block by block. Products with other factors then take the
/// matrix's elements as scalars, and have vectors along the columns.
///
/// Each sum runs over the keys, or the rows, in order: it is the same for any number of tasks.
struct AttentionEmitter {
  let builder: LoopsBuilder
  let attention: Attention
  let plan: AttentionPlan
  let fault: PlantedFault?
  let body: BodyEmitter
  /// The last key that a row sees, counted from its own place; nil: all.
  let lastSeenKey: Int?
  /// The worker's memory of each matrix, by its local: `[key][row of the block]`.
  private(set) var matrices: [Int: Int] = [:]
  /// The worker's memory of the rows' factor of scores, by their stage: `[step][row of the block]`.
  private(set) var factors: [Int: Int] = [:]
  /// The worker's memory of a value of each row, by its local.
  private(set) var values: [Int: Int] = [:]
  /// The worker's memory of sums over rows, by their stage: `[key][column]`.
  private(set) var sums: [Int: Int] = [:]
  /// The factors that are copied, each with the worker's memory of its copy.
  private(set) var copies: [(copy: KeyCopy, memory: Int)] = []
  /// For a stage that reads its factor from a copy the place of that.
  private(set) var copyOfStage: [Int: Int] = [:]

  var kernel: Kernel { attention.kernel }
  var rowCount: Int { kernel.extent(attention.row) }
  var keyCount: Int { kernel.extent(attention.key) }
  var lanes: Int { plan.lanes }
  /// The first step of every reduction.
  var firstStep: LoopIndex {
    LoopIndex(constant: fault == .scheduleWrongReductionStart ? 1 : 0)
  }

  /// A block of rows.
  struct Block {
    /// The counters of the batch.
    var counters: [DimensionID: LoopIndex]
    /// The first row.
    var row: LoopIndex
    /// The number of rows.
    var rows: Int
    /// The keys that any of the rows may see come before this one.
    var keyEnd: LoopIndex = 0
    /// The values of the rows that are known, by their local, a register for each vector.
    var values: [Int: [RegisterID]] = [:]
  }

  init(
    _ builder: LoopsBuilder, _ attention: Attention, _ target: Target, fault: PlantedFault?
  ) {
    self.builder = builder
    self.attention = attention
    self.fault = fault
    plan = AttentionPlan(attention, target)
    lastSeenKey = attention.lastSeenKey
    body = BodyEmitter(
      builder: builder, kernel: attention.kernel, scratch: [:], localLanes: 1, padded: [])
    addMemories(target)
  }

  private mutating func addMemories(_ target: Target) {
    func add(_ name: String, _ dtype: DType, _ count: Int) -> Int {
      builder.addMemory(LoopMemory(name: name, dtype: dtype, count: count, kind: .worker))
    }
    for group in attention.matricesByPlace {
      let type = kernel.locals[group[0]]
      let memory = add(type.name, type.type.dtype, keyCount * plan.rows)
      for local in group { matrices[local] = memory }
    }
    for (place, (copy, stages)) in attention.copies(plan, target).enumerated() {
      copies.append((copy, add("keys", attention.dtype, keyCount * copy.pitch)))
      for stage in stages { copyOfStage[stage] = place }
    }
    for (place, role) in attention.roles.enumerated() {
      switch role {
      case .scores(_, _, let step):
        factors[place] = add("rows", attention.dtype, kernel.extent(step) * plan.rows)
      case .keyProduct(let product):
        let columns = ceilingQuotient(kernel.extent(product.column), lanes) * lanes
        sums[place] = add("sums", attention.dtype, keyCount * columns)
      case .result:
        for local in kernel.stages[place].localsRead where values[local] == nil {
          guard let writer = attention.writers[local] else { continue }
          switch attention.roles[writer] {
          case .rowFold, .rowValue:
            let type = kernel.locals[local]
            values[local] = add(type.name, type.type.dtype, plan.rows)
          case .scores, .elements, .rowProduct, .keyProduct, .result: break
          }
        }
      case .elements, .rowFold, .rowValue, .rowProduct: break
      }
    }
  }

  /// Emits the phase.
  func emit() throws(Diagnostic) {
    let taskRows = plan.blocks * plan.rows
    let parts = ceilingQuotient(rowCount, taskRows)
    let counts = attention.batch.map(kernel.extent) + [parts]
    let taskCount = counts.reduce(1, *)
    try builder.phase(
      taskCount: taskCount, workPerTask: ceilingQuotient(kernel.work, taskCount)
    ) { task throws(Diagnostic) in
      var counters: [DimensionID: LoopIndex] = [:]
      var rest = taskCount
      var places: [LoopIndex] = []
      for count in counts {
        rest /= count
        places.append(builder.remainder(builder.quotient(task, rest), count))
      }
      for (id, place) in zip(attention.batch, places) { counters[id] = place }
      try copyKeys(counters)
      try clearSums()
      try rows(counters, from: places[attention.batch.count] * taskRows, taskRows)
      try finishSums(counters)
    }
  }

  /// Emits the blocks of a task.
  private func rows(
    _ counters: [DimensionID: LoopIndex], from first: LoopIndex, _ taskRows: Int
  ) throws(Diagnostic) {
    let whole = rowCount / plan.rows * plan.rows
    let end = least(first + LoopIndex(constant: taskRows), whole)
    try builder.loop("row", from: first, to: end, step: plan.rows) { row throws(Diagnostic) in
      try emit(Block(counters: counters, row: row, rows: plan.rows))
    }
    guard whole < rowCount, fault != .scheduleSkipsTail else { return }
    let last = Block(counters: counters, row: LoopIndex(constant: whole), rows: rowCount - whole)
    try when(first + LoopIndex(constant: taskRows), atLeast: rowCount) { () throws(Diagnostic) in
      try emit(last)
    }
  }

  private func emit(_ block: Block) throws(Diagnostic) {
    var block = block
    block.keyEnd = keyEnd(block)
    for (stage, role) in attention.roles.enumerated() {
      if case .scores(let row, _, let step) = role {
        try copyRows(stage, row, step, block)
      }
    }
    for step in attention.steps {
      switch step {
      case .sweep(let stages): try sweep(stages, &block)
      case .rowValue(let stage): try computeValue(stage, &block)
      case .rowProduct(let stage): try multiplyRows(stage, block)
      case .keyProduct(let stage): try multiplyKeys(stage, block)
      }
    }
  }

  /// Where a block's keys end: at a whole tile, or at the last key.
  private func keyEnd(_ block: Block) -> LoopIndex {
    guard let lastSeenKey else { return LoopIndex(constant: keyCount) }
    let seen = block.row + LoopIndex(constant: block.rows + lastSeenKey)
    let tiles = builder.quotient(seen + LoopIndex(constant: plan.keys - 1), plan.keys)
    return least(tiles * plan.keys, keyCount)
  }

  /// A point at the first of a vector of rows, with the values of these rows.
  func point(_ block: Block, vector: Int) -> Point {
    var point = Point(counters: block.counters)
    point.counters[attention.row] = block.row + LoopIndex(constant: vector * lanes)
    let active = min(lanes, block.rows - vector * lanes)
    point.vector = VectorDimension(
      id: attention.row, lanes: lanes, active: active < lanes ? active : nil)
    for (local, registers) in block.values { point.locals[local] = registers[vector] }
    return point
  }

  /// The vectors that a block's rows fill.
  func vectors(_ block: Block) -> Range<Int> { 0..<ceilingQuotient(block.rows, lanes) }

  /// Copies the rows' factor of a score to where the rows lie next to each other.
  private func copyRows(
    _ stage: Int, _ factor: Int, _ step: DimensionID, _ block: Block
  ) throws(Diagnostic) {
    let slice = kernel.stages[stage].body.slice(endingAt: factor)
    let extent = kernel.extent(step)
    func copy(_ first: LoopIndex, _ count: Int) throws(Diagnostic) {
      for vector in vectors(block) {
        for number in 0..<count {
          var point = point(block, vector: vector)
          let place = first + LoopIndex(constant: number)
          point.counters[step] = place
          if count > 1 { point.crossing = Crossing(id: step, place: number, count: count) }
          let emitted = try body.emit(slice, at: point)
          let offset = place * plan.rows + LoopIndex(constant: vector * lanes)
          builder.store(
            body.widen(emitted[emitted.count - 1], to: lanes),
            LoopAccess(memory: factors[stage] ?? 0, offset: offset))
        }
      }
    }
    // A square of rows and steps is transposed in registers.
    let whole = extent / lanes * lanes
    try builder.loop("step", to: LoopIndex(constant: whole), step: lanes) {
      first throws(Diagnostic) in try copy(first, lanes)
    }
    try builder.loop(
      "step", from: LoopIndex(constant: whole), to: LoopIndex(constant: extent), unroll: 4
    ) { place throws(Diagnostic) in try copy(place, 1) }
  }

  /// Computes a value of each row.
  private func computeValue(_ stage: Int, _ block: inout Block) throws(Diagnostic) {
    var registers: [RegisterID] = []
    for vector in vectors(block) {
      let emitted = try body.emit(
        kernel.stages[stage].body, at: point(block, vector: vector))
      registers.append(body.widen(emitted[emitted.count - 1], to: lanes))
    }
    keep(registers, of: stage, &block)
  }

  /// Keeps what a stage gave for each row, in memory too where results need it.
  func keep(_ registers: [RegisterID], of stage: Int, _ block: inout Block) {
    guard case .local(let local) = kernel.stages[stage].target else { return }
    let converted = registers.map { body.convert($0, to: kernel.locals[local].type.dtype) }
    block.values[local] = converted
    guard let memory = values[local] else { return }
    for (vector, register) in converted.enumerated() {
      builder.store(
        register, LoopAccess(memory: memory, offset: LoopIndex(constant: vector * lanes)))
    }
  }

  // MARK: Indices

  /// The lesser of an index and a limit.
  func least(_ index: LoopIndex, _ limit: Int) -> LoopIndex {
    if builder.range(of: index).upper <= limit { return index }
    if index.isConstant { return LoopIndex(constant: limit) }
    let type = LoopType(.i64)
    let own = builder.define(.index(index), type)
    let other = builder.define(.constant(UInt64(limit)), type)
    return .register(builder.define(.binary(.minimum, own, other), type))
  }

  /// Emits what is done only where an index reaches a limit.
  func when(
    _ index: LoopIndex, atLeast limit: Int, _ inside: () throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let range = builder.range(of: index)
    if range.lower >= limit { return try inside() }
    if range.upper < limit { return }
    let own = builder.define(.index(index), LoopType(.i64))
    let other = builder.define(.constant(UInt64(limit)), LoopType(.i64))
    let reaches = builder.define(.compare(.greaterEqual, own, other), LoopType(.bool))
    try builder.conditional(reaches, then: inside)
  }
}
