import GraphIR

extension Loops {
  /// Checks the loops; gives all that is wrong.
  ///
  /// Invariants:
  /// 1. every register is defined once, before its uses, in a block that encloses them;
  /// 2. a variable is assigned before it is read, by its order in the text;
  /// 3. a counter is used in its own loop or phase only;
  /// 4. operands and results have the types that the instruction asks for;
  /// 5. memories are named by valid places; `input` memories are not stored to;
  /// 6. `active` lies in `1 ... lanes`, strides and divisors and steps are positive, lanes are at least 1;
  /// 7. an access without a mask, outside of conditionals, stays inside its memory for every value that its counters
  ///    can take (by intervals); inside of conditionals the condition may be what guards it;
  /// 8. a streamed store is dense;
  /// 9. there is at least one task in each phase.
  package func verify() -> [Diagnostic] {
    var verifier = LoopsVerifier(loops: self)
    verifier.verify()
    return verifier.problems
  }
}

/// Walks loops in the order of the text.
struct LoopsVerifier {
  let loops: Loops
  var problems: [Diagnostic] = []
  /// Whether each register is defined here, and whether it ever was.
  private var isDefined: [Bool]
  private var wasDefined: [Bool]
  /// The registers that are defined, in order.
  private var defined: [Int] = []
  private var assigned: Set<VariableID> = []
  /// What is known of each counter; nil outside of its loop.
  private var counters: [IndexRange?]
  /// What is known of each register.
  private var values: [IndexRange]
  private var conditionDepth = 0

  init(loops: Loops) {
    self.loops = loops
    isDefined = loops.registers.map { _ in false }
    wasDefined = isDefined
    counters = loops.counters.map { _ in nil }
    values = loops.registers.map { _ in .unknown }
  }

  mutating func verify() {
    for memory in loops.memories where memory.count < 1 {
      report("memory '\(memory.name)' has \(memory.count) elements")
    }
    for phase in loops.phases {
      if phase.taskCount < 1 { report("a phase has \(phase.taskCount) tasks") }
      guard counters.indices.contains(phase.task.index) else {
        report("a phase's task is the unknown counter \(phase.task.index)")
        continue
      }
      assigned = []
      counters[phase.task.index] = IndexRange(0, max(phase.taskCount - 1, 0))
      block(phase.body)
      counters[phase.task.index] = nil
    }
  }

  mutating func report(_ message: String) {
    problems.append(Diagnostic(.malformedGraph, "loops '\(loops.name)': \(message)"))
  }

  private mutating func block(_ statements: [LoopStatement]) {
    let outside = defined.count
    for statement in statements { check(statement) }
    while defined.count > outside { isDefined[defined.removeLast()] = false }
  }

  private mutating func check(_ statement: LoopStatement) {
    switch statement {
    case .define(let register, let instruction):
      define(register, instruction)
    case .assign(let variable, let register):
      use(register)
      guard loops.variables.indices.contains(variable.index) else {
        return report("unknown variable $\(variable.index)")
      }
      if type(register) != loops.variables[variable.index] {
        report("$\(variable.index) is assigned %\(register.index) of type \(type(register))")
      }
      assigned.insert(variable)
    case .store(let access, let register):
      use(register)
      check(access, type(register))
      if access.isStreamed, access.stride != 1 {
        report("a streamed store has stride \(access.stride)")
      }
      if loops.memories.indices.contains(access.memory),
        loops.memories[access.memory].kind == .input
      {
        report("store to the input '\(loops.memories[access.memory].name)'")
      }
    case .prefetch(let memory, let offset):
      check(offset)
      if !loops.memories.indices.contains(memory) { report("unknown memory \(memory)") }
    case .loop(let counter, let start, let end, let step, _, let body):
      loop(counter, start, end, step, body)
    case .conditional(let condition, let then, let otherwise):
      use(condition)
      if type(condition) != LoopType(.bool) { report("a condition is \(type(condition))") }
      conditionDepth += 1
      block(then)
      block(otherwise)
      conditionDepth -= 1
    }
  }

  private mutating func loop(
    _ counter: CounterID, _ start: LoopIndex, _ end: LoopIndex, _ step: Int,
    _ body: [LoopStatement]
  ) {
    check(start)
    check(end)
    if step < 1 { return report("a loop has step \(step)") }
    guard counters.indices.contains(counter.index), counters[counter.index] == nil else {
      return report("counter \(counter.index) is used by two nested loops or unknown")
    }
    counters[counter.index] = LoopsBuilder.counterRange(range(start), range(end), step: step)
    block(body)
    counters[counter.index] = nil
  }

  private mutating func define(_ register: RegisterID, _ instruction: LoopInstruction) {
    guard loops.registers.indices.contains(register.index) else {
      return report("unknown register %\(register.index)")
    }
    let result = loops.registers[register.index]
    if result.lanes < 1 { report("%\(register.index) has \(result.lanes) lanes") }
    for operand in instruction.operands { use(operand) }
    check(instruction, result, register)
    if wasDefined[register.index] { report("%\(register.index) is defined twice") }
    wasDefined[register.index] = true
    if !isDefined[register.index] { defined.append(register.index) }
    isDefined[register.index] = true
    guard result.dtype.isInteger, result.lanes == 1 else { return }
    let range = loops.range(
      of: instruction, result.dtype, counters: { self.range(of: $0) },
      registers: { self.range(of: $0) })
    values[register.index] = range
  }

  /// What is known of a counter or a register, which may be one that does not exist.
  private func range(of counter: CounterID) -> IndexRange {
    counters.indices.contains(counter.index) ? counters[counter.index] ?? .unknown : .unknown
  }

  private func range(of register: RegisterID) -> IndexRange {
    values.indices.contains(register.index) ? values[register.index] : .unknown
  }

  mutating func use(_ register: RegisterID) {
    if !isDefined.indices.contains(register.index) || !isDefined[register.index] {
      report("%\(register.index) is used where it is not defined")
    }
  }

  func type(_ register: RegisterID) -> LoopType {
    loops.registers.indices.contains(register.index)
      ? loops.registers[register.index] : LoopType(.bool, lanes: 0)
  }

  mutating func checkRead(_ variable: VariableID, _ result: LoopType, _ name: String) {
    guard loops.variables.indices.contains(variable.index) else {
      return report("unknown variable $\(variable.index)")
    }
    if loops.variables[variable.index] != result {
      report("\(name) reads a variable of another type")
    }
    if !assigned.contains(variable) { report("$\(variable.index) is read before it is assigned") }
  }

  mutating func check(_ index: LoopIndex) {
    for term in index.terms {
      switch term.atom {
      case .counter(let id):
        if !counters.indices.contains(id.index) || counters[id.index] == nil {
          report("counter \(id.index) is used outside of its loop")
        }
      case .register(let id):
        use(id)
        if type(id) != LoopType(.i64) { report("the index %\(id.index) is \(type(id))") }
      case .quotient(let inner, let divisor), .remainder(let inner, let divisor):
        if divisor < 1 { report("an index is divided by \(divisor)") }
        check(inner)
      }
    }
  }

  mutating func check(_ access: LoopAccess, _ value: LoopType) {
    check(access.offset)
    guard loops.memories.indices.contains(access.memory) else {
      return report("unknown memory \(access.memory)")
    }
    let memory = loops.memories[access.memory]
    if memory.dtype != value.dtype {
      report("'\(memory.name)' holds \(memory.dtype), not \(value.dtype)")
    }
    if let active = access.active, !(1...max(value.lanes, 1)).contains(active) {
      report("\(active) of \(value.lanes) lanes are active")
    }
    if let mask = access.mask {
      use(mask)
      if type(mask) != LoopType(.bool, lanes: value.lanes) { report("a mask is \(type(mask))") }
      return
    }
    if conditionDepth > 0 { return }
    let first = range(access.offset)
    let last = first + IndexRange(0, ((access.active ?? value.lanes) - 1) * abs(access.stride))
    if first.lower < 0 || last.upper >= memory.count {
      report(
        "an access may reach \(first.lower)...\(last.upper) of '\(memory.name)', which has "
          + "\(memory.count) elements")
    }
  }

  private func range(_ index: LoopIndex) -> IndexRange {
    index.range(counters: { self.range(of: $0) }) { self.range(of: $0) }
  }
}

extension LoopInstruction {
  /// The registers that the instruction reads, without those inside of indices.
  package var operands: [RegisterID] {
    switch self {
    case .constant, .index, .lanes, .read: []
    case .load(let access): access.mask.map { [$0] } ?? []
    case .gather(_, _, let offsets, let mask): [offsets] + (mask.map { [$0] } ?? [])
    case .broadcast(let a), .extract(let a, _), .reduceLanes(_, let a), .unary(_, let a),
      .convert(let a):
      [a]
    case .binary(_, let a, let b), .compare(_, let a, let b), .shuffle(let a, let b, _): [a, b]
    case .multiplyAdd(let a, let b, let c), .select(let a, let b, let c): [a, b, c]
    case .random(_, let index, let seed, let step): [index, seed, step]
    }
  }
}
