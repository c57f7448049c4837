extension Loops {
  /// Replaces the places of memories, wherever they are named, by others.
  package mutating func renumberMemories(_ moved: (Int) -> Int) {
    for place in phases.indices {
      phases[place].body = phases[place].body.map { $0.renumberingMemories(moved) }
    }
  }
}

extension LoopStatement {
  fileprivate func renumberingMemories(_ moved: (Int) -> Int) -> LoopStatement {
    switch self {
    case .define(let register, let instruction):
      .define(register, instruction.renumberingMemories(moved))
    case .assign: self
    case .store(let access, let register):
      .store(access.renumberingMemory(moved), register)
    case .prefetch(let memory, let offset): .prefetch(memory: moved(memory), offset: offset)
    case .loop(let counter, let start, let end, let step, let unroll, let body):
      .loop(
        counter, start: start, end: end, step: step, unroll: unroll,
        body.map { $0.renumberingMemories(moved) })
    case .conditional(let register, let then, let otherwise):
      .conditional(
        register, then: then.map { $0.renumberingMemories(moved) },
        otherwise: otherwise.map { $0.renumberingMemories(moved) })
    }
  }
}

extension LoopInstruction {
  fileprivate func renumberingMemories(_ moved: (Int) -> Int) -> LoopInstruction {
    switch self {
    case .load(let access): .load(access.renumberingMemory(moved))
    case .gather(let memory, let offset, let offsets, let mask):
      .gather(memory: moved(memory), offset: offset, offsets: offsets, mask: mask)
    case .constant, .index, .lanes, .read, .broadcast, .extract, .shuffle, .reduceLanes, .unary,
      .binary, .multiplyAdd, .compare, .select, .convert, .random:
      self
    }
  }
}

extension LoopAccess {
  fileprivate func renumberingMemory(_ moved: (Int) -> Int) -> LoopAccess {
    var access = self
    access.memory = moved(memory)
    return access
  }
}
