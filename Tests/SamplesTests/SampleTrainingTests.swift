import Martlet
import Samples
import Testing

/// The samples learn their digits.
@Suite struct SampleTrainingTests {
  @Test func theDataIsAllThere() throws {
    let small = try #require(Samples.named("perceptron")).data()
    #expect(small.train.count == 1438 && small.test.count == 359)
    let large = try #require(Samples.named("lenet")).data()
    #expect(large.train.count == 4000 && large.test.count == 1000)
    for sample in Samples.all {
      let data = try sample.data()
      #expect(data.train.signature == sample.example && data.test.signature == sample.example)
      #expect(data.train.classNames == sample.classNames)
      let pixels = try data.train.example(0).input.doubles()
      #expect(pixels.allSatisfy { (0...1).contains($0) } && pixels.contains { $0 > 0.5 })
    }
  }

  @Test(arguments: ["perceptron", "softmax-regression"])
  func learnsInAFewEpochs(name: String) throws {
    let sample = try #require(Samples.named(name))
    let data = try sample.data()
    let trainer = try sample.trainer(backend: InterpreterBackend())
    try trainer.fit(data.train, batch: sample.batch, epochs: 8, progress: .silent)
    let accuracy = try trainer.evaluate(data.test).accuracy ?? 0
    #expect(accuracy > 0.9, "\(accuracy)")
  }
}
