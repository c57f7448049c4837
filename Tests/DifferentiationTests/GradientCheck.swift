import Differentiation
import GraphIR
import Interpreter
import Testing

/// A small deterministic source of numbers (SplitMix64; Steele, Lea and Flood, OOPSLA 2014).
struct Numbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// The next number, between the bounds.
  mutating func next(_ low: Double = -1, _ high: Double = 1) -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return low + (high - low) * Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }

  mutating func literal(_ type: TensorType, _ low: Double, _ high: Double) -> Literal {
    Literal(type, doubles: (0..<type.shape.elementCount).map { _ in next(low, high) })
  }
}

extension GraphBuilder {
  mutating func node(_ operation: Operation, _ operands: Value...) throws -> Value {
    try append(operation, operands)[0]
  }

  mutating func constant(_ literal: Literal) throws -> Value {
    try append(.constant(Constant(literal.type)), [], literal: literal)[0]
  }
}

/// What a gradient check is asked to see.
enum Expectation {
  /// First and second derivatives, some of each not zero.
  case curved
  /// First derivatives, some not zero; second derivatives that are all zero.
  case linear
  /// First derivatives that are all zero.
  case constant
}

/// Compares the gradients of a function, and the gradients of those, with central differences in f64.
///
/// - Parameters:
///   - inputs: the values of the inputs; f64 inputs are differentiated, others are not.
///   - function: builds the function on the inputs' values.
func expectGradients(
  _ expectation: Expectation = .curved, of inputs: [Literal], step: Double = 1e-5,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ function: (inout GraphBuilder, [Value]) throws -> Value
) throws {
  var builder = GraphBuilder(name: "checked")
  let values = inputs.enumerated().map { builder.input("x\($0)", $1.type) }
  let result = try function(&builder, values)
  var numbers = Numbers(seed: 7)
  let scalar = try weightedSum([result], &numbers, &builder)
  let graph = try builder.finish([Output("y", scalar)])
  let wanted = inputs.indices.filter { inputs[$0].type.dtype == .f64 }
  let first = try gradient(of: graph, output: 0, withRespectTo: wanted)
  let zero = try compare(first, inputs, wanted, step, sourceLocation)
  #expect(
    zero == (expectation == .constant), "whether all gradients are zero",
    sourceLocation: sourceLocation)
  if expectation == .constant { return }

  var again = GraphBuilder(name: "again")
  again.graph = first
  let sum = try weightedSum(first.outputs.dropFirst().map(\.value), &numbers, &again)
  let second = try gradient(
    of: try again.finish([Output("y", sum)]), output: 0, withRespectTo: wanted)
  let secondZero = try compare(second, inputs, wanted, step, sourceLocation)
  #expect(
    secondZero == (expectation == .linear), "whether all second derivatives are zero",
    sourceLocation: sourceLocation)
}

/// The sum of all elements, each times a fixed weight.
private func weightedSum(
  _ values: [Value], _ numbers: inout Numbers, _ builder: inout GraphBuilder
) throws -> Value {
  var total = try builder.constant(.scalar(0, .f64))
  for value in values {
    let type = builder.type(of: value)
    let weights = try builder.constant(numbers.literal(type, 0.5, 1.5))
    let product = try builder.node(.binary(Binary(.multiply)), value, weights)
    let sum = try builder.node(
      .reduce(Reduce(.sum, dimensions: Array(0..<type.shape.rank))), product)
    total = try builder.node(.binary(Binary(.add)), total, sum)
  }
  return total
}

/// Compares output 1 + i of a graph with the differences of output 0 along input `wanted[i]`.
///
/// - Returns: whether all gradients are zero.
private func compare(
  _ graph: Graph, _ inputs: [Literal], _ wanted: [Int], _ step: Double,
  _ sourceLocation: SourceLocation
) throws -> Bool {
  let gradients = try interpret(graph, inputs).dropFirst().map { $0.doubles() }
  for (input, gradient) in zip(wanted, gradients) {
    let name = graph.inputs[input].name
    for (position, value) in gradient.enumerated() {
      let difference = try slope(graph, inputs, input, position, step)
      #expect(
        abs(value - difference) <= 2e-6 * (1 + abs(difference)),
        "gradient of \(name) at \(position): \(value), by differences \(difference)",
        sourceLocation: sourceLocation)
    }
  }
  return gradients.allSatisfy { $0.allSatisfy { $0 == 0 } }
}

/// The central difference of output 0 along one element of one input.
private func slope(
  _ graph: Graph, _ inputs: [Literal], _ input: Int, _ position: Int, _ step: Double
) throws -> Double {
  func value(_ offset: Double) throws -> Double {
    var elements = inputs[input].doubles()
    elements[position] += offset
    var moved = inputs
    moved[input] = Literal(inputs[input].type, doubles: elements)
    return try interpret(graph, moved)[0].doubles()[0]
  }
  return try (value(step) - value(-step)) / (2 * step)
}

/// An f64 tensor of numbers between bounds.
func tensor(
  _ shape: Shape, _ low: Double = -1, _ high: Double = 1, seed: UInt64 = 1
) -> Literal {
  var numbers = Numbers(seed: seed)
  return numbers.literal(TensorType(.f64, shape), low, high)
}

/// An f64 tensor of distinct numbers, far enough apart for differences to keep their order.
func distinct(_ shape: Shape, seed: UInt64 = 1) -> Literal {
  var numbers = Numbers(seed: seed)
  let count = shape.elementCount
  var order = Array(0..<count)
  for i in order.indices.dropFirst() { order.swapAt(i, Int(numbers.next(0, Double(i + 1)))) }
  let type = TensorType(.f64, shape)
  return Literal(type, doubles: order.map { Double($0) / Double(max(count, 1)) - 0.45 })
}

/// The gradients of the sum of a function's result, with respect to every input.
func gradients(
  of inputs: [Literal], _ function: (inout GraphBuilder, [Value]) throws -> Value
) throws -> [[Double]] {
  var builder = GraphBuilder(name: "f")
  let values = inputs.enumerated().map { builder.input("x\($0)", $1.type) }
  let result = try function(&builder, values)
  let rank = builder.type(of: result).shape.rank
  let sum = try builder.node(.reduce(Reduce(.sum, dimensions: Array(0..<rank))), result)
  let graph = try builder.finish([Output("y", sum)])
  return try outputs(of: graph, withRespectTo: graph.inputs.map(\.name), inputs).map {
    $0.doubles()
  }
}

/// The gradients of a graph's first output with respect to inputs.
func outputs(
  of graph: Graph, withRespectTo names: [String], _ inputs: [Literal]
) throws -> [Literal] {
  let differentiated = try gradient(
    of: graph, output: graph.outputs[0].name, withRespectTo: names)
  return Array(try interpret(differentiated, inputs).dropFirst(graph.outputs.count))
}
