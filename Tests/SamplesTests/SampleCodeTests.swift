import AllocationCounter
import Compiler
import GraphIR
import Martlet
import Runtime
import Samples
import Testing

/// What is promised of the samples' native code.
@Suite struct SampleCodeTests {
  static let names = Samples.quick.map(\.name)

  private func step(
    _ name: String, batch: Int, withGradients: Bool = false
  ) throws -> (graph: Graph, inputs: [Literal]) {
    let sample = try quick(name)
    let graph = try sample.graph(training: true, batch: batch, withGradients: withGradients)
    let values = try sample.exampleInputs(training: true, batch: batch, seed: 7)
    return (graph, try graph.inputs.map { try #require(values[$0.name], "\($0.name)") })
  }

  @Test(arguments: names)
  func everyOutputAndGradientIsRight(_ name: String) throws {
    let (graph, inputs) = try step(name, batch: 5, withGradients: true)
    let comparison = try Comparer(options: CompileOptions(threads: 2)).compare(graph, inputs)
    #expect(comparison.failure == nil, "\(String(describing: comparison.failure?.diagnostic))")
    #expect(comparison.judgedResults > 5)
  }

  @Test(arguments: PlantedFault.allCases)
  func everyPlantedFaultIsFoundWhereItIs(_ fault: PlantedFault) throws {
    let (graph, inputs) = try step("lenet", batch: 3, withGradients: true)
    let options = CompileOptions(threads: 1, fault: fault)
    let comparison = try Comparer(options: options).compare(graph, inputs)
    let failure = try #require(comparison.failure, "\(fault.rawValue) was not found")
    #expect(failure.stage.contains(fault.stage), "\(fault.rawValue): \(failure.stage)")
    #expect(failure.location.file?.hasPrefix("Samples/") == true)
  }

  @Test func aStepAllocatesNothing() throws {
    try #require(allocationsAreCounted() == 1)
    let (graph, inputs) = try step("lenet", batch: 16)
    var session = try Session(try JITBackend(threads: 1).prepare(graph))
    for (buffer, literal) in zip(session.inputs, inputs) { buffer.write(literal) }
    try session.run()
    let before = allocationsOfThisThread()
    for _ in 0..<100 { try session.run() }
    #expect(allocationsOfThisThread() - before == 0)
  }

  @Test(arguments: names)
  func threadsDoNotChangeABit(_ name: String) throws {
    let (graph, inputs) = try step(name, batch: 37)
    var results: [[Literal]] = []
    for threads in [1, 2, 4] {
      var session = try Session(try JITBackend(threads: threads).prepare(graph))
      for (buffer, literal) in zip(session.inputs, inputs) { buffer.write(literal) }
      for _ in 0..<3 { try session.run() }
      results.append(session.outputs.map { $0.literal() })
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }
}
