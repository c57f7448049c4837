import GraphIR
import Interpreter

/// A value computed in f64 with a bound, per element, on how far a right computation in the graph's own dtypes
/// may be from it.
///
/// A bound of 0 asks for equal values; infinity excuses everything (a comparison of values that are equal within
/// their bounds may go either way).
package struct BoundedValue: Sendable {
  /// The reference; floats are f64.
  package var reference: Literal
  /// For each element the allowed distance.
  package var bounds: [Double]

  /// A value that is known exactly.
  package init(exact reference: Literal) {
    self.reference = reference
    bounds = [Double](repeating: 0, count: reference.type.shape.elementCount)
  }

  package init(reference: Literal, bounds: [Double]) {
    self.reference = reference
    self.bounds = bounds
  }

  /// Whether every element is known exactly.
  var isExact: Bool { bounds.allSatisfy { $0 == 0 } }

  /// The bounds as an f64 tensor of the reference's shape.
  var boundsLiteral: Literal {
    Literal(TensorType(.f64, reference.type.shape), doubles: bounds)
  }
}

/// Running error analysis of one node (Wilkinson, "Error analysis of floating-point computation", 1960): each rule
/// gives the node's value in f64 and what rounding and the operands' errors can make of it.
///
/// * A sum of products of n terms may be off by `c(n) * eps * (sum of absolute terms)`, with
///   `c(n) = 4 + 2 sqrt(n) + n / 8`: rounding errors mostly cancel, but not where many terms are alike, and n / 2 is the
///   worst case (Higham, "The accuracy of floating point summation", SISC 14, 1993). A sum of f16 or bf16 accumulates in f32, whose eps counts, and is rounded once;
///   that of a scatter accumulates in its result.
/// * An elementwise function may be off by the units in the last place that its accuracy allows, and by what the
///   function makes of its operands' errors, found by evaluating it at their ends.
/// * What is beyond the range of the dtype is infinite; where it may be so or not, the result may be anything.
/// * What only moves data moves the bounds along.
package struct ErrorBounds {
  let node: Node
  /// The dtypes that the operands have in the graph.
  let operandTypes: [TensorType]
  let operands: [BoundedValue]

  /// The value of a node's results with their bounds.
  package static func evaluate(
    _ node: Node, in graph: Graph, _ operands: [BoundedValue]
  ) throws(Diagnostic) -> [BoundedValue] {
    var rule = ErrorBounds(
      node: node, operandTypes: node.operands.map { graph.type(of: $0) }, operands: operands)
    return try node.operation.accept(&rule)
  }
}

extension ErrorBounds: OperationVisitor {
  package typealias Result = [BoundedValue]
  package typealias Failure = Diagnostic

  // MARK: Elementwise

  package mutating func visit(_ op: Unary) throws(Diagnostic) -> Result {
    try elementwise(op.function.accuracy(in: node.types[0].dtype))
  }
  package mutating func visit(_ op: Binary) throws(Diagnostic) -> Result {
    try elementwise(op.function.accuracy(in: node.types[0].dtype))
  }
  package mutating func visit(_ op: Clamp) throws(Diagnostic) -> Result {
    try elementwise(.correctlyRounded)
  }
  package mutating func visit(_ op: Convert) throws(Diagnostic) -> Result {
    try elementwise(.correctlyRounded)
  }

  package mutating func visit(_ op: Compare) throws(Diagnostic) -> Result {
    let (x, y) = (operands[0], operands[1])
    let (left, right) = (x.reference.doubles(), y.reference.doubles())
    let bounds = left.indices.map { index in
      let slack = x.bounds[index] + y.bounds[index]
      return slack > 0 && !(abs(left[index] - right[index]) > slack) ? Double.infinity : 0
    }
    return [BoundedValue(reference: try reference(), bounds: bounds)]
  }

  package mutating func visit(_ op: Select) throws(Diagnostic) -> Result {
    let chosen = operands[0].reference.doubles()
    let (yes, no) = (operands[1].reference.doubles(), operands[2].reference.doubles())
    let bounds = chosen.indices.map { index in
      let (a, b) = (operands[1].bounds[index], operands[2].bounds[index])
      let uncertain = operands[0].bounds[index] > 0
      return uncertain ? max(a, b) + abs(yes[index] - no[index]) : chosen[index] != 0 ? a : b
    }
    return [BoundedValue(reference: try reference(), bounds: bounds)]
  }

  // MARK: Shaping

  package mutating func visit(_ op: Constant) throws(Diagnostic) -> Result { try exact() }
  package mutating func visit(_ op: Iota) throws(Diagnostic) -> Result {
    // A narrow float rounds large indices.
    let value = try reference()
    let bounds = value.doubles().map { $0 * epsilon / 2 }
    return [BoundedValue(reference: value, bounds: bounds)]
  }
  package mutating func visit(_ op: Reshape) throws(Diagnostic) -> Result { try moved() }
  package mutating func visit(_ op: Broadcast) throws(Diagnostic) -> Result { try moved() }
  package mutating func visit(_ op: Transpose) throws(Diagnostic) -> Result { try moved() }
  package mutating func visit(_ op: Slice) throws(Diagnostic) -> Result { try moved() }
  package mutating func visit(_ op: Pad) throws(Diagnostic) -> Result { try moved() }
  package mutating func visit(_ op: Concatenate) throws(Diagnostic) -> Result { try moved() }
  package mutating func visit(_ op: Reverse) throws(Diagnostic) -> Result { try moved() }

  // MARK: Contraction

  package mutating func visit(_ op: Dot) throws(Diagnostic) -> Result {
    try sum(terms: op.lhsContracting.reduce(1) { $0 * operandTypes[0].shape[$1] })
  }

  package mutating func visit(_ op: Convolution) throws(Diagnostic) -> Result {
    try sum(terms: operandTypes[1].shape.extents.dropLast().reduce(1, *))
  }

  // MARK: Reduction and pooling

  package mutating func visit(_ op: Reduce) throws(Diagnostic) -> Result {
    let count = op.dimensions.reduce(1) { $0 * operandTypes[0].shape[$1] }
    switch op.function {
    case .sum: return try sum(terms: count)
    case .product: return try product(terms: count)
    case .max, .min: return try largestBound(.reduce(Reduce(.max, dimensions: op.dimensions)))
    }
  }

  package mutating func visit(_ op: ArgReduce) throws(Diagnostic) -> Result {
    try excusedUnlessExact()
  }

  package mutating func visit(_ op: ReduceWindow) throws(Diagnostic) -> Result {
    let count = op.window.size.reduce(1, *)
    switch op.function {
    case .sum: return try sum(terms: count)
    case .product: return try product(terms: count)
    case .max, .min: return try largestBound(.reduceWindow(ReduceWindow(.max, window: op.window)))
    }
  }

  package mutating func visit(_ op: ReduceWindowGradient) throws(Diagnostic) -> Result {
    guard operands[0].isExact else { return try excusedUnlessExact() }
    return try sum(terms: op.window.size.reduce(1, *), fixed: [0])
  }

  // MARK: Indexing

  package mutating func visit(_ op: Gather) throws(Diagnostic) -> Result {
    guard operands[1].isExact else { return try excusedUnlessExact() }
    return try moved(fixed: [1])
  }

  package mutating func visit(_ op: Scatter) throws(Diagnostic) -> Result {
    guard operands[1].isExact else { return try excusedUnlessExact() }
    let count = operands[1].reference.type.shape.elementCount + 1
    switch op.function {
    case .assign: return try moved(fixed: [1])
    case .sum: return try sum(terms: count, fixed: [1], inResult: true)
    case .product: return try product(terms: count)
    case .max, .min:
      let op = Scatter(.max, dimensions: op.dimensions, batch: op.batch)
      return try largestBound(.scatter(op), fixed: [1])
    }
  }

  package mutating func visit(_ op: Random) throws(Diagnostic) -> Result { try exact() }

  // MARK: Control

  package mutating func visit(_ op: Composite) throws(Diagnostic) -> Result {
    let body = node.bodies[0]
    var values = operands
    for node in body.nodes {
      let operands = node.operands.map { values[Int($0.index)] }
      values += try ErrorBounds.evaluate(node, in: body, operands)
    }
    return body.outputs.map { values[Int($0.value.index)] }
  }
}

extension ErrorBounds {
  /// The relative distance of neighbouring values of the result's dtype; 0 where results are exact.
  private var epsilon: Double { node.types[0].dtype.epsilon ?? 0 }

  /// The smallest positive value that the result's dtype holds, for results that underflow.
  private var smallest: Double {
    switch node.types[0].dtype {
    case .f32, .bf16: 0x1p-126
    case .f64: 0x1p-1022
    case .f16: 0x1p-14
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: 0
    }
  }

  /// From here on a value is infinite in a dtype: half a step beyond the largest.
  private func infinity(_ dtype: DType) -> Double {
    switch dtype {
    case .f32: 0x1.ffffffp127
    case .bf16: 0x1.ffp127
    case .f16: 65520
    case .f64: .infinity
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: .infinity
    }
  }

  /// A finite value beyond the dtype's range is infinite for whoever reads it; what may be so or not may be anything.
  private func inRange(_ value: Literal, _ bounds: [Double]) -> BoundedValue {
    var (values, bounds) = (value.doubles(), bounds)
    let infinite = infinity(node.types[0].dtype)
    let beyond = values.indices.filter {
      values[$0].isFinite && abs(values[$0]) + bounds[$0] >= infinite
    }
    if beyond.isEmpty { return BoundedValue(reference: value, bounds: bounds) }
    for index in beyond {
      let isInfinite = abs(values[index]) - bounds[index] >= infinite
      bounds[index] = isInfinite ? 0 : .infinity
      if isInfinite { values[index] = values[index] < 0 ? -.infinity : .infinity }
    }
    return BoundedValue(reference: Literal(value.type, doubles: values), bounds: bounds)
  }

  /// The node on other operand values.
  private func evaluate(_ values: [Literal]) throws(Diagnostic) -> Literal {
    try evaluate(node.operation, values)
  }

  private func evaluate(_ operation: Operation, _ values: [Literal]) throws(Diagnostic) -> Literal {
    try Interpreter.evaluate(
      operation.widened, values, bodies: node.bodies, literal: node.literal, precision: .double)[0]
  }

  private func reference() throws(Diagnostic) -> Literal {
    try evaluate(operands.map(\.reference))
  }

  private func exact() throws(Diagnostic) -> [BoundedValue] {
    [BoundedValue(exact: try reference())]
  }

  private func excusedUnlessExact() throws(Diagnostic) -> [BoundedValue] {
    let value = try reference()
    let excused = operands.allSatisfy(\.isExact) ? 0 : Double.infinity
    let count = value.type.shape.elementCount
    return [BoundedValue(reference: value, bounds: [Double](repeating: excused, count: count))]
  }

  /// Data that is moved takes its bounds along; the operands in `fixed` are indices.
  private func moved(fixed: Set<Int> = []) throws(Diagnostic) -> [BoundedValue] {
    let value = try reference()
    guard !operands.allSatisfy(\.isExact) else { return [BoundedValue(exact: value)] }
    let bounds = try evaluate(boundOperands(fixed))
    return [BoundedValue(reference: value, bounds: bounds.doubles())]
  }

  private func boundOperands(_ fixed: Set<Int>) -> [Literal] {
    operands.indices.map {
      fixed.contains($0) ? operands[$0].reference : operands[$0].boundsLiteral
    }
  }

  private func largestBound(
    _ operation: Operation, fixed: Set<Int> = []
  ) throws(Diagnostic) -> [BoundedValue] {
    let value = try reference()
    guard !operands.allSatisfy(\.isExact) else { return [BoundedValue(exact: value)] }
    let bounds = try evaluate(operation, boundOperands(fixed))
    return [BoundedValue(reference: value, bounds: bounds.doubles().map { max($0, 0) })]
  }

  /// A sum of (products of) the operands' elements.
  private func sum(
    terms: Int, fixed: Set<Int> = [], inResult: Bool = false
  ) throws(Diagnostic) -> [BoundedValue] {
    let value = try reference()
    guard node.types[0].dtype.isFloat else { return try excusedUnlessExact() }
    func magnitudes(widened: Bool) throws(Diagnostic) -> [Double] {
      let sizes = operands.indices.map { index -> Literal in
        let operand = operands[index]
        if fixed.contains(index) { return operand.reference }
        let sizes = zip(operand.reference.doubles(), operand.bounds).map {
          abs($0) + (widened ? $1 : 0)
        }
        return Literal(TensorType(.f64, operand.reference.type.shape), doubles: sizes)
      }
      return try evaluate(sizes).doubles()
    }
    let dtype = node.types[0].dtype
    let isNarrow = !inResult && (dtype == .f16 || dtype == .bf16)
    let accumulator = isNarrow ? DType.f32 : dtype
    let steps = 4 + 2 * Double(terms).squareRoot() + Double(terms) / 8
    let scale = steps * (accumulator.epsilon ?? 0)
    let sizes = try magnitudes(widened: false)
    let isExact = operands.allSatisfy(\.isExact)
    let widened = isExact ? sizes : try magnitudes(widened: true)
    let center = value.doubles()
    let bounds = sizes.indices.map { index -> Double in
      // An infinite sum has an infinite term; a small factor beside it may round to zero, and the sum be NaN.
      if center[index].isInfinite { return isExact ? 0 : .infinity }
      if center[index].isNaN { return 0 }
      let rounding = isNarrow ? ErrorStatistics.ulp(of: center[index], in: dtype) : 0
      let bound =
        (widened[index] - sizes[index]) + scale * widened[index] + rounding
        + ErrorStatistics.ulp(of: 0, in: accumulator)
      // Some of the terms may be beyond the range where all are not.
      return bound.isNaN || widened[index] >= infinity(accumulator) ? .infinity : bound
    }
    return [inRange(value, bounds)]
  }

  /// A product of elements: relative errors add up.
  private func product(terms: Int) throws(Diagnostic) -> [BoundedValue] {
    guard node.types[0].dtype.isFloat, operands.allSatisfy(\.isExact) else {
      return try excusedUnlessExact()
    }
    let value = try reference()
    let bounds = value.doubles().map { abs($0) * Double(terms + 1) * epsilon + smallest }
    return [BoundedValue(reference: value, bounds: bounds)]
  }

  /// A function of each element: its own error, and the largest change over the ends of the operands' errors.
  private func elementwise(_ accuracy: Accuracy) throws(Diagnostic) -> [BoundedValue] {
    let value = try reference()
    let dtype = node.types[0].dtype
    let isFloat = dtype.isFloat
    let center = value.doubles()
    // The functions are exact where they are zero; there the zero's sign counts.
    var bounds = center.map { center in
      isFloat && center.isFinite && center != 0
        ? accuracy.ulps * ErrorStatistics.ulp(of: center, in: dtype) : 0
    }
    let inexact = operands.indices.filter { !operands[$0].isExact }
    if operandTypes.allSatisfy({ !$0.dtype.isFloat }) {
      if !isFloat { bounds = bounds.map { _ in 0 } }
      return inexact.isEmpty
        ? [BoundedValue(reference: value, bounds: bounds)] : try excusedUnlessExact()
    }
    for corner in 0..<(1 << inexact.count) where !inexact.isEmpty {
      var moved = operands.map(\.reference)
      for (bit, index) in inexact.enumerated() {
        moved[index] = shifted(operands[index], by: corner >> bit & 1 == 0 ? -1 : 1)
      }
      for (index, end) in try evaluate(moved).doubles().enumerated() {
        // Infinity stays what it is: a score that a mask hides is known exactly.
        let change = end == center[index] ? 0 : abs(end - center[index])
        bounds[index] = max(bounds[index], change.isNaN ? .infinity : change + bounds[index])
      }
    }
    // An operand that may be anything has no ends: 1 / x is not small because it is so at infinity.
    for index in bounds.indices
    where inexact.contains(where: { operands[$0].bounds[index] == .infinity }) {
      bounds[index] = .infinity
    }
    return [inRange(value, bounds)]
  }

  private func shifted(_ operand: BoundedValue, by sign: Double) -> Literal {
    guard operand.reference.type.dtype == .f64 else { return operand.reference }
    let moved = zip(operand.reference.doubles(), operand.bounds).map { $0 + sign * $1 }
    return Literal(operand.reference.type, doubles: moved)
  }
}

extension Operation {
  /// The operation with f64 for every float dtype among its attributes.
  fileprivate var widened: Operation {
    switch self {
    case .constant, .random: self
    case .convert(let op): op.dtype.isFloat ? .convert(Convert(.f64)) : self
    case .iota(let op):
      op.dtype.isFloat
        ? .iota(Iota(TensorType(.f64, Shape(op.shape)), dimension: op.dimension)) : self
    case .unary, .binary, .compare, .select, .clamp, .reshape, .broadcast, .transpose, .slice, .pad,
      .concatenate, .reverse, .dot, .convolution, .reduce, .argReduce, .reduceWindow,
      .reduceWindowGradient, .gather, .scatter, .composite:
      self
    }
  }
}
