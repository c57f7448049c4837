import GraphIR

/// Runs a graph node by node and gives its outputs.
///
/// - Parameters:
///   - inputs: one literal for each input of the graph, of its type.
///   - precision: `.double` holds every float value in f64 and rounds nothing; the inputs may then
///     be f64 where the graph says another float, and float outputs are f64.
/// - Throws: a diagnostic when the inputs do not fit the graph.
public func interpret(
  _ graph: Graph, _ inputs: [Literal], precision: Precision = .typed
) throws(Diagnostic) -> [Literal] {
  let carried = try checked(inputs, graph.inputs, precision)
  return try run(graph, carried, precision).map { $0.literal(precision) }
}

/// Runs a graph and gives every value: element i is value i.
///
/// Parameters and errors are those of `interpret`.
package func interpretEveryValue(
  _ graph: Graph, _ inputs: [Literal], precision: Precision = .typed
) throws(Diagnostic) -> [Literal] {
  var values = try checked(inputs, graph.inputs, precision).map { $0.literal(precision) }
  try forEachResult(graph, try checked(inputs, graph.inputs, precision), precision, keepAll: true) {
    values.append($0.literal(precision))
  }
  return values
}

/// The results of one operation.
///
/// - Throws: a diagnostic when the operation does not take operands of these types.
package func evaluate(
  _ operation: Operation, _ operands: [Literal], bodies: [Graph] = [], literal: Literal? = nil,
  precision: Precision = .typed
) throws(Diagnostic) -> [Literal] {
  let types = try operation.inferTypes(operands.map(\.type), bodies: bodies, literal: literal)
  var evaluator = Evaluator(
    operands: operands.map { CarriedTensor($0, as: $0.type) }, types: types, bodies: bodies,
    literal: literal, precision: precision)
  return try operation.accept(&evaluator).map { $0.literal(precision) }
}

/// The results of one node of a graph on the given values of its operands.
///
/// - Parameter operands: of the types that the operands have in `graph`; any float may be f64 in
///   double precision.
/// - Throws: a diagnostic when the values do not fit the node.
package func evaluate(
  _ node: Node, in graph: Graph, _ operands: [Literal], precision: Precision = .typed
) throws(Diagnostic) -> [Literal] {
  var evaluator = try Evaluator(node, in: graph, operands, precision)
  return try node.operation.accept(&evaluator).map { $0.literal(precision) }
}

extension Evaluator {
  /// An evaluator of one node on the given values of its operands.
  init(
    _ node: Node, in graph: Graph, _ operands: [Literal], _ precision: Precision
  ) throws(Diagnostic) {
    let expected = node.operands.enumerated().map {
      Input("operand \($0)", graph.type(of: $1), location: node.location)
    }
    self.init(
      operands: try checked(operands, expected, precision), types: node.types, bodies: node.bodies,
      literal: node.literal, precision: precision)
  }
}

/// Runs a graph on carried values.
func run(
  _ graph: Graph, _ inputs: [CarriedTensor], _ precision: Precision
) throws(Diagnostic) -> [CarriedTensor] {
  let values = try forEachResult(graph, inputs, precision, keepAll: false) { _ in }
  var outputs: [CarriedTensor] = []
  for output in graph.outputs {
    guard let value = values[Int(output.value.index)] else {
      throw Diagnostic(.malformedGraph, "output '\(output.name)' of '\(graph.name)' has no value")
    }
    outputs.append(value)
  }
  return outputs
}

/// Runs a graph, reports each node's results in order, and gives the values that are still held at
/// the end.
@discardableResult
func forEachResult(
  _ graph: Graph, _ inputs: [CarriedTensor], _ precision: Precision, keepAll: Bool,
  report: (CarriedTensor) -> Void
) throws(Diagnostic) -> [CarriedTensor?] {
  var values: [CarriedTensor?] = inputs
  values.reserveCapacity(graph.valueCount)
  var uses = graph.useCounts()
  for node in graph.nodes {
    var operands: [CarriedTensor] = []
    for operand in node.operands {
      guard let value = values[Int(operand.index)] else {
        throw Diagnostic(
          .malformedGraph, "value \(operand.index) of '\(graph.name)' is used before it is defined",
          at: node.location)
      }
      operands.append(value)
      uses[Int(operand.index)] -= 1
      if uses[Int(operand.index)] == 0, !keepAll { values[Int(operand.index)] = nil }
    }
    for result in try results(of: node, operands, precision) {
      report(result)
      let unused = uses[values.count] == 0 && !keepAll
      values.append(unused ? nil : result)
    }
  }
  return values
}

/// The results of a node on the values of its operands.
func results(
  of node: Node, _ operands: [CarriedTensor], _ precision: Precision
) throws(Diagnostic) -> [CarriedTensor] {
  var evaluator = Evaluator(
    operands: operands, types: node.types, bodies: node.bodies, literal: node.literal,
    precision: precision)
  do {
    return try node.operation.accept(&evaluator)
  } catch {
    throw error.located(at: node.location)
  }
}

/// Widens literals for inputs after checking their count and types.
func checked(
  _ literals: [Literal], _ inputs: [Input], _ precision: Precision
) throws(Diagnostic) -> [CarriedTensor] {
  guard literals.count == inputs.count else {
    throw Diagnostic(
      .wrongCount, "\(inputs.count) inputs are needed, but \(literals.count) were given",
      hint: "the inputs are " + inputs.map { "\($0.name): \($0.type)" }.joined(separator: ", "))
  }
  var carried: [CarriedTensor] = []
  for (literal, input) in zip(literals, inputs) {
    let wide = precision == .double && input.type.dtype.isFloat && literal.type.dtype == .f64
    guard literal.type == TensorType(wide ? .f64 : input.type.dtype, input.type.shape) else {
      throw Diagnostic(
        literal.type.dtype == input.type.dtype ? .shapeMismatch : .typeMismatch,
        "'\(input.name)' is \(input.type), but \(literal.type) was given", at: input.location)
    }
    carried.append(CarriedTensor(literal, as: input.type))
  }
  return carried
}
