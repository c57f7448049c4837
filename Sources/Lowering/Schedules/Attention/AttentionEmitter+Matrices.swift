import GraphIR
import LoopIR

/// Matrices, and folds over their keys.
extension AttentionEmitter {
  /// Emits stages for one tile of keys after the other.
  func sweep(_ stages: [Int], _ block: inout Block) throws(Diagnostic) {
    var folds: [Int: [VariableID]] = [:]
    for stage in stages {
      if case .rowFold(let function) = attention.roles[stage] {
        folds[stage] = accumulators(stage, function, block)
      }
    }
    let whole = keyCount / plan.keys * plan.keys
    let fixed = block
    try builder.loop("key", to: least(block.keyEnd, whole), step: plan.keys) {
      key throws(Diagnostic) in
      try tile(stages, fixed, key, plan.keys, folds)
    }
    if whole < keyCount, fault != .scheduleSkipsTail {
      try when(block.keyEnd, atLeast: whole + 1) { () throws(Diagnostic) in
        try tile(stages, fixed, LoopIndex(constant: whole), keyCount - whole, folds)
      }
    }
    for stage in stages {
      guard let variables = folds[stage] else { continue }
      keep(variables.map { builder.read($0) }, of: stage, &block)
    }
  }

  private func accumulators(
    _ stage: Int, _ function: ReduceFunction, _ block: Block
  ) -> [VariableID] {
    let value = kernel.stages[stage].body.instructions.last?.dtype ?? .f32
    let type = LoopType(StageEmitter.accumulator(value, function), lanes: lanes)
    return vectors(block).map { _ in
      let variable = builder.makeVariable(type)
      builder.assign(variable, builder.define(.constant(function.identity(type.dtype)), type))
      return variable
    }
  }

  /// Emits stages for a tile of keys.
  private func tile(
    _ stages: [Int], _ block: Block, _ key: LoopIndex, _ keys: Int, _ folds: [Int: [VariableID]]
  ) throws(Diagnostic) {
    var points = (0..<keys).map { offset in
      vectors(block).map { vector in
        var point = point(block, vector: vector)
        point.counters[attention.key] = key + LoopIndex(constant: offset)
        return point
      }
    }
    for stage in stages {
      switch attention.roles[stage] {
      case .scores(_, let factor, let step):
        let scores = try scores(stage, factor, step, block, key, keys)
        for offset in 0..<keys {
          for vector in vectors(block) {
            try set(scores[offset][vector], stage, &points[offset][vector], key, offset, vector)
          }
        }
      case .elements:
        for offset in 0..<keys {
          for vector in vectors(block) {
            load(stage, &points[offset][vector], key, offset, vector)
            let emitted = try body.emit(
              kernel.stages[stage].body, at: points[offset][vector])
            try set(
              emitted[emitted.count - 1], stage, &points[offset][vector], key, offset, vector)
          }
        }
      case .rowFold(let function):
        for offset in 0..<keys {
          for vector in vectors(block) {
            load(stage, &points[offset][vector], key, offset, vector)
            guard let variable = folds[stage]?[vector] else { continue }
            try fold(stage, function, points[offset][vector], into: variable)
          }
        }
      case .rowValue, .rowProduct, .keyProduct, .result: break
      }
    }
  }

  private func place(_ key: LoopIndex, _ offset: Int, _ vector: Int) -> LoopIndex {
    (key + LoopIndex(constant: offset)) * plan.rows + LoopIndex(constant: vector * lanes)
  }

  /// Makes an element of a matrix known at a point, and stores it where another pass needs it.
  private func set(
    _ register: RegisterID, _ stage: Int, _ point: inout Point, _ key: LoopIndex, _ offset: Int,
    _ vector: Int
  ) throws(Diagnostic) {
    guard case .local(let local) = kernel.stages[stage].target else { return }
    let value = body.widen(
      body.convert(register, to: kernel.locals[local].type.dtype), to: lanes)
    point.locals[local] = value
    guard let memory = matrices[local] else { return }
    builder.store(
      value, LoopAccess(memory: memory, offset: place(key, offset, vector)))
  }

  /// Loads the elements of matrices that a stage reads and an earlier pass has computed.
  private func load(
    _ stage: Int, _ point: inout Point, _ key: LoopIndex, _ offset: Int, _ vector: Int
  ) {
    for local in kernel.stages[stage].localsRead where point.locals[local] == nil {
      guard let memory = matrices[local] else { continue }
      let type = LoopType(kernel.locals[local].type.dtype, lanes: lanes)
      point.locals[local] = builder.define(
        .load(LoopAccess(memory: memory, offset: place(key, offset, vector))), type)
    }
  }

  private func fold(
    _ stage: Int, _ function: ReduceFunction, _ point: Point, into variable: VariableID
  ) throws(Diagnostic) {
    let instructions = kernel.stages[stage].body
    let sum = builder.read(variable)
    let type = builder.type(of: sum)
    if let factors = kernel.stages[stage].factors, function == .sum,
      instructions.instructions.last?.dtype == type.dtype
    {
      let emitted = try body.emit(
        instructions, at: point, count: instructions.instructions.count - 1)
      return builder.assign(
        variable, body.multiplyAdd(emitted[factors[0]], emitted[factors[1]], sum))
    }
    let emitted = try body.emit(instructions, at: point)
    let value = body.convert(emitted[emitted.count - 1], to: type.dtype)
    builder.assign(variable, body.binary(function.combination, sum, value))
  }

  /// The sums of a tile of scores: for each key a register for each vector of rows.
  private func scores(
    _ stage: Int, _ factor: Int, _ step: DimensionID, _ block: Block, _ key: LoopIndex,
    _ keys: Int
  ) throws(Diagnostic) -> [[RegisterID]] {
    let type = LoopType(attention.dtype, lanes: lanes)
    let slice = kernel.stages[stage].body.slice(endingAt: factor)
    let variables = (0..<keys).map { _ in
      vectors(block).map { _ in
        let variable = builder.makeVariable(type)
        builder.assign(variable, builder.define(.constant(0), type))
        return variable
      }
    }
    let end = LoopIndex(constant: kernel.extent(step))
    try builder.loop("step", from: firstStep, to: end, unroll: 4) { place throws(Diagnostic) in
      let rows = vectors(block).map { vector in
        let offset = place * plan.rows + LoopIndex(constant: vector * lanes)
        return builder.define(
          .load(LoopAccess(memory: factors[stage] ?? 0, offset: offset)), type)
      }
      for (offset, variables) in variables.enumerated() {
        var counters = block.counters
        counters[attention.key] = key + LoopIndex(constant: offset)
        counters[step] = place
        let factor = try keyFactor(stage, slice, counters, step)
        for (row, variable) in zip(rows, variables) {
          builder.assign(variable, body.multiplyAdd(factor, row, builder.read(variable)))
        }
      }
    }
    return variables.map { $0.map { builder.read($0) } }
  }
}
