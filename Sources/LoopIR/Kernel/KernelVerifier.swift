import GraphIR

extension Kernel {
  /// Checks the invariants of a kernel and gives what breaks them.
  ///
  /// 1. extents are at least 1; outer dimensions, a stage's own and those it folds are distinct;
  /// 2. references, dimensions and operands exist; operands and locals come before their uses;
  /// 3. an index has an expression per dimension of its tensor; what it is made of is in scope;
  /// 4. an unguarded access, and a guarded one whose guards do not say so themselves, is inside of its tensor by
  ///    interval arithmetic;
  /// 5. dtypes of operands, instructions and targets fit; loads give the dtype of their tensor;
  /// 6. inputs are never written, outputs never read, and only scatter stages write an `update` parameter;
  /// 7. each element of an output is written exactly once: the places of a store's counters, sorted, are the
  ///    digits of a mixed-radix number that counts all elements.
  package func verify() -> [Diagnostic] {
    var verifier = KernelVerifier(kernel: self)
    verifier.run()
    return verifier.problems
  }
}

private struct KernelVerifier {
  let kernel: Kernel
  var problems: [Diagnostic] = []
  /// The stage that writes each local and output so far.
  var written: Set<TensorReference> = []

  init(kernel: Kernel) { self.kernel = kernel }

  mutating func report(_ message: String, at location: Location = .unknown) {
    problems.append(
      Diagnostic(.malformedGraph, "kernel @\(kernel.name): \(message)", at: location))
  }

  mutating func run() {
    for dimension in kernel.dimensions where dimension.extent < 1 {
      report("dimension '\(dimension.name)' has extent \(dimension.extent)")
    }
    for (place, stage) in kernel.stages.enumerated() {
      let before = problems.count
      check(stage)
      for place in before..<problems.count {
        problems[place] = problems[place].located(at: stage.location)
      }
      if problems.count > before { problems[before].notes.append("in stage \(place)") }
    }
    for (place, parameter) in kernel.parameters.enumerated()
    where parameter.role == .output && !written.contains(.parameter(place)) {
      report("output '\(parameter.name)' is not written")
    }
  }

  private mutating func check(_ stage: KernelStage) {
    var scope = kernel.outer + stage.dimensions
    switch stage.kind {
    case .map, .scatter: break
    case .fold(_, let over): scope += over
    case .argFold(_, let over): scope.append(over)
    }
    guard scope.allSatisfy({ kernel.dimensions.indices.contains($0.index) }) else {
      return report("a stage uses a dimension that does not exist")
    }
    if Set(scope).count != scope.count { report("a stage has a dimension twice") }
    checkBody(stage, scope: Set(scope))
    checkTarget(stage)
  }

  /// Whether a reference exists.
  private func exists(_ reference: TensorReference) -> Bool {
    switch reference {
    case .parameter(let place): kernel.parameters.indices.contains(place)
    case .local(let place): kernel.locals.indices.contains(place)
    }
  }

  // MARK: Bodies

  private mutating func checkBody(_ stage: KernelStage, scope: Set<DimensionID>) {
    let ranges = stage.body.integerRanges(extents: kernel.bounds.extents)
    let bounds = IndexBounds(extents: kernel.bounds.extents, instructions: ranges)
    if stage.body.instructions.isEmpty { report("a stage computes nothing") }
    for (place, instruction) in stage.body.instructions.enumerated() {
      guard instruction.operands.allSatisfy({ (0..<place).contains($0) }) else {
        report("instruction \(place) has an operand that does not come before it")
        continue
      }
      for index in instruction.operation.indices {
        check(index, scope: scope, body: stage.body, before: place)
      }
      checkTypes(instruction, in: stage.body)
      if case .load(let source, let index, let guards) = instruction.operation {
        checkLoad(source, index, guards, bounds: bounds)
      }
    }
    for index in stage.index {
      check(index, scope: scope, body: stage.body, before: stage.body.instructions.count)
    }
  }

  private mutating func check(
    _ index: IndexExpression, scope: Set<DimensionID>, body: ScalarBody, before place: Int
  ) {
    var leaves: [IndexExpression.Atom] = []
    index.forEachLeaf { leaves.append($0) }
    for leaf in leaves {
      switch leaf {
      case .dimension(let id) where !scope.contains(id):
        report("dimension \(id.index) is used out of its scope")
      case .instruction(let other)
      where !(0..<place).contains(other) || !body.instructions[other].dtype.isInteger:
        report("an index uses instruction \(other), which is no earlier integer")
      case .dimension, .instruction, .quotient, .remainder: break
      }
    }
    for term in index.terms {
      switch term.atom {
      case .quotient(_, let divisor), .remainder(_, let divisor):
        if divisor < 1 { report("an index divides by \(divisor)") }
      case .dimension, .instruction: break
      }
    }
  }

  private mutating func checkLoad(
    _ source: TensorReference, _ index: [IndexExpression], _ guards: [IndexGuard],
    bounds: IndexBounds
  ) {
    guard exists(source) else { return report("a load reads what does not exist") }
    switch source {
    case .local(let place):
      if !written.contains(source) {
        report("local '\(kernel.locals[place].name)' is read before it is written")
      }
    case .parameter(let place):
      if kernel.parameters[place].role == .output {
        report("output '\(kernel.parameters[place].name)' is read")
      }
    }
    let shape = kernel.type(of: source).shape
    guard index.count == shape.rank else {
      return report("a load has \(index.count) indices for a tensor of rank \(shape.rank)")
    }
    for (expression, extent) in zip(index, shape.extents) {
      let inside = IndexGuard(expression, below: extent).verdict(in: bounds)
      // With guards, interval arithmetic alone cannot tell: what they rule out counts as inside.
      if inside == false || inside == nil && guards.isEmpty {
        report("index \(kernel.text(of: expression)) leaves 0 ..< \(extent)")
      }
    }
  }

  private mutating func checkTypes(_ instruction: ScalarInstruction, in body: ScalarBody) {
    let operands = instruction.operands.map { body.instructions[$0].dtype }
    let dtype = instruction.dtype
    let isRight: Bool =
      switch instruction.operation {
      case .constant, .index: operands.isEmpty
      case .load(let source, _, let guards):
        (!exists(source) || kernel.type(of: source).dtype == dtype)
          && operands == (guards.isEmpty ? [] : [dtype])
      case .unary: operands == [dtype]
      case .binary: operands == [dtype, dtype]
      case .compare: dtype == .bool && operands.count == 2 && operands[0] == operands[1]
      case .select: operands == [.bool, dtype, dtype]
      case .clamp: operands == [dtype, dtype, dtype]
      case .convert: operands.count == 1
      case .random: operands == [.u64, .u64]
      }
    if !isRight { report("operands \(operands) do not fit \(instruction.operation): \(dtype)") }
  }

  // MARK: Targets

  private mutating func checkTarget(_ stage: KernelStage) {
    guard exists(stage.target) else { return report("a stage writes what does not exist") }
    let type = kernel.type(of: stage.target)
    guard stage.index.count == type.shape.rank else {
      return report("a store has \(stage.index.count) indices for \(type)")
    }
    if let value = stage.body.instructions.last?.dtype {
      if case .argFold = stage.kind {
        if type.dtype != .i32 && type.dtype != .i64 { report("argFold stores \(type.dtype)") }
      } else if value != type.dtype {
        report("a value of \(value) is stored to \(type)")
      }
    }
    var isScatter = false
    if case .scatter = stage.kind { isScatter = true }
    switch stage.target {
    case .local(let place):
      if !written.insert(stage.target).inserted {
        report("local '\(kernel.locals[place].name)' is written twice")
      }
    case .parameter(let place):
      let parameter = kernel.parameters[place]
      switch parameter.role {
      case .input: report("input '\(parameter.name)' is written")
      case .output: if isScatter { report("scatter into output '\(parameter.name)'") }
      case .update: if !isScatter { report("'\(parameter.name)' is not written by scatter") }
      }
      if !written.insert(stage.target).inserted && parameter.role == .output {
        report("output '\(parameter.name)' is written by two stages")
      }
    }
    if !isScatter { checkCoverage(stage, shape: type.shape) }
  }

  private mutating func checkCoverage(_ stage: KernelStage, shape: Shape) {
    let place = IndexExpression.linear(stage.index, in: shape, bounds: kernel.bounds)
    var needed = stage.dimensions
    if case .parameter = stage.target { needed += kernel.outer }
    needed = needed.filter { kernel.dimensions[$0.index].extent > 1 }
    var digits: [(coefficient: Int, extent: Int)] = []
    for term in place.terms {
      guard case .dimension(let id) = term.atom, needed.contains(id) else {
        return report("a store at \(kernel.text(of: place)) does not follow its dimensions")
      }
      digits.append((term.coefficient, kernel.dimensions[id.index].extent))
    }
    digits.sort { $0.coefficient < $1.coefficient }
    var count = 1
    for digit in digits {
      guard digit.coefficient == count else { break }
      count *= digit.extent
    }
    if digits.count != needed.count || place.constant != 0 || count != shape.elementCount {
      report("a store at \(kernel.text(of: place)) does not write each element of \(shape) once")
    }
  }
}
