import Compiler
import GraphIR
import Martlet
import Testing

/// Settings are looked for by validation examples alone.
@Suite struct SearchTests {
  /// A recipe whose test examples fit nothing, so that whoever looked at them would fail.
  static func recipe() throws -> Recipe {
    let train = try TrainerTests.quadrants(60)
    let test = try Dataset(
      inputs: f32([2, 7], [Float](repeating: 0, count: 14)), labels: Literal([2], [Int32(0), 1]))
    let source = ExampleSource(example: train.signature) { () throws(Diagnostic) in
      DataSplit(train: train, test: test)
    }
    return Recipe(
      data: source, model: Sequential(Dense(8, .tanh), Dense(2)), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.05), epochs: 4, batch: 16)
  }

  static let options = Recipe.Options(
    seed: 3, progress: .silent, backend: InterpreterBackend())

  @Test func trialsAreSortedAndRepeatWithTheSeed() throws {
    let search = Search(weightDecays: [0, 0.01], optimizers: [.sgd, .adam])
    var numbers: [Int] = []
    let found = try SearchTests.recipe().search(search, trials: 5, SearchTests.options) {
      numbers.append($0.number)
    }
    #expect(numbers == [1, 2, 3, 4, 5] && Set(found.trials.map(\.setting)).count == 5)
    let accuracies = found.trials.compactMap(\.validation.accuracy)
    #expect(accuracies.count == 5 && accuracies == accuracies.sorted(by: >))
    #expect(found.best.number == found.trials[0].number && found.best.validation.count == 12)
    for setting in found.trials.map(\.setting) {
      #expect([8, 16, 32].contains(setting.batch))
      let own = setting.optimizer?.optimizer.learningRate ?? 0
      #expect((own / 31...own * 31).contains(setting.learningRate))
    }
    let again = try SearchTests.recipe().search(search, trials: 5, SearchTests.options)
    #expect(again.trials.map(\.setting) == found.trials.map(\.setting))
    #expect(again.best.validation.loss == found.best.validation.loss)
  }

  @Test func aGridHasEveryCombination() throws {
    let search = Search(.grid, learningRates: 0.001...0.1, batches: [16, 60], weightDecays: [0])
    let found = try SearchTests.recipe().search(search, trials: 7, SearchTests.options)
    let settings = found.trials.sorted { $0.number < $1.number }.map(\.setting.description)
    #expect(
      settings
        == [0.001, 0.01, 0.1].flatMap { rate in
          [16, 60].map { "--learning-rate \(rate) --batch \($0) --weight-decay 0.0" }
        })
    #expect(throws: Diagnostics.self) {
      try SearchTests.recipe().search(search, trials: 1, SearchTests.options)
    }
  }
}
