import GraphIR
import LoopIR

/// Products of matrices with other factors.
extension AttentionEmitter {
  /// Columns that are computed together: the first, and the lanes of each vector that are columns.
  struct Columns {
    var first: LoopIndex
    var active: [Int]
  }

  /// Runs a body for groups of columns.
  func columns(
    of id: DimensionID, _ vectors: Int, _ inside: (Columns) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let extent = kernel.extent(id)
    let width = vectors * lanes
    let whole = extent / width * width
    try builder.loop("column", to: LoopIndex(constant: whole), step: width) {
      first throws(Diagnostic) in
      try inside(Columns(first: first, active: Array(repeating: lanes, count: vectors)))
    }
    if whole < extent, fault != .scheduleSkipsTail || whole == 0 {
      let active = stride(from: whole, to: extent, by: lanes).map { min(lanes, extent - $0) }
      try inside(Columns(first: LoopIndex(constant: whole), active: active))
    }
  }

  /// Runs a body for tiles of some rows or keys, the last of which may be smaller.
  private func tiles(
    _ name: String, _ count: Int, of size: Int,
    _ inside: (LoopIndex, Int) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let whole = count / size * size
    try builder.loop(name, to: LoopIndex(constant: whole), step: size) { first throws(Diagnostic) in
      try inside(first, size)
    }
    if whole < count { try inside(LoopIndex(constant: whole), count - whole) }
  }

  /// A point with a vector of columns.
  func point(
    _ counters: [DimensionID: LoopIndex], _ id: DimensionID, _ columns: Columns, _ vector: Int
  ) -> Point {
    var point = Point(counters: counters)
    point.counters[id] = columns.first + LoopIndex(constant: vector * lanes)
    let active = columns.active[vector]
    point.vector = VectorDimension(id: id, lanes: lanes, active: active < lanes ? active : nil)
    return point
  }

  private var type: LoopType { LoopType(attention.dtype, lanes: lanes) }

  /// Adds the products of one step to sums: an element of the matrix for each row of the tile, by `element`, with the
  /// other factor at the counters.
  private func add(
    _ stage: Int, _ product: Attention.Product, _ slice: ScalarBody,
    _ counters: [DimensionID: LoopIndex], _ columns: Columns, _ variables: [[VariableID]],
    element: (Int) -> LoopIndex
  ) throws(Diagnostic) {
    let factors = try factors(stage, product, slice, counters, columns)
    for (row, variables) in variables.enumerated() {
      let access = LoopAccess(memory: matrices[product.matrix] ?? 0, offset: element(row))
      let value = builder.define(.load(access), LoopType(attention.dtype))
      for (factor, variable) in zip(factors, variables) {
        builder.assign(variable, body.multiplyAdd(value, factor, builder.read(variable)))
      }
    }
  }

  /// The vectors of a product's other factor.
  private func factors(
    _ stage: Int, _ product: Attention.Product, _ slice: ScalarBody,
    _ counters: [DimensionID: LoopIndex], _ columns: Columns
  ) throws(Diagnostic) -> [RegisterID] {
    var factors: [RegisterID] = []
    for vector in columns.active.indices {
      if let copy = copyOfStage[stage], let key = counters[attention.key] {
        let (copy, memory) = copies[copy]
        let offset = key * copy.pitch + columns.first + LoopIndex(constant: vector * lanes)
        factors.append(builder.define(.load(LoopAccess(memory: memory, offset: offset)), type))
      } else {
        let emitted = try body.emit(slice, at: point(counters, product.column, columns, vector))
        factors.append(body.widen(emitted[emitted.count - 1], to: lanes))
      }
    }
    return factors
  }

  // MARK: Over keys

  /// Emits a block's products over the keys, and what they become.
  func multiplyRows(_ stage: Int, _ block: Block) throws(Diagnostic) {
    guard case .rowProduct(let product) = attention.roles[stage], let tile = plan.tiles[stage]
    else { return }
    try columns(of: product.column, tile.vectors) { columns throws(Diagnostic) in
      try tiles("row", block.rows, of: tile.rows) { first, rows throws(Diagnostic) in
        try multiplyRows(stage, product, block, columns, first, rows)
      }
    }
  }

  private func multiplyRows(
    _ stage: Int, _ product: Attention.Product, _ block: Block, _ columns: Columns,
    _ first: LoopIndex, _ rows: Int
  ) throws(Diagnostic) {
    let slice = kernel.stages[stage].body.slice(endingAt: product.factor)
    let zero = builder.define(.constant(0), type)
    let variables = (0..<rows).map { _ in
      columns.active.map { _ in
        let variable = builder.makeVariable(type)
        builder.assign(variable, zero)
        return variable
      }
    }
    try builder.loop("key", from: firstStep, to: block.keyEnd, unroll: 4) {
      key throws(Diagnostic) in
      var counters = block.counters
      counters[attention.key] = key
      try add(stage, product, slice, counters, columns, variables) { row in
        key * plan.rows + first + LoopIndex(constant: row)
      }
    }
    for (row, variables) in variables.enumerated() {
      let place = first + LoopIndex(constant: row)
      var counters = block.counters
      counters[attention.row] = block.row + place
      var locals: [Int: RegisterID] = [:]
      for (local, memory) in values.sorted(by: { $0.key < $1.key }) {
        guard isNeeded(local, by: stage) else { continue }
        locals[local] = builder.define(
          .load(LoopAccess(memory: memory, offset: place)),
          LoopType(kernel.locals[local].type.dtype))
      }
      for (vector, variable) in variables.enumerated() {
        var point = point(counters, product.column, columns, vector)
        point.locals = locals
        try finish(stage, builder.read(variable), point)
      }
    }
  }

  private func isNeeded(_ local: Int, by product: Int) -> Bool {
    attention.results(of: product).contains { kernel.stages[$0].localsRead.contains(local) }
  }

  /// Stores a product's sum, or what its results make of it.
  private func finish(
    _ stage: Int, _ sum: RegisterID, _ point: Point
  ) throws(Diagnostic) {
    var point = point
    func put(_ register: RegisterID, _ stage: KernelStage) throws(Diagnostic) {
      switch stage.target {
      case .local(let local):
        point.locals[local] = body.convert(register, to: kernel.locals[local].type.dtype)
      case .parameter:
        try body.store(register, to: stage.target, at: stage.index[0], point)
      }
    }
    try put(sum, kernel.stages[stage])
    for result in attention.results(of: stage) {
      let emitted = try body.emit(kernel.stages[result].body, at: point)
      try put(emitted[emitted.count - 1], kernel.stages[result])
    }
  }

  // MARK: Over rows

  /// The elements between the sums of two keys.
  private func width(_ product: Attention.Product) -> Int {
    ceilingQuotient(kernel.extent(product.column), lanes) * lanes
  }

  private func access(
    _ stage: Int, _ product: Attention.Product, _ key: LoopIndex, _ columns: Columns, _ vector: Int
  ) -> LoopAccess {
    LoopAccess(
      memory: sums[stage] ?? 0,
      offset: key * width(product) + columns.first + LoopIndex(constant: vector * lanes))
  }

  /// Sets all sums over rows to zero.
  func clearSums() throws(Diagnostic) {
    for (stage, memory) in sums.sorted(by: { $0.key < $1.key }) {
      guard case .keyProduct(let product) = attention.roles[stage] else { continue }
      let end = LoopIndex(constant: keyCount * width(product))
      try builder.loop("sum", to: end, step: lanes, unroll: 4) { place throws(Diagnostic) in
        builder.store(
          builder.define(.constant(0), type), LoopAccess(memory: memory, offset: place))
      }
    }
  }

  /// Adds a block's products over its rows to the sums of the keys that it sees.
  func multiplyKeys(_ stage: Int, _ block: Block) throws(Diagnostic) {
    guard case .keyProduct(let product) = attention.roles[stage], let tile = plan.tiles[stage]
    else { return }
    // Beyond the block's last key the matrix is not computed: a tile ends there, or at a whole tile of the matrix.
    let keys = plan.keys % tile.rows == 0 ? tile.rows : plan.keys
    let whole = keyCount / keys * keys
    try columns(of: product.column, tile.vectors) { columns throws(Diagnostic) in
      try builder.loop("key", to: least(block.keyEnd, whole), step: keys) {
        key throws(Diagnostic) in
        try multiplyKeys(stage, product, block, columns, key, keys)
      }
      guard whole < keyCount else { return }
      try when(block.keyEnd, atLeast: whole + 1) { () throws(Diagnostic) in
        try multiplyKeys(
          stage, product, block, columns, LoopIndex(constant: whole), keyCount - whole)
      }
    }
  }

  private func multiplyKeys(
    _ stage: Int, _ product: Attention.Product, _ block: Block, _ columns: Columns,
    _ key: LoopIndex, _ keys: Int
  ) throws(Diagnostic) {
    let slice = kernel.stages[stage].body.slice(endingAt: product.factor)
    let places = (0..<keys).map { key + LoopIndex(constant: $0) }
    let variables = places.map { key in
      columns.active.indices.map { vector in
        let variable = builder.makeVariable(type)
        let sum = builder.define(
          .load(access(stage, product, key, columns, vector)), type)
        builder.assign(variable, sum)
        return variable
      }
    }
    try builder.loop("row", to: LoopIndex(constant: block.rows), unroll: 4) {
      row throws(Diagnostic) in
      var counters = block.counters
      counters[attention.row] = block.row + row
      try add(stage, product, slice, counters, columns, variables) { places[$0] * plan.rows + row }
    }
    for (key, variables) in zip(places, variables) {
      for (vector, variable) in variables.enumerated() {
        builder.store(
          builder.read(variable), access(stage, product, key, columns, vector))
      }
    }
  }

  /// Emits what the sums over rows become, once all rows are added.
  func finishSums(_ counters: [DimensionID: LoopIndex]) throws(Diagnostic) {
    for stage in sums.keys.sorted() {
      guard case .keyProduct(let product) = attention.roles[stage], let tile = plan.tiles[stage]
      else { continue }
      try builder.loop("key", to: LoopIndex(constant: keyCount)) { key throws(Diagnostic) in
        try columns(of: product.column, tile.vectors) { columns throws(Diagnostic) in
          var counters = counters
          counters[attention.key] = key
          for vector in columns.active.indices {
            let sum = builder.define(
              .load(access(stage, product, key, columns, vector)), type)
            try finish(stage, sum, point(counters, product.column, columns, vector))
          }
        }
      }
    }
  }
}
