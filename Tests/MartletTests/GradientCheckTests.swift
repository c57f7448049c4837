import Compiler
import GraphIR
import Martlet
import Testing

/// Right gradients are told from wrong ones, and kinks from both; folds hold what they say.
@Suite struct GradientCheckTests {
  static func recipe(_ model: @autoclosure @escaping @Sendable () -> any Layer) throws -> Recipe {
    let data = try TrainerTests.quadrants(30)
    let source = ExampleSource(example: data.signature, classNames: ["no", "yes"]) {
      () throws(Diagnostic) in
      DataSplit(train: data, test: data)
    }
    func made(_ model: some Layer) -> any Layer { model }
    return Recipe(
      data: source, model: model(), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.05), epochs: 2, batch: 10)
  }

  @Test func rightGradientsPass() throws {
    let check = try GradientCheckTests.recipe(
      Sequential(Dense(5, .tanh), BatchNorm(), Dropout(0.3), Dense(2))
    ).checkGradients(batch: 6, elements: 4)
    #expect(check.passes, "\(check)")
    #expect(
      check.parameters.map(\.name) == [
        "layer0.weight", "layer0.bias", "layer1.scale", "layer1.bias", "layer3.weight",
        "layer3.bias",
      ])
    #expect(check.parameters.map { $0.compared + $0.skipped } == [4, 4, 4, 4, 4, 2])
  }

  /// Hides a part of its gradient.
  struct Hiding: Layer {
    let scale = Parameter(.constant(3))
    func callAsFunction(_ x: Tensor) -> Tensor {
      let y = x * scale([1], x.dtype)
      return y + y.tanh().stoppingGradient()
    }
  }

  @Test func wrongGradientsDoNot() throws {
    let check = try GradientCheckTests.recipe(
      Sequential(Dense(3, .tanh), Hiding(), Dense(2))
    ).checkGradients(batch: 3)
    #expect(!check.passes)
    #expect(check.parameters.last.map { $0.error <= check.tolerance } == true, "the last is right")
    let wrong = try #require(check.parameters.first?.worst)
    #expect(abs(wrong.computed - wrong.numerical) > 1e-3 * abs(wrong.numerical))
  }

  /// A wave with a kink at every millionth.
  struct Wave: Layer {
    let scale = Parameter(.ones)
    func callAsFunction(_ x: Tensor) -> Tensor {
      x + (scale([2], x.dtype) * (1e6 * Double.pi)).sin().abs() * 1e-6
    }
  }

  @Test func kinksAreSkipped() throws {
    let check = try GradientCheckTests.recipe(Sequential(Wave(), Dense(2)))
      .checkGradients(batch: 3)
    #expect(check.passes)
    #expect(check.parameters.map(\.skipped) == [2, 0, 0])
  }

  /// Of a parameter with many elements some are compared, and the check says of how many.
  @Test func aCheckIsBounded() throws {
    let check = try GradientCheckTests.recipe(Sequential(Dense(300, .tanh), Dense(2)))
      .checkGradients()
    #expect(check.passes)
    #expect(check.parameters.map { $0.compared + $0.skipped } == [12, 12, 12, 2])
    #expect(check.parameters.map(\.type.shape.elementCount) == [600, 300, 600, 2])
  }

  /// Labels that are images have no class for each example by which folds could be made.
  @Test func imagesOfClassesHaveFolds() throws {
    let data = try Images.dataset(
      f32([6, 2, 2], (0..<24).map { Float($0 % 5) / 4 }),
      labels: Literal([6, 2, 2], (0..<24).map { Int32($0 % 5 / 3) }), classNames: ["no", "yes"])
    let source = ExampleSource(example: data.signature, classNames: data.classNames) {
      () throws(Diagnostic) in DataSplit(train: data, test: data)
    }
    let recipe = Recipe(
      data: source, model: Sequential(Conv2D(filters: 2, size: 1)), loss: .softmaxCrossEntropy,
      optimizer: Adam(), epochs: 1, batch: 2)
    let options = Recipe.Options(progress: .silent, backend: InterpreterBackend())
    #expect(try recipe.crossValidate(folds: 3, options).folds.map(\.test.count) == [2, 2, 2])
  }

  /// The means by which inputs are normalized are those of the examples that a fold trains on.
  @Test func foldsAreNormalizedByTheirOwnExamples() throws {
    let data = try TrainerTests.quadrants(30)
    let source = ExampleSource(example: data.signature) { () throws(Diagnostic) in
      DataSplit(train: data, test: data)
    }
    let recipe = Recipe(
      data: source.normalized(per: .whole), model: Sequential(Dense(2)),
      loss: .softmaxCrossEntropy, optimizer: Adam(), epochs: 1, batch: 10)
    let options = Recipe.Options(progress: .silent, backend: InterpreterBackend())
    func mean(_ data: Dataset) throws -> Double {
      try (0..<data.count).map { try data.example($0).input.doubles().reduce(0, +) }.reduce(0, +)
        / Double(2 * data.count)
    }
    for fold in try recipe.crossValidate(folds: 2, options).folds {
      let (own, other) = (try mean(fold.data.train), try mean(fold.data.test))
      #expect(abs(own) < 1e-6 && abs(other) > 1e-4)
    }
  }

  @Test func foldsAreTrainedOneByOne() throws {
    var numbers: [Int] = []
    let validation = try GradientCheckTests.recipe(Sequential(Dense(4, .tanh), Dense(2)))
      .crossValidate(
        folds: 3, Recipe.Options(progress: .silent, backend: InterpreterBackend())
      ) { number, _ in numbers.append(number) }
    #expect(numbers == [1, 2, 3] && validation.folds.map(\.test.count) == [10, 10, 10])
    let accuracies = validation.folds.compactMap(\.test.accuracy)
    let mean = accuracies.reduce(0, +) / 3
    let squares = accuracies.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
    let found = try #require(validation.summary.first { $0.name == "accuracy" })
    #expect(abs(found.mean - mean) < 1e-12)
    #expect(abs(found.deviation - (squares / 2).squareRoot()) < 1e-12)
  }
}
