import AllocationCounter
import GraphIR
import Martlet
import Runtime
import Testing

/// A step of training allocates nothing.
@Suite struct AllocationTests {
  /// A backend that computes nothing, so that what the training loop itself allocates can be seen.
  struct IdleBackend: Backend {
    let name = "idle"
    func prepare(_ graph: Graph) throws(Diagnostic) -> any Executable { IdleExecutable(graph) }
  }

  final class IdleExecutable: Executable, Workspace {
    let inputs: [Input]
    let outputs: [(name: String, type: TensorType)]
    let statistics = ExecutableStatistics()
    init(_ graph: Graph) {
      inputs = graph.inputs
      outputs = graph.outputs.map { ($0.name, graph.type(of: $0.value)) }
    }
    func makeWorkspace() throws(Diagnostic) -> any Workspace { self }
    func run(inputs: [Buffer], outputs: [Buffer]) throws(Diagnostic) {}
  }

  /// The allocations of an epoch of 439 examples, the last step of which is a partial one.
  func allocations(_ backend: any Backend, batch: Int) throws -> Int64 {
    let trainer = try Trainer(
      Sequential(Dense(4, .relu), Dense(2)), loss: .softmaxCrossEntropy, optimizer: Adam(),
      backend: backend)
    let data = try TrainerTests.quadrants(439)
    try trainer.fit(data, batch: batch, progress: .silent)
    let before = allocationsOfThisThread()
    try trainer.fit(data, batch: batch, progress: .silent)
    return allocationsOfThisThread() - before
  }

  /// From the first values of the weights to the last step and evaluation: to the byte.
  @Test func trainingTakesTheMemoryThatIsPlanned() throws {
    try #require(allocationsAreCounted() == 1)
    let trainer = try Trainer(
      Sequential(Dense(64, .relu), Dense(32, .relu), Dense(2)), loss: .softmaxCrossEntropy,
      optimizer: Adam(), backend: JITBackend(threads: 1))
    let data = try TrainerTests.quadrants(439)
    watchCacheLineBytesOfThisThread()
    try trainer.fit(data, validation: data, batch: 44, epochs: 2, progress: .silent)
    #expect(Int(peakCacheLineBytesOfThisThread()) == trainer.plannedBytes)
  }

  /// The loop alone, and with native code; what the pool's other threads do is the code of the same kernels.
  @Test(arguments: [IdleBackend() as any Backend, JITBackend(threads: 1), JITBackend(threads: 2)])
  func aHundredStepsMoreAllocateNothingMore(backend: any Backend) throws {
    try #require(allocationsAreCounted() == 1)
    let few = try allocations(backend, batch: 44)
    let many = try allocations(backend, batch: 4)
    #expect(few > 0, "the counter works")
    #expect(many == few, "\(few) allocations in 10 steps, \(many) in 110")
  }
}
