import GraphIR

extension Kernel: CustomStringConvertible {
  /// The kernel as text that reads like the formula; there is no parser for it.
  public var description: String {
    var lines: [String] = []
    let named = { (parameter: KernelParameter) in
      (parameter.isConstant ? "constant " : "") + "%\(parameter.name): \(parameter.type)"
    }
    let read = parameters.filter { $0.role != .output }
    let written = parameters.filter { $0.role != .input }
    lines.append(
      "kernel @\(name)(\(read.map(named).joined(separator: ", "))) -> "
        + "\(written.map(named).joined(separator: ", ")) {")
    if !outer.isEmpty { lines.append("  parallel \(list(outer))") }
    for stage in stages { lines += StagePrinter(kernel: self, stage: stage).lines() }
    lines.append("}")
    return lines.joined(separator: "\n")
  }

  fileprivate func list(_ ids: [DimensionID]) -> String {
    ids.map { "\(dimensions[$0.index].name): \(dimensions[$0.index].extent)" }
      .joined(separator: ", ")
  }

  fileprivate func name(of reference: TensorReference) -> String {
    switch reference {
    case .parameter(let place): "%\(parameters[place].name)"
    case .local(let place): "%\(locals[place].name)"
    }
  }

  /// An index expression in the names of the kernel's dimensions.
  package func text(
    of expression: IndexExpression, instruction: (Int) -> String = { "t\($0)" }
  ) -> String {
    var text = ""
    func append(_ coefficient: Int, _ atom: String?) {
      let sign = coefficient < 0 ? "-" : text.isEmpty ? "" : "+"
      let magnitude = coefficient.magnitude
      text += sign + (atom.map { magnitude == 1 ? $0 : "\(magnitude)*\($0)" } ?? "\(magnitude)")
    }
    func division(_ inner: IndexExpression, _ symbol: String, _ divisor: Int) -> String {
      let dividend = self.text(of: inner, instruction: instruction)
      let simple = inner.terms.count == 1 && inner.constant == 0
      return "\(simple ? dividend : "(\(dividend))")\(symbol)\(divisor)"
    }
    // `4-i` reads better than `-i+4`.
    let startsWithConstant =
      expression.constant > 0 && (expression.terms.first?.coefficient ?? 1) < 0
    if startsWithConstant { append(expression.constant, nil) }
    for term in expression.terms {
      let atom =
        switch term.atom {
        case .dimension(let id): dimensions[id.index].name
        case .quotient(let inner, let divisor): division(inner, "/", divisor)
        case .remainder(let inner, let divisor): division(inner, "%", divisor)
        case .instruction(let place): instruction(place)
        }
      let plain =
        switch term.atom {
        case .dimension, .instruction: true
        case .quotient, .remainder: expression.terms.count == 1 && term.coefficient == 1
        }
      append(term.coefficient, plain ? atom : "(\(atom))")
    }
    if !startsWithConstant && expression.constant != 0 || text.isEmpty {
      append(expression.constant, nil)
    }
    return text
  }
}

/// Writes one stage: what several instructions read stands in `let` lines of its own.
private struct StagePrinter {
  let kernel: Kernel
  let stage: KernelStage
  private var named: Set<Int> = []

  init(kernel: Kernel, stage: KernelStage) {
    self.kernel = kernel
    self.stage = stage
    var uses = [Int](repeating: 0, count: stage.body.instructions.count)
    for instruction in stage.body.instructions {
      for operand in instruction.operands { uses[operand] += 1 }
      for index in instruction.operation.indices {
        index.forEachLeaf { if case .instruction(let place) = $0 { uses[place] += 2 } }
      }
    }
    named = Set(uses.indices.filter { uses[$0] > 1 && !isShort($0) })
  }

  /// Whether repeating the instruction reads better than a name.
  private func isShort(_ place: Int) -> Bool {
    switch stage.body.instructions[place].operation {
    case .constant, .index: true
    case .load(.local, let index, let guards): index.isEmpty && guards.isEmpty
    default: false
    }
  }

  func lines() -> [String] {
    let own = stage.dimensions.isEmpty ? "" : " for \(kernel.list(stage.dimensions))"
    let index = stage.index.map(text).joined(separator: ", ")
    let target = kernel.name(of: stage.target) + (stage.index.isEmpty ? "" : "[\(index)]")
    let (symbol, prefix): (String, String) =
      switch stage.kind {
      case .map: ("=", "")
      case .fold(let function, let over): ("=", "\(function.rawValue)(\(kernel.list(over))) ")
      case .argFold(let function, let over): ("=", "\(function.rawValue)(\(kernel.list([over]))) ")
      case .scatter(.assign): ("=", "scatter ")
      case .scatter(let function): ("=", "scatter_\(function.rawValue) ")
      }
    let head = "  \(target)\(own) \(symbol) \(prefix)"
    let last = stage.body.instructions.count - 1
    guard last >= 0 else { return [head + "nothing"] }
    let place = stage.location == .unknown ? "" : "   // \(stage.location)"
    let bindings = named.subtracting([last]).sorted().map { "    let t\($0) = \(formula($0).text)" }
    guard !bindings.isEmpty else { return [head + formula(last).text + place] }
    return [head + "{" + place] + bindings + ["    " + formula(last).text, "  }"]
  }

  private func text(_ index: IndexExpression) -> String { kernel.text(of: index) }

  /// The text of an operand, and how tightly it binds: 3 an atom, 2 a product, 1 a sum, 0 a comparison.
  private func operand(_ place: Int, above strength: Int) -> String {
    if named.contains(place) { return "t\(place)" }
    let (text, own) = formula(place)
    return own > strength ? text : "(\(text))"
  }

  private func formula(_ place: Int) -> (text: String, strength: Int) {
    let instruction = stage.body.instructions[place]
    let operands = instruction.operands
    func call(_ name: String) -> (String, Int) {
      ("\(name)(\(operands.map { operand($0, above: -1) }.joined(separator: ", ")))", 3)
    }
    func infix(_ symbol: String, _ strength: Int) -> (String, Int) {
      let left = operand(operands[0], above: strength - 1)
      return ("\(left) \(symbol) \(operand(operands[1], above: strength))", strength)
    }
    switch instruction.operation {
    case .constant(let bits): return (constantText(bits, instruction.dtype), 3)
    case .index(let index): return ("\(instruction.dtype)(\(text(index)))", 3)
    case .load(let source, let index, let guards): return load(source, index, guards, operands)
    case .unary(.negate): return ("-" + operand(operands[0], above: 2), 2)
    case .unary(let function): return call(function.rawValue)
    case .binary(.add): return infix("+", 1)
    case .binary(.subtract): return infix("-", 1)
    case .binary(.multiply): return infix("*", 2)
    case .binary(.divide): return infix("/", 2)
    case .binary(let function): return call(function.rawValue)
    case .compare(let function): return infix(function.symbol, 0)
    case .select: return call("select")
    case .clamp: return call("clamp")
    case .convert: return call(instruction.dtype.rawValue)
    case .random(let stream, let index):
      let state = operands.map { operand($0, above: -1) }.joined(separator: ", ")
      return ("random<\(instruction.dtype)>(stream \(stream), \(text(index)), \(state))", 3)
    }
  }

  private func load(
    _ source: TensorReference, _ index: [IndexExpression], _ guards: [IndexGuard],
    _ operands: [Int]
  ) -> (String, Int) {
    let place = index.isEmpty ? "" : "[\(index.map(text).joined(separator: ", "))]"
    let element = kernel.name(of: source) + place
    guard let otherwise = operands.first else { return (element, 3) }
    // What only keeps the index inside of the tensor goes without saying.
    let extents = kernel.type(of: source).shape.extents
    let bounds = zip(index, extents).map { IndexGuard($0, below: $1) }
    let others = guards.filter { !bounds.contains($0) }.map {
      $0.extent == 1 ? "\(text($0.expression)) == 0" : "0 <= \(text($0.expression)) < \($0.extent)"
    }
    let condition = others.isEmpty ? "" : " if " + others.joined(separator: ", ")
    return ("(\(element)\(condition) else \(operand(otherwise, above: -1)))", 3)
  }
}

extension CompareFunction {
  fileprivate var symbol: String {
    switch self {
    case .equal: "=="
    case .notEqual: "!="
    case .less: "<"
    case .lessEqual: "<="
    case .greater: ">"
    case .greaterEqual: ">="
    }
  }
}

extension Kernel {
  /// The type of a parameter or local.
  package func type(of reference: TensorReference) -> TensorType {
    switch reference {
    case .parameter(let place): parameters[place].type
    case .local(let place): locals[place].type
    }
  }

  /// The bounds of the dimensions' counters.
  package var bounds: IndexBounds { IndexBounds(extents: dimensions.map(\.extent)) }
}

extension ScalarOperation {
  /// The index expressions that it contains, those of guards included.
  package var indices: [IndexExpression] {
    switch self {
    case .constant, .unary, .binary, .compare, .select, .clamp, .convert: []
    case .index(let index), .random(_, let index): [index]
    case .load(_, let index, let guards): index + guards.map(\.expression)
    }
  }
}

/// The number that the low bits stand for in a dtype.
private func constantText(_ bits: UInt64, _ dtype: DType) -> String {
  let bytes = withUnsafeBytes(of: bits.littleEndian) { Array($0.prefix(dtype.byteCount)) }
  guard let literal = Literal(TensorType(dtype, []), bytes: bytes) else { return "?" }
  switch dtype {
  case .f32, .f16, .bf16: return "\(Float(literal.doubles()[0]))"
  case .f64: return "\(literal.doubles()[0])"
  case .i8, .i16, .i32, .i64:
    let unused = 64 - dtype.bitCount
    return "\((Int64(truncatingIfNeeded: bits) << unused) >> unused)"
  case .u8, .u16, .u32, .u64: return "\(bits)"
  case .bool: return bits == 0 ? "false" : "true"
  }
}
