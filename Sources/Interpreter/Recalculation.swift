import GraphIR

/// A graph on known inputs, run again and again with one of them changed: only what depends on it is computed anew, and only
/// what an output needs.
package struct Recalculation {
  private let graph: Graph
  private let precision: Precision
  /// Every value on the known inputs.
  private let values: [CarriedTensor?]
  /// For each node whether an output needs it.
  private var isNeeded: [Bool]

  /// Runs a graph; parameters and errors are those of `interpret`.
  package init(
    _ graph: Graph, _ inputs: [Literal], precision: Precision = .typed
  ) throws(Diagnostic) {
    self.graph = graph
    self.precision = precision
    values = try forEachResult(
      graph, try checked(inputs, graph.inputs, precision), precision, keepAll: true
    ) { _ in }
    isNeeded = [Bool](repeating: false, count: graph.nodes.count)
    var needed = Set(graph.outputs.map(\.value))
    for (index, node) in graph.nodes.enumerated().reversed()
    where node.results.contains(where: { needed.contains($0) }) {
      isNeeded[index] = true
      needed.formUnion(node.operands)
    }
  }

  /// The outputs on the known inputs.
  package func outputs() throws(Diagnostic) -> [Literal] { try outputs([:]) }

  /// The nodes that are computed anew when an input changes, in order.
  package func nodes(changedBy input: Int) -> [Node] {
    var changed: Set = [Value(input)]
    return zip(graph.nodes, isNeeded).compactMap { node, isNeeded in
      guard isNeeded, node.operands.contains(where: { changed.contains($0) }) else { return nil }
      changed.formUnion(node.results)
      return node
    }
  }

  /// The outputs with one input changed.
  ///
  /// - Parameter literal: Of the input's type; in double precision any float may be f64.
  package func outputs(
    changing input: Int, to literal: Literal
  ) throws(Diagnostic) -> [Literal] {
    var changed: [Value: CarriedTensor] = [
      Value(input): try checked([literal], [graph.inputs[input]], precision)[0]
    ]
    for node in nodes(changedBy: input) {
      var operands: [CarriedTensor] = []
      for operand in node.operands { operands.append(try value(operand, changed)) }
      for (result, tensor) in zip(node.results, try results(of: node, operands, precision)) {
        changed[result] = tensor
      }
    }
    return try outputs(changed)
  }

  private func outputs(
    _ changed: [Value: CarriedTensor]
  ) throws(Diagnostic) -> [Literal] {
    var outputs: [Literal] = []
    for output in graph.outputs {
      outputs.append(try value(output.value, changed).literal(precision))
    }
    return outputs
  }

  private func value(
    _ value: Value, _ changed: [Value: CarriedTensor]
  ) throws(Diagnostic) -> CarriedTensor {
    if let tensor = changed[value] ?? values[Int(value.index)] { return tensor }
    throw Diagnostic(.malformedGraph, "value \(value.index) of '\(graph.name)' is not defined")
  }
}
