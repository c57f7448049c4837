import GraphIR

/// Runs loops on memory, statement by statement: slow, simple, and the judge of what a schedule says.
///
/// Every access is checked before it is made. Scratch starts out, and worker scratch starts each task, filled with
/// a pattern, so that reading what was not written shows.
package struct LoopsEvaluator {
  private let loops: Loops
  private var memories: [UnsafeMutableRawBufferPointer]
  private var registers: [[UInt64]]
  private var variables: [[UInt64]]
  private var counters: [Int]

  /// Runs the loops once.
  ///
  /// - Parameter parameters: the memory of the kernel's parameters, in order; each holds at least the elements that
  ///   the loops declare.
  /// - Throws: what an access outside of its memory, or malformed loops, would have broken.
  package static func run(
    _ loops: Loops, parameters: [UnsafeMutableRawBufferPointer]
  ) throws(Diagnostic) {
    if let problem = loops.verify().first { throw problem }
    var evaluator = try LoopsEvaluator(loops, parameters)
    defer { evaluator.freeScratch(parameters.count) }
    for phase in loops.phases {
      for task in 0..<phase.taskCount {
        evaluator.poison(.worker)
        evaluator.counters[phase.task.index] = task
        try evaluator.run(phase.body)
      }
    }
  }

  private init(
    _ loops: Loops, _ parameters: [UnsafeMutableRawBufferPointer]
  ) throws(Diagnostic) {
    self.loops = loops
    registers = loops.registers.map { [UInt64](repeating: 0, count: $0.lanes) }
    variables = loops.variables.map { [UInt64](repeating: 0, count: $0.lanes) }
    counters = [Int](repeating: 0, count: loops.counters.count)
    memories = []
    for (place, memory) in loops.memories.enumerated() {
      let bytes = memory.count * memory.dtype.byteCount
      switch memory.kind {
      case .input, .output:
        guard place < parameters.count, parameters[place].count >= bytes else {
          throw Diagnostic(.argument, "loops '\(loops.name)': no memory for '\(memory.name)'")
        }
      case .shared, .worker:
        guard place >= parameters.count else {
          throw Diagnostic(.argument, "loops '\(loops.name)': '\(memory.name)' is no parameter")
        }
      }
    }
    for (place, memory) in loops.memories.enumerated() {
      let bytes = memory.count * memory.dtype.byteCount
      memories.append(
        place < parameters.count
          ? parameters[place] : .allocate(byteCount: bytes, alignment: 64))
    }
    poison(.shared)
  }

  private func freeScratch(_ parameterCount: Int) {
    for memory in memories.dropFirst(parameterCount) { memory.deallocate() }
  }

  private func poison(_ kind: LoopMemory.Kind) {
    for (memory, bytes) in zip(loops.memories, memories) where memory.kind == kind {
      for place in bytes.indices { bytes[place] = memory.dtype == .bool ? 1 : 0xFF }
    }
  }

  private mutating func run(_ statements: [LoopStatement]) throws(Diagnostic) {
    for statement in statements {
      switch statement {
      case .define(let register, let instruction):
        registers[register.index] = try value(of: instruction, loops.registers[register.index])
      case .assign(let variable, let register):
        variables[variable.index] = registers[register.index]
      case .store(let access, let register):
        try store(access, register)
      case .prefetch: break
      case .loop(let counter, let start, let end, let step, _, let body):
        let end = evaluate(end)
        var at = evaluate(start)
        while at < end {
          counters[counter.index] = at
          try run(body)
          at += step
        }
      case .conditional(let condition, let then, let otherwise):
        try run(registers[condition.index][0] != 0 ? then : otherwise)
      }
    }
  }

  private func evaluate(_ index: LoopIndex) -> Int {
    index.terms.reduce(index.constant) { sum, term in
      let atom =
        switch term.atom {
        case .counter(let id): counters[id.index]
        case .register(let id): Int(bitPattern: UInt(registers[id.index][0]))
        case .quotient(let index, let divisor): floorQuotient(evaluate(index), divisor)
        case .remainder(let index, let divisor): floorRemainder(evaluate(index), divisor)
        }
      return sum &+ term.coefficient &* atom
    }
  }

  private func value(
    of instruction: LoopInstruction, _ type: LoopType
  ) throws(Diagnostic) -> [UInt64] {
    switch instruction {
    case .constant(let bits):
      return [UInt64](repeating: bits, count: type.lanes)
    case .index(let index):
      return [UInt64(bitPattern: Int64(evaluate(index)))]
    case .lanes(let index, let stride):
      let first = evaluate(index)
      return (0..<type.lanes).map { UInt64(bitPattern: Int64(first + $0 * stride)) }
    case .load(let access):
      return try load(access, type)
    case .gather(let memory, let offset, let offsets, let mask):
      var lanes = [UInt64](repeating: 0, count: type.lanes)
      let first = evaluate(offset)
      for lane in lanes.indices where mask.map({ registers[$0.index][lane] != 0 }) ?? true {
        let distance = Int(bitPattern: UInt(registers[offsets.index][lane]))
        lanes[lane] = try element(memory, first &+ distance)
      }
      return lanes
    case .read(let variable):
      return variables[variable.index]
    case .broadcast(let a):
      return [UInt64](repeating: registers[a.index][0], count: type.lanes)
    case .extract(let a, let lane):
      return [registers[a.index][lane]]
    case .shuffle(let a, let b, let lanes):
      let both = registers[a.index] + registers[b.index]
      return lanes.map { both[$0] }
    case .reduceLanes(let function, let a):
      return [reduce(registers[a.index], function, type.dtype)]
    case .unary, .binary, .multiplyAdd, .compare, .select, .convert, .random:
      return (0..<type.lanes).map { lane(of: instruction, type.dtype, $0) }
    }
  }

  /// One lane of an instruction that works lane by lane.
  private func lane(of instruction: LoopInstruction, _ dtype: DType, _ lane: Int) -> UInt64 {
    func operand(_ register: RegisterID) -> UInt64 { registers[register.index][lane] }
    switch instruction {
    case .unary(let function, let a):
      return ScalarArithmetic.unary(function, operand(a), dtype)
    case .binary(let function, let a, let b):
      return ScalarArithmetic.binary(function, operand(a), operand(b), dtype)
    case .multiplyAdd(let a, let b, let c):
      return ScalarArithmetic.multiplyAdd(operand(a), operand(b), operand(c), dtype)
    case .compare(let function, let a, let b):
      let type = loops.registers[a.index].dtype
      return ScalarArithmetic.compare(function, operand(a), operand(b), type) ? 1 : 0
    case .select(let condition, let a, let b):
      return operand(condition) != 0 ? operand(a) : operand(b)
    case .convert(let a):
      return ScalarArithmetic.convert(operand(a), loops.registers[a.index].dtype, to: dtype)
    case .random(let stream, let index, let seed, let step):
      return Philox.element(
        operand(index), stream: UInt64(stream), seed: registers[seed.index][0],
        step: registers[step.index][0], dtype)
    case .constant, .index, .lanes, .load, .gather, .read, .broadcast, .extract, .shuffle,
      .reduceLanes:
      return 0
    }
  }

  private func reduce(
    _ lanes: [UInt64], _ function: ReduceFunction, _ dtype: DType
  ) -> UInt64 {
    var lanes = lanes
    while lanes.count > 1 {
      let half = lanes.count / 2
      lanes = (0..<half).map {
        ScalarArithmetic.binary(function.combination, lanes[$0], lanes[$0 + half], dtype)
      }
    }
    return lanes[0]
  }
}

// MARK: - Memory

extension LoopsEvaluator {
  private func load(_ access: LoopAccess, _ type: LoopType) throws(Diagnostic) -> [UInt64] {
    var lanes = [UInt64](repeating: 0, count: type.lanes)
    let first = evaluate(access.offset)
    for lane in 0..<(access.active ?? type.lanes) where isActive(access, lane) {
      lanes[lane] = try element(access.memory, first + lane * access.stride)
    }
    return lanes
  }

  private func isActive(_ access: LoopAccess, _ lane: Int) -> Bool {
    access.mask.map { registers[$0.index][lane] != 0 } ?? true
  }

  private func place(_ memory: Int, _ place: Int) throws(Diagnostic) -> Int {
    guard (0..<loops.memories[memory].count).contains(place) else {
      throw Diagnostic(
        .malformedGraph,
        "loops '\(loops.name)' access element \(place) of '\(loops.memories[memory].name)', which "
          + "has \(loops.memories[memory].count)")
    }
    return place * loops.memories[memory].dtype.byteCount
  }

  private func element(_ memory: Int, _ at: Int) throws(Diagnostic) -> UInt64 {
    let offset = try place(memory, at)
    let bytes = UnsafeRawBufferPointer(memories[memory])
    return switch loops.memories[memory].dtype.byteCount {
    case 1: UInt64(bytes[offset])
    case 2: UInt64(bytes.load(fromByteOffset: offset, as: UInt16.self))
    case 4: UInt64(bytes.load(fromByteOffset: offset, as: UInt32.self))
    default: bytes.load(fromByteOffset: offset, as: UInt64.self)
    }
  }

  private func store(_ access: LoopAccess, _ register: RegisterID) throws(Diagnostic) {
    let lanes = registers[register.index]
    let first = evaluate(access.offset)
    for lane in 0..<(access.active ?? lanes.count) where isActive(access, lane) {
      let offset = try place(access.memory, first + lane * access.stride)
      let (bytes, bits) = (memories[access.memory], lanes[lane])
      switch loops.memories[access.memory].dtype.byteCount {
      case 1: bytes[offset] = UInt8(truncatingIfNeeded: bits)
      case 2:
        bytes.storeBytes(
          of: UInt16(truncatingIfNeeded: bits), toByteOffset: offset, as: UInt16.self)
      case 4:
        bytes.storeBytes(
          of: UInt32(truncatingIfNeeded: bits), toByteOffset: offset, as: UInt32.self)
      default: bytes.storeBytes(of: bits, toByteOffset: offset, as: UInt64.self)
      }
    }
  }
}

extension ReduceFunction {
  /// The function of two values that the reduction repeats.
  package var combination: BinaryFunction {
    switch self {
    case .sum: .add
    case .product: .multiply
    case .max: .maximum
    case .min: .minimum
    }
  }
}
