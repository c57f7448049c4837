import Compiler
import Differentiation
import GraphIR
import Interpreter
import Runtime
import TestSupport
import Testing

/// Attention on both backends, with its gradients, and on several threads.
@Suite struct AttentionTests {
  func graphs(_ sample: AttentionSample) throws -> [Graph] {
    [
      try sample.graph(),
      try gradient(of: try sample.scalarGraph(), output: 0, withRespectTo: [0, 1, 2]),
    ]
  }

  @Test(arguments: AttentionSample.all)
  func bothBackends(_ sample: AttentionSample) throws {
    for graph in try graphs(sample) {
      let comparison = try Comparer(options: CompileOptions()).compare(
        graph, sample.inputs(of: graph))
      if let failure = comparison.failure {
        Issue.record("\(sample): \(failure.diagnostic)")
      }
    }
  }

  /// That some scores are -infinity excuses no error in the others.
  @Test(arguments: [PlantedFault.scheduleWrongReductionStart, .scheduleSkipsTail])
  func faultsAreFoundBehindAMask(_ fault: PlantedFault) throws {
    let sample = AttentionSample([2], (37, 37, 8, 11), .upTo(0))
    for graph in try graphs(sample) {
      let comparison = try Comparer(options: CompileOptions(fault: fault)).compare(
        graph, sample.inputs(of: graph))
      #expect(comparison.failure?.stage == "schedule")
    }
  }

  @Test(arguments: [
    AttentionSample([3, 2], (70, 70, 8, 8), .upTo(0)), AttentionSample([], (150, 90, 16, 24)),
  ])
  func threadsDoNotChangeABit(_ sample: AttentionSample) throws {
    for graph in try graphs(sample) {
      let inputs = sample.inputs(of: graph)
      let results = try [1, 2, 4].map { threads in
        var session = try Session(
          try JITBackend(options: CompileOptions(threads: threads)).prepare(graph))
        for (buffer, literal) in zip(session.inputs, inputs) { buffer.write(literal) }
        try session.run()
        return session.outputs.map { $0.literal() }
      }
      #expect(results[0] == results[1] && results[0] == results[2])
    }
  }
}
