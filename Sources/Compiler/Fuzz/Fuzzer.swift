import GraphIR
import Interpreter
import LoopIR
import Runtime

/// Checks random well-typed graphs on both backends.
public enum Fuzzer {
  /// What became of one graph.
  public struct Outcome: Sendable {
    /// The graph; nil when it could not be made.
    public var graph: Graph?
    /// What is wrong; nil when all is right.
    public var problem: Diagnostic?
  }

  /// Makes the graph of a seed and checks it.
  public static func run(seed: UInt64) -> Outcome {
    var outcome = Outcome()
    do {
      let graph = try RandomGraph(seed: seed).make()
      outcome.graph = graph
      try check(graph, seed: seed)
    } catch {
      outcome.problem = error
    }
    return outcome
  }

  /// Compares one graph: passes, kernels, the evaluator of loops, and the bits on 1, 2 and 4 threads.
  package static func check(_ graph: Graph, seed: UInt64) throws(Diagnostic) {
    let inputs = graph.seededInputs(seed: seed)
    var options = CompileOptions(threads: 1)
    // These kernels never come again.
    options.cache = .off
    let comparison = try Comparer(options: options).compare(graph, inputs, checkingLoops: true)
    if let failure = comparison.failure { throw failure.diagnostic }
    var first: [Literal]?
    for threads in [1, 2, 4] {
      options.threads = threads
      let executable = try JITBackend(options: options).prepareProgram(graph)
      let bound = try BoundBuffers(executable, inputs)
      try executable.makeWorkspace().run(inputs: bound.inputs, outputs: bound.outputs)
      let outputs = bound.outputs.map { $0.literal() }
      if let first, first != outputs {
        throw Diagnostic(.mismatch, "the bits on \(threads) threads differ from those on 1")
      }
      first = first ?? outputs
    }
  }
}
