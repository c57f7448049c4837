import GraphIR

/// Runs kernels point by point, as their definition says; slow, and the judge of fusion.
///
/// Sums and products of floats are accumulated in f64.
package struct KernelEvaluator {
  private let kernel: Kernel
  private let read: (_ parameter: Int, _ element: Int) -> UInt64
  private let write: (_ parameter: Int, _ element: Int, _ bits: UInt64) -> Void
  private var locals: [[UInt64]]
  private var point: [Int]

  /// Prepares a run on memory that the two functions reach, by parameter and row-major element.
  package init(
    _ kernel: Kernel, read: @escaping (Int, Int) -> UInt64,
    write: @escaping (Int, Int, UInt64) -> Void
  ) {
    self.kernel = kernel
    self.read = read
    self.write = write
    locals = kernel.locals.map { [UInt64](repeating: 0, count: $0.type.shape.elementCount) }
    point = kernel.dimensions.map { _ in 0 }
  }

  /// Runs all stages at all points.
  package mutating func run() throws(Diagnostic) {
    try forEachPoint(kernel.outer[...]) { (evaluator) throws(Diagnostic) in
      for stage in evaluator.kernel.stages {
        try evaluator.forEachPoint(stage.dimensions[...]) { (evaluator) throws(Diagnostic) in
          try evaluator.run(stage)
        }
      }
    }
  }

  private mutating func forEachPoint(
    _ dimensions: ArraySlice<DimensionID>,
    _ body: (inout KernelEvaluator) throws(Diagnostic) -> Void
  ) throws(Diagnostic) {
    guard let first = dimensions.first else { return try body(&self) }
    for counter in 0..<kernel.dimensions[first.index].extent {
      point[first.index] = counter
      try forEachPoint(dimensions.dropFirst(), body)
    }
  }

  // MARK: Stages

  private mutating func run(_ stage: KernelStage) throws(Diagnostic) {
    switch stage.kind {
    case .map:
      let values = try evaluate(stage.body)
      try store(values[values.count - 1], stage, values)
    case .fold(let function, let over): try fold(stage, function, over)
    case .argFold(let function, let over): try argFold(stage, function, over)
    case .scatter(let function): try scatter(stage, function)
    }
  }

  private mutating func fold(
    _ stage: KernelStage, _ function: ReduceFunction, _ over: [DimensionID]
  ) throws(Diagnostic) {
    let dtype = stage.body.instructions[stage.body.instructions.count - 1].dtype
    var exact = function == .product ? 1.0 : 0.0
    var result: UInt64?
    try forEachPoint(over[...]) { (evaluator) throws(Diagnostic) in
      let values = try evaluator.evaluate(stage.body)
      let value = values[values.count - 1]
      if dtype.isFloat && (function == .sum || function == .product) {
        let number = ScalarArithmetic.double(value, dtype)
        exact = function == .sum ? exact + number : exact * number
      } else {
        result = result.map { ScalarArithmetic.binary(function.combine, $0, value, dtype) } ?? value
      }
    }
    try store(result ?? ScalarArithmetic.bits(exact, dtype), stage, [])
  }

  private mutating func argFold(
    _ stage: KernelStage, _ function: ArgReduceFunction, _ over: DimensionID
  ) throws(Diagnostic) {
    let dtype = stage.body.instructions[stage.body.instructions.count - 1].dtype
    var best: (place: Int, bits: UInt64)?
    try forEachPoint([over]) { (evaluator) throws(Diagnostic) in
      let value = try evaluator.evaluate(stage.body).last ?? 0
      func isNaN(_ bits: UInt64) -> Bool {
        ScalarArithmetic.compare(.notEqual, bits, bits, dtype)
      }
      let order: CompareFunction = function == .argmax ? .greater : .less
      if let current = best, isNaN(current.bits) { return }
      if best.map({ isNaN(value) || ScalarArithmetic.compare(order, value, $0.bits, dtype) })
        ?? true
      {
        best = (evaluator.point[over.index], value)
      }
    }
    try store(UInt64(best?.place ?? 0), stage, [])
  }

  private mutating func scatter(
    _ stage: KernelStage, _ function: ScatterFunction
  ) throws(Diagnostic) {
    let values = try evaluate(stage.body)
    guard let place = element(stage.target, stage.index, values) else { return }
    guard case .parameter(let parameter) = stage.target else { return }
    let dtype = kernel.type(of: stage.target).dtype
    let value = values[values.count - 1]
    let old = read(parameter, place)
    write(
      parameter, place,
      function.combine.map { ScalarArithmetic.binary($0, old, value, dtype) } ?? value)
  }

  private mutating func store(
    _ bits: UInt64, _ stage: KernelStage, _ values: [UInt64]
  ) throws(Diagnostic) {
    guard let place = element(stage.target, stage.index, values) else {
      throw failure("a store leaves its tensor", stage)
    }
    switch stage.target {
    case .parameter(let parameter): write(parameter, place, bits)
    case .local(let local): locals[local][place] = bits
    }
  }

  private func failure(_ message: String, _ stage: KernelStage) -> Diagnostic {
    Diagnostic(.malformedGraph, "kernel @\(kernel.name): \(message)", at: stage.location)
  }

  // MARK: Bodies

  /// The row-major place of an element; nil when it is outside.
  private func element(
    _ tensor: TensorReference, _ index: [IndexExpression], _ values: [UInt64]
  ) -> Int? {
    var place = 0
    for (expression, extent) in zip(index, kernel.type(of: tensor).shape.extents) {
      let counter = evaluate(expression, values)
      guard (0..<extent).contains(counter) else { return nil }
      place = place * extent + counter
    }
    return place
  }

  private func evaluate(_ index: IndexExpression, _ values: [UInt64]) -> Int {
    index.evaluate(dimensions: point) { Int(truncatingIfNeeded: values[$0]) }
  }

  private func evaluate(_ body: ScalarBody) throws(Diagnostic) -> [UInt64] {
    var values: [UInt64] = []
    values.reserveCapacity(body.instructions.count)
    for instruction in body.instructions {
      values.append(try evaluate(instruction, values, body))
    }
    return values
  }

  private func evaluate(
    _ instruction: ScalarInstruction, _ values: [UInt64], _ body: ScalarBody
  ) throws(Diagnostic) -> UInt64 {
    let dtype = instruction.dtype
    let operands = instruction.operands.map { values[$0] }
    switch instruction.operation {
    case .constant(let bits): return bits
    case .index(let index):
      let bits = UInt64(bitPattern: Int64(evaluate(index, values)))
      return ScalarArithmetic.convert(bits, .i64, to: dtype)
    case .load(let source, let index, let guards):
      let isInside = guards.allSatisfy {
        (0..<$0.extent).contains(evaluate($0.expression, values))
      }
      guard isInside else { return operands[0] }
      guard let place = element(source, index, values) else {
        throw Diagnostic(.malformedGraph, "kernel @\(kernel.name): a load leaves its tensor")
      }
      switch source {
      case .parameter(let parameter): return read(parameter, place)
      case .local(let local): return locals[local][place]
      }
    case .unary(let function): return ScalarArithmetic.unary(function, operands[0], dtype)
    case .binary(let function):
      return ScalarArithmetic.binary(function, operands[0], operands[1], dtype)
    case .compare(let function):
      let type = body.instructions[instruction.operands[0]].dtype
      return ScalarArithmetic.compare(function, operands[0], operands[1], type) ? 1 : 0
    case .select: return operands[0] != 0 ? operands[1] : operands[2]
    case .clamp:
      let raised = ScalarArithmetic.binary(.maximum, operands[1], operands[0], dtype)
      return ScalarArithmetic.binary(.minimum, raised, operands[2], dtype)
    case .convert:
      let type = body.instructions[instruction.operands[0]].dtype
      return ScalarArithmetic.convert(operands[0], type, to: dtype)
    case .random(let stream, let index):
      return Philox.element(
        UInt64(evaluate(index, values)), stream: UInt64(stream), seed: operands[0],
        step: operands[1], dtype)
    }
  }
}

extension ReduceFunction {
  fileprivate var combine: BinaryFunction {
    switch self {
    case .sum: .add
    case .product: .multiply
    case .max: .maximum
    case .min: .minimum
    }
  }
}

extension ScatterFunction {
  fileprivate var combine: BinaryFunction? {
    switch self {
    case .assign: nil
    case .sum: .add
    case .product: .multiply
    case .max: .maximum
    case .min: .minimum
    }
  }
}
