import GraphIR
import Interpreter
import Runtime

/// Runs graphs node by node in the reference interpreter: slow, and right.
public struct InterpreterBackend: Backend {
  /// `interpreter`.
  public var name: String { "interpreter" }

  /// Makes the backend.
  public init() {}

  /// Checks that the graph's values fit in memory; there is nothing to compile.
  public func prepare(_ graph: Graph) throws(Diagnostic) -> any Executable {
    try MemoryBudget.require(
      graph.interpreterBytes + graph.interfaceBytes, for: "interpreting '\(graph.name)'")
    return InterpretedGraph(graph)
  }
}

/// A graph that is run by the interpreter.
private final class InterpretedGraph: Executable {
  let graph: Graph
  let inputs: [Input]
  let outputs: [(name: String, type: TensorType)]
  let statistics: ExecutableStatistics

  init(_ graph: Graph) {
    self.graph = graph
    inputs = graph.inputs
    outputs = graph.outputs.map { ($0.name, graph.type(of: $0.value)) }
    var statistics = ExecutableStatistics()
    statistics.flops = graph.contractionFlops
    statistics.kernels = graph.nodes.count
    self.statistics = statistics
  }

  func makeWorkspace() throws(Diagnostic) -> any Workspace { InterpreterWorkspace(graph) }
}

private final class InterpreterWorkspace: Workspace {
  private let graph: Graph

  init(_ graph: Graph) { self.graph = graph }

  func run(inputs: [Buffer], outputs: [Buffer]) throws(Diagnostic) {
    let results = try interpret(graph, inputs.map { $0.literal() })
    for (result, output) in zip(results, outputs) { output.write(result) }
  }
}
