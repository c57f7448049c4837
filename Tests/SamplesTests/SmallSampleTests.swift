import Compiler
import GraphIR
import Martlet
import Samples
import Testing

/// What anyone can train in minutes is right: as the interpreter has it, and on any number of threads.
@Suite struct SmallSampleTests {
  /// Every recipe of every small sample, as on the command line.
  static let recipes = Samples.small.flatMap { sample in
    sample.recipes.map { $0.name.isEmpty ? sample.name : "\(sample.name)/\($0.name)" }
  }

  @Test func smallOnesAreNotAtFullSize() throws {
    #expect(SmallSampleTests.recipes.count > 60)
    for name in SmallSampleTests.recipes {
      #expect(try parameterCount(name) < 1_000_000, "\(name)")
    }
  }

  @Test(arguments: recipes)
  func aStepIsTheInterpreters(name: String) throws {
    let recipe = try quick(name)
    let graph = try recipe.graph(training: true, batch: 2, withGradients: true)
    let values = try recipe.exampleInputs(training: true, batch: 2, seed: 1)
    let inputs = try graph.inputs.map { try #require(values[$0.name]) }
    let comparison = try Comparer(options: CompileOptions(threads: 2)).compare(graph, inputs)
    #expect(comparison.isEqual, "\(comparison.failure?.diagnostic.description ?? "")")
  }

  /// Two batches, with the recipe's own schedule.
  @Test(arguments: recipes)
  func theBitsDoNotDependOnTheThreads(name: String) throws {
    let recipe = try quick(name)
    let data = try recipe.data.load().train
    let batch = min(recipe.batch, 16)
    let part = data[0..<min(2 * batch, data.count)]
    func state(_ threads: Int) throws -> [Literal?] {
      let trainer = try recipe.trainer(
        Recipe.Options(seed: 1, backend: JITBackend(threads: threads)))
      try trainer.fit(part, batch: batch, schedule: recipe.schedule, progress: .silent)
      return trainer.parameterNames.map { trainer.value(of: $0) }
    }
    let one = try state(1)
    #expect(!one.isEmpty)
    #expect(try state(2) == one)
  }
}
