import Compiler
import GraphIR
import Martlet
import Samples
import Testing

/// What computing activations again costs and gains.
@Suite struct CheckpointActivationsTests {
  static let checkpointing = CompileOptions(checkpointsActivations: true)

  /// Large models take much less memory, and lie in it as densely.
  @Test(arguments: [("gpt", 0.7), ("bert", 0.7), ("resnet18", 0.9)])
  func theArenaIsSmaller(name: String, atMost: Double) throws {
    let sample = try quick(name)
    let graph = try sample.graph(training: true, batch: sample.batch)
    let plain = try Compilation(graph, options: CompileOptions()).memoryPlan
    let plan = try Compilation(graph, options: Self.checkpointing).memoryPlan
    #expect(
      Double(plan.arena) <= atMost * Double(plain.arena), "\(plan.arena) of \(plain.arena)")
    #expect(Double(plan.arena) <= 1.05 * Double(plan.arenaLowerBound))
    #expect(plan.inputs == plain.inputs && plan.outputs == plain.outputs)
  }

  /// No sample needs more.
  @Test(arguments: Samples.measured.map(\.name))
  func noSampleTakesMore(name: String) throws {
    let sample = try quick(name)
    let graph = try sample.graph(training: true, batch: 4)
    let plain = try Compilation(graph, options: CompileOptions()).memoryPlan
    let plan = try Compilation(graph, options: Self.checkpointing).memoryPlan
    #expect(plan.total <= plain.total)
  }

  /// Other kernels may add in another order: the losses agree but for that.
  @Test(arguments: ["mlp", "lenet", "gpt-small"])
  func theLossCurveIsTheSame(name: String) throws {
    let sample = try quick(name)
    let data = try sample.data.load().train.shuffled(seed: 11)
    func losses(_ options: CompileOptions) throws -> [Double] {
      let trainer = try sample.trainer(
        Recipe.Options(seed: 3, backend: JITBackend(options: options)))
      return try (0..<8).map { step in
        let part = data[step * sample.batch..<(step + 1) * sample.batch]
        return try trainer.fit(part, batch: sample.batch, progress: .silent)[0].training.loss
      }
    }
    let plain = try losses(CompileOptions())
    for (a, b) in zip(try losses(Self.checkpointing), plain) {
      #expect(abs(a - b) <= 1e-4 * b, "\(a), not \(b)")
    }
  }

  @Test(arguments: ["mlp", "gpt-small", "resnet-tiny"])
  func theBitsDoNotDependOnTheThreads(name: String) throws {
    let sample = try quick(name)
    let data = try sample.data.load().train[0..<2 * sample.batch]
    func weights(_ threads: Int) throws -> [Literal?] {
      let options = CompileOptions(threads: threads, checkpointsActivations: true)
      let trainer = try sample.trainer(
        Recipe.Options(seed: 5, backend: JITBackend(options: options)))
      try trainer.fit(data, batch: sample.batch, progress: .silent)
      return trainer.parameterNames.map { trainer.value(of: $0) }
    }
    let one = try weights(1)
    #expect(!one.isEmpty)
    #expect(try weights(2) == one)
    #expect(try weights(4) == one)
  }

  @Test(arguments: ["lenet", "gpt-small", "resnet-tiny"])
  func theInterpreterAgrees(name: String) throws {
    let sample = try quick(name)
    let graph = try sample.graph(training: true, batch: 2, withGradients: true)
    let values = try sample.exampleInputs(training: true, batch: 2, seed: 1)
    let inputs = try graph.inputs.map { try #require(values[$0.name]) }
    let comparison = try Comparer(options: Self.checkpointing).compare(graph, inputs)
    #expect(comparison.isEqual, "\(comparison.failure?.diagnostic.description ?? "")")
  }
}
