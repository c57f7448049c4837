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
  private var variables: [CodeValue] = []
  private var registers: [RegisterID: DefinedRegister] = [:]
  /// The counters of the loops that are open.
  var counters: [CounterID: OpenCounter] = [:]
  /// The number of loops around the present statement, of which the task loop is the first.
  var depth = 0
  /// Whether the present statement is one of many copies in the body of an unrolled loop.
  var isUnrolled = false
  /// Whether a store goes past the caches.
  var streams = false
  /// A place that holds zero, which masked-off scalar loads read instead of memory.
  private var spareElement: CodeValue?

  /// What is known of a register.
  struct DefinedRegister {
    var value: CodeValue
    var instruction: LoopInstruction
    /// The number of loops around its definition.
    var depth: Int
    /// The values it can take, for integer scalars.
    var range: IndexRange
  }

  init(_ module: ModuleEmitter, function: CodeValue, phase: LoopPhase) {
    self.module = module
    self.function = function
    self.phase = phase
  }

  /// Emits the function.
  func emit() throws(Diagnostic) {
    ir.moveToEnd(of: LLVMAppendBasicBlockInContext(ir.context, function, "entry"))
    let (table, worker) = (ir.parameter(0, of: function), ir.parameter(3, of: function))
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
    for type in loops.variables {
      variables.append(ir.frameSlot(module.registerType(type)))
    }
    let spare = ir.frameSlot(ir.int64)
    ir.store(ir.zero(ir.int64), spare, alignment: 8)
    spareElement = spare
    let tasks = IndexRange(0, max(phase.taskCount - 1, 0))
    let (first, end) = (ir.parameter(1, of: function), ir.parameter(2, of: function))
    _ = try emitLoop(from: first, to: end, step: 1, isNonempty: false) {
      (task: CodeValue) throws(Diagnostic) in
      counters[phase.task] = OpenCounter(base: task, offset: 0, depth: depth, range: tasks)
      try emit(phase.body)
    }
    if streams { ir.finishStreams() }
    LLVMBuildRetVoid(ir.builder)
  }

  /// A place of at least one element that holds zero.
  func spare() throws(Diagnostic) -> CodeValue {
    guard let spareElement else { throw malformed("code outside of a phase") }
    return spareElement
  }

  /// The value of a register.
  func value(_ register: RegisterID) throws(Diagnostic) -> CodeValue {
    try defined(register).value
  }

  /// What is known of a register, which has been defined before.
  func defined(_ register: RegisterID) throws(Diagnostic) -> DefinedRegister {
    guard let found = registers[register] else {
      throw malformed("register \(register.index) is used before it is defined")
    }
    return found
  }

  func type(_ register: RegisterID) -> LoopType { loops.registers[register.index] }

  /// The place of a variable in the frame.
  func place(of variable: VariableID) throws(Diagnostic) -> CodeValue {
    guard variables.indices.contains(variable.index) else {
      throw malformed("there is no variable \(variable.index)")
    }
    return variables[variable.index]
  }

  /// The loops break an invariant of their stage.
  func malformed(_ message: String) -> Diagnostic {
    Diagnostic(.malformedGraph, "loops '\(loops.name)': \(message)")
  }

  // MARK: Statements

  func emit(_ statements: [LoopStatement]) throws(Diagnostic) {
    for statement in statements { try emit(statement) }
  }

  private func emit(_ statement: LoopStatement) throws(Diagnostic) {
    switch statement {
    case .define(let register, let instruction):
      registers[register] = DefinedRegister(
        value: try emit(instruction, as: type(register)), instruction: instruction,
        depth: depth, range: range(of: instruction, type(register)))
    case .assign(let variable, let register):
      LLVMBuildStore(ir.builder, try value(register), try place(of: variable))
    case .store(let access, let register):
      try store(try value(register), access, type(register))
    case .prefetch(let memory, let offset):
      try prefetch(memory, offset)
    case .loop(let counter, let start, let end, let step, let unroll, let body):
      try emitLoop(counter, from: start, to: end, step: step, unroll: unroll, body)
    case .conditional(let condition, let then, let otherwise):
      try emitConditional(try value(condition), then, otherwise)
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

  private func range(of instruction: LoopInstruction, _ type: LoopType) -> IndexRange {
    guard type.lanes == 1, type.dtype.isInteger else { return .unknown }
    return loops.range(
      of: instruction, type.dtype, counters: { counters[$0]?.range ?? .unknown },
      registers: { registers[$0]?.range ?? .unknown })
  }

  /// What is known of an index at this place.
  func range(of index: LoopIndex) -> IndexRange {
    index.range(counters: { counters[$0]?.range ?? .unknown }) { registers[$0]?.range ?? .unknown }
  }
}
