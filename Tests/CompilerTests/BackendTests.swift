import Compiler
import GraphIR
import Interpreter
import Runtime
import TestSupport
import Testing

/// Every operation on both backends: passes, fusion, memory plan, schedule and code, each judged on its own.
@Suite struct BackendTests {
  @Test(arguments: Operation.Kind.allCases)
  func operation(_ kind: Operation.Kind) throws {
    for sample in samples(of: kind) {
      let graph = try sample.graph()
      let comparison = try Comparer(options: CompileOptions()).compare(
        graph, sample.inputs(seed: 5))
      if let failure = comparison.failure {
        Issue.record("\(sample): \(failure.diagnostic)")
        return
      }
    }
  }

  @Test func programsWithExpectedValues() throws {
    for entry in RunFile.all {
      let file = try entry.get()
      let outputs = try run(file.graph, file.inputs, JITBackend())
      let problems = file.problems(with: outputs)
      #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    }
  }

  @Test(arguments: 0..<10)
  func randomGraphs(_ block: Int) throws {
    for seed in 0..<12 {
      let outcome = Fuzzer.run(seed: UInt64(7_000 + 12 * block + seed))
      if let problem = outcome.problem {
        Issue.record(
          "seed \(7_000 + 12 * block + seed): \(problem)\n\(outcome.graph?.text() ?? "")")
        return
      }
    }
  }

  @Test func everyIntermediateMayHaveItsOwnPlace() throws {
    for seed in 0..<20 {
      let graph = try RandomGraph(seed: UInt64(900 + seed)).make()
      let inputs = graph.seededInputs(seed: 3)
      let planned = try run(graph, inputs, JITBackend())
      let apart = try run(
        graph, inputs, JITBackend(options: CompileOptions(forbidsReuse: true)))
      #expect(planned == apart, "seed \(900 + seed)")
    }
  }

  private func run(
    _ graph: Graph, _ inputs: [Literal], _ backend: some Backend
  ) throws -> [Literal] {
    var session = try Session(try backend.prepare(graph))
    for (buffer, literal) in zip(session.inputs, inputs) { buffer.write(literal) }
    try session.run()
    return session.outputs.map { $0.literal() }
  }
}
