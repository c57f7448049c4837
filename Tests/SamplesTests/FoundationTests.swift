import GraphIR
import Martlet
import Samples
import Testing

/// What the samples of the foundations say of themselves is so.
@Suite struct FoundationTests {
  static let options = Recipe.Options(progress: .silent, backend: JITBackend(threads: 1))

  func train(_ name: String, epochs: Int? = nil) throws -> Recipe.Outcome {
    var options = Self.options
    options.epochs = epochs
    return try quick(name).train(options)
  }

  func conclusion(_ name: String, _ outcomes: [Recipe.Outcome]) throws -> [String] {
    try #require(Samples.named(name)).conclusion(outcomes)
  }

  @Test func aNeuronFindsTheFunction() throws {
    let outcome = try train("neuron")
    let weights = try #require(outcome.watched["neuron.weight"])
    #expect(weights.count == outcome.epochs.count + 1 && weights[0].doubles() == [0, 0])
    for (weight, right) in zip(weights[12].doubles(), [2.0, -3]) {
      #expect(abs(weight - right) < 0.01)
    }
    let lines = try conclusion("neuron", [outcome])
    #expect(lines.count == 15 && lines[14].hasPrefix("learned "))
  }

  @Test func aPerceptronLearnsGatesButNotXOR() throws {
    let gates = try #require(Samples.named("perceptron-gates"))
    let outcomes = try gates.recipes.map { try $0.train(Self.options) }
    #expect(outcomes.map(\.recipe.name) == ["and", "or", "xor"])
    #expect(outcomes.map(\.test.accuracy).prefix(2) == [1, 1])
    #expect(try #require(outcomes[2].test.accuracy) < 1)
    let lines = try gates.conclusion(outcomes)
    #expect(lines[1].hasPrefix("and   0   0   0   1") && lines[1].hasSuffix("learned"))
    #expect(lines[2].hasPrefix("or    0   1   1   1") && lines[3].hasSuffix("wrong"))
  }

  @Test func aHiddenLayerLearnsXOR() throws {
    let outcome = try train("xor")
    #expect(outcome.test.accuracy == 1 && outcome.test.loss < 0.1)
  }

  @Test func gradientDescentEndsAtTheClosedForm() throws {
    let outcome = try train("linear-regression")
    // Where the error is least, it is orthogonal to each input.
    let (inputs, labels) = try outcome.data.train.batch(outcome.data.train.count)
    let outputs = try outcome.trainer.predict(inputs).doubles()
    let errors = zip(outputs, labels.doubles()).map { $0 - $1 }
    let values = inputs.doubles()
    for column in 0..<10 {
      let slope = errors.indices.map { errors[$0] * values[10 * $0 + column] }.reduce(0, +)
      #expect(abs(slope) / Double(errors.count) < 1e-3)
    }
    let remark = try #require(try conclusion("linear-regression", [outcome]).last)
    let distance = try #require(remark.split(separator: " ").last.flatMap { Double($0) })
    #expect(distance < 0.01)
  }

  @Test func fewCoefficientsUnderfitAndManyOverfit() throws {
    let outcomes = try [1, 3, 13].map { try train("polynomial/degree-\($0)", epochs: 600) }
    let training = try outcomes.map { try $0.trainer.evaluate($0.data.train).loss }
    let test = outcomes.map(\.test.loss)
    #expect(training[0] > training[1] && training[1] > training[2])
    #expect(test[0] > 5 * test[1] && test[2] > 5 * test[1])
    #expect(try conclusion("polynomial", outcomes).last == "nearest to the sine: degree-3")
  }

  @Test func optimizersWalkToTheLowestPoint() throws {
    let outcome = try train("loss-surface/adam", epochs: 500)
    let begin = try #require(outcome.epochs[0].training["distance"])
    #expect(abs(begin - 5.0.squareRoot()) < 1e-12)
    #expect(try #require(outcome.test["distance"]) < 0.01)
    let lines = try conclusion("loss-surface", [outcome])
    let steps = try #require(lines[2].split(separator: " ").last.flatMap { Int($0) })
    let before = try #require(outcome.epochs[steps - 1].training["distance"])
    let after = try #require(outcome.epochs[steps].training["distance"])
    #expect(before >= 0.1 && after < 0.1)
  }

  /// The loss in the last of some epochs on the first examples, so many that all steps are alike.
  func loss(_ name: String, examples: Int, epochs: Int) throws -> Double {
    let recipe = try quick(name)
    let part = try recipe.data.load().train.shuffled(seed: 1)[0..<examples]
    let reports = try recipe.trainer(Self.options).fit(
      part, batch: recipe.batch, epochs: epochs, progress: .silent)
    return try #require(reports.last).training.loss
  }

  @Test func firstValuesDecideWhetherDeepNetworksLearn() throws {
    #expect(try loss("initializers/relu-he", examples: 1024, epochs: 3) < 1)
    #expect(try loss("initializers/sigmoid-small", examples: 1024, epochs: 3) > 2)
  }

  @Test func batchNormSpeedsTrainingUp() throws {
    #expect(try loss("batch-norm/on", examples: 1200, epochs: 2) < 1.5)
    #expect(try loss("batch-norm/off", examples: 1200, epochs: 2) > 2)
  }

  @Test func regularizationHasFewDigits() throws {
    let data = try quick("regularization/both").data.load()
    let counts = try Dictionary(grouping: data.train.classes()) { $0 }.mapValues(\.count)
    #expect(counts == Dictionary(uniqueKeysWithValues: (0..<10).map { ($0, 30) }))
    #expect(data.test.count == 1000)
  }
}
