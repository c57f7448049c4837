import Martlet
import Samples
import Testing

/// The recipe of a name, the small ones included.
func quick(_ name: String) throws -> Recipe {
  try #require(Samples.recipe(named: name))
}

/// The samples learn from their data.
@Suite struct SampleTrainingTests {
  @Test func theDataIsAllThere() throws {
    let small = try quick("perceptron").data.load()
    #expect(small.train.count == 1438 && small.test.count == 359)
    let large = try quick("lenet").data.load()
    #expect(large.train.count == 4000 && large.test.count == 1000)
    for sample in Samples.quick.flatMap(\.recipes) {
      let data = try sample.data.load()
      #expect(data.train.signature == sample.example && data.test.signature == sample.example)
      #expect(data.train.classNames == sample.classNames)
      guard sample.example.input.dtype.isFloat else { continue }
      let pixels = try data.train.example(0).input.doubles()
      #expect(pixels.allSatisfy { (0...1).contains($0) } && pixels.contains { $0 > 0.5 })
    }
  }

  @Test func theTextIsAllThere() throws {
    let gpt = try quick("gpt").data.load()
    #expect(gpt.train.count == 6209 && gpt.test.count == 689)
    let (tokens, next) = try gpt.train.example(0)
    let characters = try #require(tokens.elements(as: Int32.self))
    #expect(Text.string(characters).hasPrefix("EMMA\n\nBy Jane Austen\n"))
    #expect(try #require(next.elements(as: Int32.self)).dropLast() == characters.dropFirst())

    let sample = try quick("bert")
    let bert = try sample.data.load()
    #expect(bert.train.signature == sample.example)
    for index in [0, bert.train.count - 1] {
      let (tokens, labels) = try bert.train.example(index)
      let shown = try #require(tokens.elements(as: Int32.self))
      let hidden = try #require(labels.elements(as: Int32.self))
      #expect(shown.allSatisfy { (0..<1000).contains($0) })
      #expect(hidden.count { $0 >= 0 } == 19 && hidden.allSatisfy { $0 < 999 })
      #expect(zip(shown, hidden).allSatisfy { $0 != 999 || $1 >= 0 })
    }
  }

  @Test(arguments: ["perceptron", "softmax-regression"])
  func learnsInAFewEpochs(name: String) throws {
    let sample = try quick(name)
    let data = try sample.data.load()
    let trainer = try sample.trainer(Recipe.Options(backend: InterpreterBackend()))
    try trainer.fit(data.train, batch: sample.batch, epochs: 8, progress: .silent)
    let accuracy = try trainer.evaluate(data.test).accuracy ?? 0
    #expect(accuracy > 0.9, "\(accuracy)")
  }

  /// Evaluated with its running statistics, a residual network knows what it learned with the batches'.
  @Test func aResidualNetworkLearns() throws {
    let sample = try quick("resnet-tiny")
    let data = try sample.data.load()
    let trainer = try sample.trainer(
      Recipe.Options(learningRate: 0.05, backend: JITBackend(threads: 2)))
    try trainer.fit(data.train, batch: sample.batch, epochs: 3, progress: .silent)
    let accuracy = try trainer.evaluate(data.test).accuracy ?? 0
    #expect(accuracy > 0.8, "\(accuracy)")
  }

  /// Better than the frequency of the characters alone, whose entropy is 3.06 nats.
  @Test func aTransformerLearnsWhatFollows() throws {
    let sample = try quick("gpt-small")
    let data = try sample.data.load()
    let trainer = try sample.trainer(
      Recipe.Options(learningRate: 0.01, backend: JITBackend(threads: 2)))
    try trainer.fit(data.train[0..<4000], batch: 16, epochs: 2, progress: .silent)
    let result = try trainer.evaluate(data.test[0..<1000])
    #expect(result.loss < 2.7, "\(result)")
  }

  /// Better than the frequency of the tokens alone.
  @Test func aTransformerTellsHiddenTokens() throws {
    let sample = try quick("bert-small")
    let data = try sample.data.load()
    let trainer = try sample.trainer(
      Recipe.Options(learningRate: 0.01, backend: JITBackend(threads: 2)))
    let before = try trainer.evaluate(data.test[0..<1000])
    try trainer.fit(data.train[0..<8000], batch: 16, epochs: 2, progress: .silent)
    let after = try trainer.evaluate(data.test[0..<1000])
    #expect(after.loss < 0.8 * before.loss, "\(before) became \(after)")
  }
}
