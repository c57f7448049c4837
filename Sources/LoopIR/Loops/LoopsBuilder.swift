import GraphIR

/// Builds `Loops` statement by statement; what was computed in an enclosing block is not computed again.
package final class LoopsBuilder {
  /// The loops built so far, without the statements of open blocks.
  package private(set) var loops: Loops
  private var blocks: [[LoopStatement]] = []
  /// What open blocks have computed.
  private var known: [Computation: RegisterID] = [:]
  /// For each open block what it added to `known`.
  private var computations: [[Computation]] = []
  /// What open blocks have asked for.
  private var asked: [[(memory: Int, offset: LoopIndex)]] = []
  private var counterRanges: [IndexRange] = []
  private var registerRanges: [IndexRange] = []
  /// The memories that nobody writes in the current phase: their loads may be shared.
  package var readOnly: Set<Int> = []

  private struct Computation: Hashable {
    var instruction: LoopInstruction
    var type: LoopType
  }

  /// Starts loops over memories: the kernel's parameters, then scratch.
  package init(name: String, memories: [LoopMemory]) {
    loops = Loops(name: name)
    loops.memories = memories
  }

  /// Adds scratch.
  package func addMemory(_ memory: LoopMemory) -> Int {
    loops.memories.append(memory)
    return loops.memories.count - 1
  }

  /// Adds a phase; the body gets the task's number.
  package func phase(
    taskCount: Int, workPerTask: Int, _ body: (LoopIndex) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let task = makeCounter("t", IndexRange(0, taskCount - 1))
    open()
    try body(taskCount == 1 ? 0 : .counter(task))
    let statements = close()
    loops.phases.append(
      LoopPhase(task: task, taskCount: taskCount, workPerTask: workPerTask, body: statements))
  }

  /// Adds a loop; the body gets the counter.
  ///
  /// A loop of one iteration becomes its body.
  package func loop(
    _ name: String, from start: LoopIndex = 0, to end: LoopIndex, step: Int = 1, unroll: Int = 1,
    _ body: (LoopIndex) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let span = end - start
    if span.isConstant {
      if span.constant <= 0 { return }
      if span.constant <= step { return try body(start) }
    }
    let (first, last) = (range(of: start), range(of: end))
    let counter = makeCounter(name, LoopsBuilder.counterRange(first, last, step: step))
    open()
    try body(.counter(counter))
    let statements = close()
    emit(.loop(counter, start: start, end: end, step: step, unroll: unroll, statements))
  }

  /// Adds a conditional.
  package func conditional(
    _ condition: RegisterID, then: () throws(Diagnostic) -> Void,
    otherwise: () throws(Diagnostic) -> Void = { () throws(Diagnostic) in }
  ) throws(Diagnostic) {
    open()
    try then()
    let first = close()
    open()
    try otherwise()
    let second = close()
    emit(.conditional(condition, then: first, otherwise: second))
  }

  /// Computes a register, unless an open block already holds the same value.
  package func define(_ instruction: LoopInstruction, _ type: LoopType) -> RegisterID {
    let key = Computation(instruction: instruction, type: type)
    let shared = isShareable(instruction)
    if shared, let register = known[key] { return register }
    let register = RegisterID(loops.registers.count)
    loops.registers.append(type)
    emit(.define(register, instruction))
    if shared {
      known[key] = register
      computations[computations.count - 1].append(key)
    }
    var range = IndexRange.unknown
    if type.dtype.isInteger, type.lanes == 1 {
      range = loops.range(
        of: instruction, type.dtype, counters: { counterRanges[$0.index] },
        registers: { registerRanges[$0.index] })
    }
    registerRanges.append(range)
    return register
  }

  /// Makes a variable.
  package func makeVariable(_ type: LoopType) -> VariableID {
    loops.variables.append(type)
    return VariableID(loops.variables.count - 1)
  }

  /// Sets a variable.
  package func assign(_ variable: VariableID, _ register: RegisterID) {
    emit(.assign(variable, register))
  }

  /// The current value of a variable.
  package func read(_ variable: VariableID) -> RegisterID {
    define(.read(variable), loops.variables[variable.index])
  }

  /// Stores a register's lanes.
  package func store(_ register: RegisterID, _ access: LoopAccess) {
    emit(.store(access, register))
  }

  /// Asks for the line of an element that will be read soon, unless an open block has asked for one so near.
  package func prefetch(_ memory: Int, _ offset: LoopIndex) {
    let elements = Target.lineBytes / loops.memories[memory].dtype.byteCount
    let isAsked = asked.joined().contains { other in
      let distance = offset - other.offset
      return other.memory == memory && distance.isConstant && abs(distance.constant) < elements
    }
    if isAsked { return }
    asked[asked.count - 1].append((memory, offset))
    emit(.prefetch(memory: memory, offset: offset))
  }

  /// The type of a register.
  package func type(of register: RegisterID) -> LoopType { loops.registers[register.index] }

  private func isShareable(_ instruction: LoopInstruction) -> Bool {
    switch instruction {
    case .load(let access): readOnly.contains(access.memory)
    case .gather(let memory, _, _, _): readOnly.contains(memory)
    case .read: false
    case .constant, .index, .lanes, .broadcast, .extract, .shuffle, .reduceLanes, .unary, .binary,
      .multiplyAdd, .compare, .select, .convert, .random:
      true
    }
  }

  private func emit(_ statement: LoopStatement) { blocks[blocks.count - 1].append(statement) }

  private func open() {
    blocks.append([])
    computations.append([])
    asked.append([])
  }

  private func close() -> [LoopStatement] {
    for computation in computations.removeLast() { known[computation] = nil }
    asked.removeLast()
    return blocks.removeLast()
  }

  private func makeCounter(_ name: String, _ range: IndexRange) -> CounterID {
    loops.counters.append(name)
    counterRanges.append(range)
    return CounterID(loops.counters.count - 1)
  }
}

extension LoopsBuilder {
  /// What is known of an index.
  package func range(of index: LoopIndex) -> IndexRange {
    index.range(counters: { counterRanges[$0.index] }) { registerRanges[$0.index] }
  }

  /// The values of a counter that starts and ends in ranges.
  package static func counterRange(
    _ start: IndexRange, _ end: IndexRange, step: Int
  ) -> IndexRange {
    let modulus = commonDivisor(start.modulus, step)
    let residue = floorRemainder(start.residue, max(modulus, 1))
    let last = end.upper - 1
    let aligned =
      modulus > 0 && last < IndexRange.limit / 2
      ? floorQuotient(last - residue, modulus) * modulus + residue : last
    return IndexRange(
      start.lower, max(start.lower, aligned), modulus: max(modulus, 1), residue: residue)
  }

  /// The floor of an index divided by a positive constant, simplified.
  package func quotient(_ index: LoopIndex, _ divisor: Int) -> LoopIndex {
    if divisor == 1 { return index }
    let (multiple, rest) = index.split(by: divisor)
    let range = range(of: rest)
    let (low, high) = (floorQuotient(range.lower, divisor), floorQuotient(range.upper, divisor))
    if low == high { return multiple + LoopIndex(constant: low) }
    let numerator = withoutSurplus(rest, range, divisor)
    return multiple + LoopIndex(terms: [LoopIndex.Term(.quotient(numerator, divisor), 1)])
  }

  /// The remainder of an index by a positive constant, simplified.
  package func remainder(_ index: LoopIndex, _ divisor: Int) -> LoopIndex {
    if divisor == 1 { return 0 }
    let (_, rest) = index.split(by: divisor)
    let range = range(of: rest)
    let low = floorQuotient(range.lower, divisor)
    if low == floorQuotient(range.upper, divisor) {
      return rest - LoopIndex(constant: low * divisor)
    }
    let numerator = withoutSurplus(rest, range, divisor)
    let surplus = rest.constant - numerator.constant
    if range.modulus > 0, range.modulus % divisor == 0 {
      return LoopIndex(constant: floorRemainder(range.residue, divisor))
    }
    return LoopIndex(
      constant: surplus, terms: [LoopIndex.Term(.remainder(numerator, divisor), 1)])
  }

  /// The index without the part of its constant that can never carry into the quotient: all other terms and the
  /// divisor are multiples of something larger.
  private func withoutSurplus(_ index: LoopIndex, _ range: IndexRange, _ divisor: Int) -> LoopIndex
  {
    let common = commonDivisor(range.modulus, divisor)
    guard common > 1 else { return index }
    let surplus = floorRemainder(range.residue, common)
    return index - LoopIndex(constant: surplus)
  }
}

extension Loops {
  /// What is known of an integer scalar that an instruction computes.
  package func range(
    of instruction: LoopInstruction, _ dtype: DType, counters: (CounterID) -> IndexRange,
    registers known: (RegisterID) -> IndexRange
  ) -> IndexRange {
    let all = IndexRange(of: dtype)
    switch instruction {
    case .constant(let bits):
      let value = Int(truncatingIfNeeded: bits) << (64 - dtype.bitCount)
      let number = dtype.category == .signed ? value >> (64 - dtype.bitCount) : Int(exactly: bits)
      return number.map { abs($0 >> 1) < IndexRange.limit / 2 ? IndexRange($0, $0) : all } ?? all
    case .index(let index):
      return index.range(counters: counters, registers: known)
    case .binary(.minimum, let a, let b):
      return known(a).minimum(known(b))
    case .binary(.maximum, let a, let b):
      return known(a).maximum(known(b))
    case .convert(let source):
      guard registers[source.index].dtype.isInteger else { return all }
      let range = known(source)
      return range.lower >= all.lower && range.upper <= all.upper ? range : all
    case .binary, .lanes, .load, .gather, .read, .broadcast, .extract, .shuffle, .reduceLanes,
      .unary, .multiplyAdd, .compare, .select, .random:
      return all
    }
  }
}

extension IndexRange {
  /// The range with what is known of alignment when the value is one of two.
  fileprivate func aligned(_ a: IndexRange, _ b: IndexRange) -> IndexRange {
    let difference = abs(a.residue &- b.residue)
    let modulus = commonDivisor(commonDivisor(a.modulus, b.modulus), difference)
    guard modulus > 0 else { return self }
    return IndexRange(lower, upper, modulus: modulus, residue: a.residue)
  }

  fileprivate func minimum(_ other: IndexRange) -> IndexRange {
    IndexRange(min(lower, other.lower), min(upper, other.upper)).aligned(self, other)
  }

  fileprivate func maximum(_ other: IndexRange) -> IndexRange {
    IndexRange(max(lower, other.lower), max(upper, other.upper)).aligned(self, other)
  }

  /// The values of an integer type as far as they matter for indices.
  fileprivate init(of dtype: DType) {
    switch dtype {
    case .bool: self.init(0, 1)
    case .u8: self.init(0, 255)
    case .i8: self.init(-128, 127)
    case .u16: self.init(0, 65535)
    case .i16: self.init(-32768, 32767)
    case .u32: self.init(0, Int(UInt32.max))
    case .i32: self.init(Int(Int32.min), Int(Int32.max))
    case .f32, .f64, .f16, .bf16, .i64, .u64: self = .unknown
    }
  }
}
