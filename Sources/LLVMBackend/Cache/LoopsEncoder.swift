import GraphIR
import LoopIR

/// Writes what determines the code of loops as bytes: loops of equal bytes have equal code.
///
/// Every value is written with its length or its case first, so that different loops cannot have equal bytes. Names are
/// left out: the emission reads none.
struct LoopsEncoder {
  private var writer = ByteWriter()

  static func encode(_ loops: Loops, _ options: CodeOptions) -> [UInt8] {
    var encoder = LoopsEncoder()
    encoder.add(options.fault?.rawValue ?? "")
    encoder.add(loops)
    return encoder.writer.bytes
  }

  // MARK: Parts

  private mutating func add(_ loops: Loops) {
    add(loops.memories) { encoder, memory in
      encoder.add(memory.dtype.rawValue)
      encoder.add(memory.count)
      switch memory.kind {
      case .input: encoder.tag(0)
      case .output: encoder.tag(1)
      case .shared: encoder.tag(2)
      case .worker: encoder.tag(3)
      }
    }
    add(loops.registers) { $0.add($1) }
    add(loops.variables) { $0.add($1) }
    add(loops.counters.count)
    add(loops.phases) { encoder, phase in
      encoder.add(phase.task.index)
      encoder.add(phase.taskCount)
      encoder.add(phase.workPerTask)
      encoder.add(phase.body)
    }
  }

  private mutating func add(_ type: LoopType) {
    add(type.dtype.rawValue)
    add(type.lanes)
  }

  private mutating func add(_ index: LoopIndex) {
    add(index.constant)
    add(index.terms) { encoder, term in
      switch term.atom {
      case .counter(let id): encoder.add(0, id.index)
      case .quotient(let index, let divisor):
        encoder.add(1, divisor)
        encoder.add(index)
      case .remainder(let index, let divisor):
        encoder.add(2, divisor)
        encoder.add(index)
      case .register(let id): encoder.add(3, id.index)
      }
      encoder.add(term.coefficient)
    }
  }

  private mutating func add(_ access: LoopAccess) {
    add(access.memory)
    add(access.offset)
    add(access.stride)
    add(access.active)
    add(access.mask?.index)
    tag(access.isStreamed ? 1 : 0)
  }

  private mutating func add(_ statements: [LoopStatement]) {
    add(statements) { encoder, statement in
      switch statement {
      case .define(let register, let instruction):
        encoder.add(0, register.index)
        encoder.add(instruction)
      case .assign(let variable, let register): encoder.add(1, variable.index, register.index)
      case .store(let access, let register):
        encoder.add(2, register.index)
        encoder.add(access)
      case .prefetch(let memory, let offset):
        encoder.add(3, memory)
        encoder.add(offset)
      case .loop(let counter, let start, let end, let step, let unroll, let body):
        encoder.add(4, counter.index, step, unroll)
        encoder.add(start)
        encoder.add(end)
        encoder.add(body)
      case .conditional(let condition, let then, let otherwise):
        encoder.add(5, condition.index)
        encoder.add(then)
        encoder.add(otherwise)
      }
    }
  }

  private mutating func add(_ instruction: LoopInstruction) {
    switch instruction {
    case .constant(let bits): add(0, Int(bitPattern: UInt(bits)))
    case .index(let index):
      tag(1)
      add(index)
    case .lanes(let index, let stride):
      add(2, stride)
      add(index)
    case .load(let access):
      tag(3)
      add(access)
    case .gather(let memory, let offset, let offsets, let mask):
      add(4, memory, offsets.index)
      add(offset)
      add(mask?.index)
    case .read(let variable): add(5, variable.index)
    case .broadcast(let a): add(6, a.index)
    case .extract(let a, let lane): add(7, a.index, lane)
    case .reduceLanes(let function, let a):
      add(8, a.index)
      add(function.rawValue)
    case .unary(let function, let a):
      add(9, a.index)
      add(function.rawValue)
    case .binary(let function, let a, let b):
      add(10, a.index, b.index)
      add(function.rawValue)
    case .multiplyAdd(let a, let b, let c): add(11, a.index, b.index, c.index)
    case .compare(let function, let a, let b):
      add(12, a.index, b.index)
      add(function.rawValue)
    case .select(let condition, let a, let b): add(13, condition.index, a.index, b.index)
    case .convert(let a): add(14, a.index)
    case .random(let stream, let index, let seed, let step):
      add(15, stream, index.index, seed.index, step.index)
    case .shuffle(let a, let b, let lanes):
      add(16, a.index, b.index)
      add(lanes) { $0.add($1) }
    }
  }

  // MARK: Values

  private mutating func tag(_ tag: UInt8) { writer.add(tag: tag) }

  private mutating func add(_ tag: UInt8, _ first: Int, _ others: Int...) {
    self.tag(tag)
    add(first)
    for other in others { add(other) }
  }

  private mutating func add(_ value: Int) { writer.add(value) }

  private mutating func add(_ value: Int?) { writer.add(value) }

  private mutating func add(_ text: String) { writer.add(text) }

  private mutating func add<Element>(
    _ elements: [Element], _ addElement: (inout LoopsEncoder, Element) -> Void
  ) {
    add(elements.count)
    for element in elements { addElement(&self, element) }
  }
}
