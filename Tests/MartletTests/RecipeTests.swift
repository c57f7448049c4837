import Compiler
import GraphIR
import Martlet
import Testing

/// What recipes and samples offer beside training.
@Suite struct RecipeTests {
  static let options = Recipe.Options(progress: .silent, backend: InterpreterBackend())
  static let source = ExampleSource(
    inputs: f32([2, 1], [1, 2]), labels: f32([2, 1], [3, 5]), inputName: "x")

  static func recipe(_ source: ExampleSource, watching: [String]) -> Recipe {
    Recipe(
      data: source, model: Sequential(Dense(1, weights: .zeros)), loss: .meanSquaredError,
      optimizer: GradientDescent(learningRate: 0.1), epochs: 3, batch: 2, watching: watching)
  }

  @Test func watchedParametersAreKeptFromTheFirstValuesOn() throws {
    let outcome = try Self.recipe(Self.source, watching: ["layer0.weight"]).train(Self.options)
    let values = try #require(outcome.watched["layer0.weight"]).map { $0.doubles()[0] }
    #expect(values.count == 4 && values[0] == 0)
    // The gradient at 0 is the mean of -2 * label * input.
    #expect(abs(values[1] - 1.3) < 1e-6)
    #expect(values[3] == outcome.trainer.value(of: "layer0.weight")?.doubles()[0])
  }

  @Test func whatIsWatchedHasToBeThere() throws {
    #expect {
      try Self.recipe(Self.source, watching: ["1.weight"]).train(Self.options)
    } throws: { error in
      "\(error)".contains("watches '1.weight'") && "\(error)".contains("layer0.weight, layer0.bias")
    }
  }

  @Test func examplesInMemoryAreChecked() throws {
    #expect(Self.source.example.input == TensorType(.f32, [1]))
    #expect(try Self.source.load().test.count == 2)
    let apart = ExampleSource(
      inputs: f32([2, 1], [1, 2]), labels: f32([2, 1], [3, 5]),
      test: (f32([1, 1], [4]), f32([1, 1], [9])))
    #expect(try apart.load().test.count == 1)
    let wrong = ExampleSource(inputs: f32([2, 1], [1, 2]), labels: f32([1, 1], [3]))
    #expect(throws: Diagnostic.self) { try wrong.load() }
  }

  @Test func tablesAlignTheirColumns() {
    let lines = Sample.table(["", "loss"], [["a", "12.5"], ["long", "3"]])
    #expect(lines == ["      loss", "a     12.5", "long     3"])
  }

  @Test func manyEpochsHaveFewLines() {
    #expect((1...100).allSatisfy { isShown(epoch: $0, of: 100) })
    #expect((1...2000).count { isShown(epoch: $0, of: 2000) } == 20)
    #expect((1...101).filter { isShown(epoch: $0, of: 101) }.suffix(2) == [96, 101])
  }
}
