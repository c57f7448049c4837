import GraphIR

/// Removes nodes on which no output depends.
public struct EliminateDeadCode: GraphPass {
  /// The name in pipelines.
  public let name = "dce"
  /// What the pass does.
  public let summary = "remove nodes on which no output depends"

  /// Makes the pass.
  public init() {}

  /// Rewrites the graph.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    var isUsed = [Bool](repeating: false, count: graph.valueCount)
    for output in graph.outputs { isUsed[Int(output.value.index)] = true }
    for node in graph.nodes.reversed() where node.results.contains(where: isUsed.contains(_:)) {
      for operand in node.operands { isUsed[Int(operand.index)] = true }
    }
    var index = 0
    let nodes = graph.nodes
    return try graph.rebuild { _, _ throws(Diagnostic) in
      defer { index += 1 }
      return nodes[index].results.contains(where: isUsed.contains(_:)) ? .keep : .drop
    }
  }
}

extension [Bool] {
  fileprivate func contains(_ value: Value) -> Bool { self[Int(value.index)] }
}
