import GraphIR

/// Adds to a graph the gradient of one of its outputs with respect to some of its inputs.
///
/// - Parameters:
///   - output: the position of a floating-point scalar among the graph's outputs.
///   - inputs: positions of floating-point inputs.
/// - Returns: a graph with the same inputs that gives the original outputs, then one gradient per
///   input, of the input's type and named `gradient.<input>`.
/// - Throws: a diagnostic with the code `not-differentiable` and the place when an operation on the
///   way from an input to the output has no gradient.
public func gradient(
  of graph: Graph, output: Int, withRespectTo inputs: [Int]
) throws(Diagnostic) -> Graph {
  guard graph.outputs.indices.contains(output) else {
    throw Diagnostic(
      .argument, "graph \(graph.name) has no output \(output)",
      hint: "its outputs are \(graph.outputs.map(\.name).joined(separator: ", "))")
  }
  for input in inputs where !graph.inputs.indices.contains(input) {
    throw Diagnostic(
      .argument, "graph \(graph.name) has no input \(input)",
      hint: "its inputs are \(graph.inputs.map(\.name).joined(separator: ", "))")
  }
  var builder = GraphBuilder(name: graph.name)
  builder.graph = graph
  let gradients = try appendGradients(
    to: &builder, of: graph.outputs[output].value, withRespectTo: inputs.map { Value($0) })
  var outputs = graph.outputs
  for (input, gradient) in zip(inputs, gradients) {
    var name = "gradient.\(graph.inputs[input].name)"
    // The gradient of a gradient meets the first one's name.
    while outputs.contains(where: { $0.name == name }) { name = "gradient.\(name)" }
    outputs.append(Output(name, gradient))
  }
  return try builder.finish(outputs)
}

/// Adds to a graph the gradient of one of its outputs with respect to some of its inputs, by name.
///
/// Results and errors are those of `gradient(of:output:withRespectTo:)` with positions.
public func gradient(
  of graph: Graph, output: String, withRespectTo inputs: [String]
) throws(Diagnostic) -> Graph {
  guard let outputIndex = graph.outputs.firstIndex(where: { $0.name == output }) else {
    throw Diagnostic(
      .argument, "graph \(graph.name) has no output \(output)",
      hint: "its outputs are \(graph.outputs.map(\.name).joined(separator: ", "))")
  }
  var inputIndices: [Int] = []
  for name in inputs {
    guard let index = graph.inputs.firstIndex(where: { $0.name == name }) else {
      throw Diagnostic(
        .argument, "graph \(graph.name) has no input %\(name)",
        hint: "its inputs are \(graph.inputs.map { "%\($0.name)" }.joined(separator: ", "))")
    }
    inputIndices.append(index)
  }
  return try gradient(of: graph, output: outputIndex, withRespectTo: inputIndices)
}

/// Appends the gradients of a scalar with respect to values, differentiating what the builder holds.
///
/// Only nodes between the values and the scalar get a gradient, at their own locations. A value on
/// which the scalar does not depend gets zeros.
///
/// - Parameters:
///   - scalar: a floating-point value without dimensions.
///   - values: floating-point values: inputs, or results of nodes.
/// - Returns: for each of `values` the gradient, of its type.
package func appendGradients(
  to builder: inout GraphBuilder, of scalar: Value, withRespectTo values: [Value]
) throws(Diagnostic) -> [Value] {
  let type = builder.type(of: scalar)
  guard type.dtype.isFloat, type.shape.rank == 0 else {
    throw Diagnostic(
      .notDifferentiable, "cannot differentiate a \(type)", at: builder.location(of: scalar),
      hint: "reduce it to a floating-point scalar first, by a sum or a mean")
  }
  for value in values where !builder.type(of: value).dtype.isFloat {
    let name = builder.graph.input(of: value).map { "input %\($0.name)" } ?? "a value"
    throw Diagnostic(
      .notDifferentiable,
      "cannot differentiate with respect to \(name) of \(builder.type(of: value))",
      at: builder.location(of: value), hint: "gradients exist for floating-point values only")
  }
  // The builder is moved in and out, so that appending never copies the graph.
  var differentiator = Differentiator(builder)
  builder = GraphBuilder(name: builder.graph.name)
  defer { builder = differentiator.builder }
  return try differentiator.appendGradients(of: scalar, withRespectTo: values)
}

extension Differentiator {
  fileprivate mutating func appendGradients(
    of scalar: Value, withRespectTo values: [Value]
  ) throws(Diagnostic) -> [Value] {
    location = builder.location(of: scalar)
    let one = try scalarConstant(1, builder.type(of: scalar).dtype)
    let nodes = 0..<builder.graph.nodes.count - 1
    let gradients = try pullBack([scalar: one], through: nodes, to: values)
    var all: [Value] = []
    for (value, gradient) in zip(values, gradients) {
      location = builder.location(of: value)
      if let gradient {
        all.append(gradient)
      } else {
        all.append(try constant(0, builder.type(of: value)))
      }
    }
    return all
  }
}

extension GraphBuilder {
  /// Where a value was defined.
  fileprivate func location(of value: Value) -> Location {
    graph.definition(of: value)?.location ?? graph.input(of: value)?.location ?? .unknown
  }
}
