import CLLVM
import GraphIR
import LoopIR

/// Emits one phase: a function that runs a range of tasks.
final class PhaseEmitter {
  let module: ModuleEmitter
  var ir: IRBuilder { module.ir }
  var loops: Loops { module.loops }
  private let function: CodeValue
  private let phase: LoopPhase
  /// The addresses of the memories.
  private(set) var memories: [CodeValue] = []
  /// Places in the frame for the variables; promoted to registers by LLVM.
  private var variables: [VariableID: CodeValue] = [:]
  private var registers: [CodeValue?]
  private(set) var counters: [CounterID: CodeValue] = [:]
  /// For counters whose bounds are known: their least value.
  private var leastCounters: [CounterID: Int] = [:]
  /// A place of one element that masked-off scalar accesses touch instead of memory.
  private(set) var spare: CodeValue?
  private var entry: LLVMBasicBlockRef?

  init(_ module: ModuleEmitter, function: CodeValue, phase: LoopPhase) {
    self.module = module
    self.function = function
    self.phase = phase
    registers = [CodeValue?](repeating: nil, count: module.loops.registers.count)
  }

  /// Emits the function.
  func emit() throws(Diagnostic) {
    let entry = LLVMAppendBasicBlockInContext(ir.context, function, "entry")!
    self.entry = entry
    ir.moveToEnd(of: entry)
    let (first, end) = (LLVMGetParam(function, 1)!, LLVMGetParam(function, 2)!)
    let table = LLVMGetParam(function, 0)!
    let worker = LLVMGetParam(function, 3)!
    for (index, memory) in loops.memories.enumerated() {
      switch memory.kind {
      case .input, .output, .shared:
        let slot = ir.element(ir.pointer, table, ir.constant(index))
        memories.append(ir.load(ir.pointer, slot, alignment: 8))
      case .worker:
        let offset = ir.constant(loops.scratchOffset(of: index))
        memories.append(ir.element(ir.integer(8), worker, offset))
      }
    }
    for index in loops.variables.indices {
      variables[VariableID(index)] = LLVMBuildAlloca(
        ir.builder, module.registerType(loops.variables[index]), "")
    }
    spare = LLVMBuildAlloca(ir.builder, ir.int64, "")
    ir.store(ir.zero(ir.int64), spare!, alignment: 8)
    leastCounters[phase.task] = 0
    try emitLoop(phase.task, from: first, to: end, step: 1) { () throws(Diagnostic) in
      try emit(phase.body)
    }
    LLVMBuildRetVoid(ir.builder)
  }

  /// The value of a register, which has been defined before.
  func value(_ register: RegisterID) -> CodeValue {
    guard let value = registers[register.index] else {
      preconditionFailure(
        "register \(register.index) of \(loops.name) is used before it is defined")
    }
    return value
  }

  func type(_ register: RegisterID) -> LoopType { loops.registers[register.index] }

  // MARK: Statements

  private func emit(_ statements: [LoopStatement]) throws(Diagnostic) {
    for statement in statements { try emit(statement) }
  }

  private func emit(_ statement: LoopStatement) throws(Diagnostic) {
    switch statement {
    case .define(let register, let instruction):
      registers[register.index] = emit(instruction, as: type(register))
    case .assign(let variable, let register):
      LLVMBuildStore(ir.builder, value(register), variables[variable])
    case .store(let access, let register):
      store(value(register), access, type(register))
    case .loop(let counter, let start, let end, let step, let unroll, let body):
      try emitLoop(counter, start, end, step: step, unroll: unroll, body)
    case .conditional(let condition, let then, let otherwise):
      try emitConditional(value(condition), then, otherwise)
    }
  }

  private func emitConditional(
    _ condition: CodeValue, _ then: [LoopStatement], _ otherwise: [LoopStatement]
  ) throws(Diagnostic) {
    let (yes, no, after) = (ir.newBlock("then"), ir.newBlock("else"), ir.newBlock("endif"))
    ir.branch(if: condition, yes, else: no)
    for (block, body) in [(yes, then), (no, otherwise)] {
      ir.moveToEnd(of: block)
      try emit(body)
      ir.branch(to: after)
    }
    ir.moveToEnd(of: after)
  }

  /// A loop, its body repeated `unroll` times where the number of turns is known, with a loop for the rest.
  private func emitLoop(
    _ counter: CounterID, _ start: LoopIndex, _ end: LoopIndex, step: Int, unroll: Int,
    _ body: [LoopStatement]
  ) throws(Diagnostic) {
    leastCounters[counter] = least(start)
    guard start.terms.isEmpty, end.terms.isEmpty, unroll > 1 else {
      try emitLoop(counter, from: index(start), to: index(end), step: step) {
        () throws(Diagnostic) in try emit(body)
      }
      return
    }
    let turns = max(0, (end.constant - start.constant + step - 1) / step)
    let unrolled = turns / unroll * unroll
    let middle = start.constant + unrolled * step
    if unrolled > unroll {
      try emitLoop(
        counter, from: ir.constant(start.constant), to: ir.constant(middle), step: step * unroll
      ) { () throws(Diagnostic) in
        let first = counters[counter]!
        for turn in 0..<unroll {
          counters[counter] = ir.add(first, ir.constant(turn * step))
          try emit(body)
        }
      }
    } else {
      try emitTurns(counter, from: start.constant, count: unrolled, step: step, body)
    }
    try emitTurns(counter, from: middle, count: turns - unrolled, step: step, body)
  }

  private func emitTurns(
    _ counter: CounterID, from start: Int, count: Int, step: Int, _ body: [LoopStatement]
  ) throws(Diagnostic) {
    for turn in 0..<count {
      counters[counter] = ir.constant(start + turn * step)
      try emit(body)
    }
  }

  private func emitLoop(
    _ counter: CounterID, from start: CodeValue, to end: CodeValue, step: Int,
    body: () throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    let (head, inside, after) = (ir.newBlock("head"), ir.newBlock("body"), ir.newBlock("after"))
    let before = ir.block
    ir.branch(to: head)
    ir.moveToEnd(of: head)
    let phi = ir.phi(ir.int64)
    ir.addIncoming(phi, start, from: before)
    ir.branch(if: ir.compare(LLVMIntSLT, phi, end), inside, else: after)
    ir.moveToEnd(of: inside)
    counters[counter] = phi
    try body()
    let next = LLVMBuildNSWAdd(ir.builder, phi, ir.constant(step), "")!
    ir.addIncoming(phi, next, from: ir.block)
    ir.branch(to: head)
    ir.moveToEnd(of: after)
  }

  // MARK: Instructions

  private func emit(_ instruction: LoopInstruction, as type: LoopType) -> CodeValue {
    switch instruction {
    case .constant(let bits): return module.constant(bits, type)
    case .index(let expression): return index(expression)
    case .lanes(let expression, let stride):
      let offsets = (0..<type.lanes).map { ir.constant($0 * stride) }
      return ir.add(
        ir.broadcast(index(expression), lanes: type.lanes), ir.vectorConstant(offsets))
    case .load(let access): return load(access, type)
    case .gather(let memory, let offset, let offsets, let mask):
      return gather(memory, offset, value(offsets), mask.map { value($0) }, type)
    case .read(let variable):
      return LLVMBuildLoad2(ir.builder, module.registerType(type), variables[variable], "")
    case .broadcast(let scalar): return ir.broadcast(value(scalar), lanes: type.lanes)
    case .extract(let vector, let lane):
      return self.type(vector).lanes == 1 ? value(vector) : ir.extract(value(vector), lane)
    case .reduceLanes(let function, let vector):
      return reduceLanes(function, value(vector), self.type(vector))
    case .unary(let function, let x): return module.unary(function, value(x), type)
    case .binary(let function, let x, let y):
      return module.binary(function, value(x), value(y), type)
    case .multiplyAdd(let a, let b, let c):
      return module.multiplyAdd(value(a), value(b), value(c), type)
    case .compare(let function, let x, let y):
      return module.compare(function, value(x), value(y), self.type(x))
    case .select(let condition, let x, let y):
      return ir.select(value(condition), value(x), value(y))
    case .convert(let x): return module.convert(value(x), from: self.type(x), to: type)
    case .random(let stream, let index, let seed, let step):
      return module.random(
        stream: stream, index: value(index), seed: value(seed), step: value(step), type)
    }
  }

  /// Lane i with lane i + n/2, then halves again; an odd lane out joins at the end.
  private func reduceLanes(
    _ function: ReduceFunction, _ vector: CodeValue, _ type: LoopType
  ) -> CodeValue {
    var lanes = (0..<type.lanes).map { ir.extractLane(vector, $0, of: type.lanes) }
    let scalar = LoopType(type.dtype)
    if type.lanes.nonzeroBitCount == 1, type.lanes > 1 {
      return reduceHalves(function, vector, type)
    }
    let binary = function.binary
    while lanes.count > 1 {
      let half = lanes.count / 2
      var next = (0..<half).map { module.binary(binary, lanes[$0], lanes[$0 + half], scalar) }
      if lanes.count % 2 == 1 { next.append(lanes[lanes.count - 1]) }
      lanes = next
    }
    return lanes[0]
  }

  private func reduceHalves(
    _ function: ReduceFunction, _ vector: CodeValue, _ type: LoopType
  ) -> CodeValue {
    var (vector, lanes) = (vector, type.lanes)
    while lanes > 1 {
      lanes /= 2
      let (low, high) = (
        ir.lanes(vector, 0..<lanes), ir.lanes(vector, lanes..<(2 * lanes))
      )
      vector = module.binary(function.binary, low, high, LoopType(type.dtype, lanes: lanes))
    }
    return vector
  }

  // MARK: Indices

  /// An index as a 64-bit integer.
  func index(_ expression: LoopIndex) -> CodeValue {
    var sum: CodeValue?
    for term in expression.terms {
      let atom = atom(term.atom)
      let product =
        term.coefficient == 1
        ? atom : LLVMBuildNSWMul(ir.builder, atom, ir.constant(term.coefficient), "")!
      sum = sum.map { LLVMBuildNSWAdd(ir.builder, $0, product, "")! } ?? product
    }
    guard let sum else { return ir.constant(expression.constant) }
    if expression.constant == 0 { return sum }
    return LLVMBuildNSWAdd(ir.builder, sum, ir.constant(expression.constant), "")!
  }

  private func atom(_ atom: LoopIndex.Atom) -> CodeValue {
    switch atom {
    case .counter(let id):
      guard let value = counters[id] else {
        preconditionFailure("counter \(id.index) of \(loops.name) is used outside of its loop")
      }
      return value
    case .register(let register): return value(register)
    case .quotient(let dividend, let divisor):
      return divide(dividend, by: divisor).quotient
    case .remainder(let dividend, let divisor):
      return divide(dividend, by: divisor).remainder
    }
  }

  /// Floor division; cheaper where the dividend cannot be negative.
  private func divide(
    _ dividend: LoopIndex, by divisor: Int
  ) -> (quotient: CodeValue, remainder: CodeValue) {
    let (x, d) = (index(dividend), ir.constant(divisor))
    if let least = least(dividend), least >= 0 {
      return (
        LLVMBuildUDiv(ir.builder, x, d, ""), LLVMBuildURem(ir.builder, x, d, "")
      )
    }
    let truncated = LLVMBuildSDiv(ir.builder, x, d, "")!
    let rest = LLVMBuildSRem(ir.builder, x, d, "")!
    let isNegative = ir.compare(LLVMIntSLT, rest, ir.constant(0))
    return (
      ir.sub(truncated, ir.zext(isNegative, ir.int64)),
      ir.add(rest, ir.select(isNegative, d, ir.constant(0)))
    )
  }

  /// A bound below which an index cannot be; nil when none is known.
  private func least(_ expression: LoopIndex) -> Int? {
    var sum = expression.constant
    for term in expression.terms {
      guard term.coefficient > 0 else { return nil }
      switch term.atom {
      case .counter(let id):
        guard let least = leastCounters[id] else { return nil }
        sum += term.coefficient * least
      case .remainder: break
      case .quotient(let dividend, let divisor):
        guard let least = least(dividend), least >= 0 else { return nil }
        sum += term.coefficient * (least / divisor)
      case .register: return nil
      }
    }
    return sum
  }
}

extension IRBuilder {
  /// A lane of a vector; the value itself when it is a scalar.
  func extractLane(_ vector: CodeValue, _ lane: Int, of lanes: Int) -> CodeValue {
    lanes == 1 ? vector : extract(vector, lane)
  }

  /// Neighbouring lanes as a vector, or a scalar when it is one.
  func lanes(_ vector: CodeValue, _ range: Range<Int>) -> CodeValue {
    range.count == 1 ? extract(vector, range.lowerBound) : shuffle(vector, Array(range))
  }
}

extension ReduceFunction {
  /// The function of two arguments that combines.
  var binary: BinaryFunction {
    switch self {
    case .sum: .add
    case .product: .multiply
    case .max: .maximum
    case .min: .minimum
    }
  }
}
