import GraphIR

extension Loops: CustomStringConvertible {
  /// The loops as text: memories, then phases as `parallel` and loops as `for`.
  public var description: String {
    var printer = LoopsPrinter(loops: self)
    return printer.print()
  }
}

/// Writes loops as text.
struct LoopsPrinter {
  private let loops: Loops
  private let counterNames: [String]
  private var lines: [String] = []

  init(loops: Loops) {
    self.loops = loops
    var uses: [String: Int] = [:]
    for name in loops.counters { uses[name, default: 0] += 1 }
    counterNames = loops.counters.enumerated().map { place, name in
      uses[name] == 1 ? name : "\(name)\(place)"
    }
  }

  mutating func print() -> String {
    lines = ["loops @\(loops.name) {"]
    for memory in loops.memories {
      lines.append("  \(memory.kind) \(memory.name): \(memory.dtype)[\(memory.count)]")
    }
    for phase in loops.phases {
      lines.append(
        "  parallel \(name(phase.task)) in 0..<\(phase.taskCount) work \(phase.workPerTask) {")
      append(phase.body, depth: 2)
      lines.append("  }")
    }
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
  }

  private mutating func append(_ statements: [LoopStatement], depth: Int) {
    let indent = String(repeating: "  ", count: depth)
    for statement in statements {
      switch statement {
      case .define(let register, let instruction):
        lines.append("\(indent)\(name(register)) = \(text(instruction)) : \(type(of: register))")
      case .assign(let variable, let register):
        lines.append("\(indent)\(name(variable)) := \(name(register))")
      case .store(let access, let register):
        let verb = access.isStreamed ? "stream" : "store"
        lines.append(
          "\(indent)\(verb) \(name(register)) to \(text(access, type(of: register).lanes))")
      case .prefetch(let memory, let offset):
        lines.append("\(indent)prefetch \(loops.memories[memory].name)[\(text(offset))]")
      case .loop(let counter, let start, let end, let step, let unroll, let body):
        let by = (step == 1 ? "" : " by \(step)") + (unroll == 1 ? "" : " unroll \(unroll)")
        lines.append("\(indent)for \(name(counter)) in \(text(start))..<\(text(end))\(by) {")
        append(body, depth: depth + 1)
        lines.append("\(indent)}")
      case .conditional(let condition, let then, let otherwise):
        lines.append("\(indent)if \(name(condition)) {")
        append(then, depth: depth + 1)
        if !otherwise.isEmpty {
          lines.append("\(indent)} else {")
          append(otherwise, depth: depth + 1)
        }
        lines.append("\(indent)}")
      }
    }
  }

  private func text(_ instruction: LoopInstruction) -> String {
    switch instruction {
    case .constant(let bits): "constant 0x\(String(bits, radix: 16))"
    case .index(let index): "index \(text(index))"
    case .lanes(let index, let stride): "lanes \(text(index)) by \(stride)"
    case .load(let access): "load \(text(access, 0))"
    case .gather(let memory, let offset, let offsets, let mask):
      "gather \(loops.memories[memory].name)[\(text(offset)) + \(name(offsets))]"
        + (mask.map { " mask \(name($0))" } ?? "")
    case .read(let variable): "read \(name(variable))"
    case .broadcast(let a): "broadcast \(name(a))"
    case .extract(let a, let lane): "extract \(name(a)) lane \(lane)"
    case .shuffle(let a, let b, let lanes): "shuffle \(name(a)), \(name(b)) lanes \(lanes)"
    case .reduceLanes(let function, let a): "reduce_lanes_\(function.rawValue) \(name(a))"
    case .unary(let function, let a): "\(function.rawValue) \(name(a))"
    case .binary(let function, let a, let b): "\(function.rawValue) \(name(a)), \(name(b))"
    case .multiplyAdd(let a, let b, let c): "multiply_add \(name(a)), \(name(b)), \(name(c))"
    case .compare(let function, let a, let b): "\(function.rawValue) \(name(a)), \(name(b))"
    case .select(let c, let a, let b): "select \(name(c)), \(name(a)), \(name(b))"
    case .convert(let a): "convert \(name(a))"
    case .random(let stream, let index, let seed, let step):
      "random \(name(index)) stream \(stream) seed \(name(seed)) step \(name(step))"
    }
  }

  private func text(_ access: LoopAccess, _ lanes: Int) -> String {
    var text = "\(loops.memories[access.memory].name)[\(self.text(access.offset))]"
    if access.stride != 1 { text += " by \(access.stride)" }
    if let active = access.active { text += " active \(active)" }
    if let mask = access.mask { text += " mask \(name(mask))" }
    return text
  }

  private func text(_ index: LoopIndex) -> String {
    var text = ""
    for term in index.terms {
      let atom =
        switch term.atom {
        case .counter(let id): name(id)
        case .register(let id): name(id)
        case .quotient(let index, let divisor): "div(\(self.text(index)), \(divisor))"
        case .remainder(let index, let divisor): "mod(\(self.text(index)), \(divisor))"
        }
      let size = abs(term.coefficient)
      let sign = term.coefficient < 0 ? "-" : "+"
      text += text.isEmpty ? (sign == "-" ? "-" : "") : " \(sign) "
      text += size == 1 ? atom : "\(size)*\(atom)"
    }
    if index.constant == 0, !text.isEmpty { return text }
    if text.isEmpty { return "\(index.constant)" }
    return text + (index.constant < 0 ? " - \(-index.constant)" : " + \(index.constant)")
  }

  private func name(_ register: RegisterID) -> String { "%\(register.index)" }
  private func name(_ variable: VariableID) -> String { "$\(variable.index)" }
  private func name(_ counter: CounterID) -> String {
    counterNames.indices.contains(counter.index) ? counterNames[counter.index] : "?"
  }
  private func type(of register: RegisterID) -> LoopType {
    loops.registers.indices.contains(register.index)
      ? loops.registers[register.index] : LoopType(.bool, lanes: 0)
  }
}

extension LoopType: CustomStringConvertible {
  /// `f32x8`, and `f32` for a scalar.
  public var description: String { lanes == 1 ? "\(dtype)" : "\(dtype)x\(lanes)" }
}
