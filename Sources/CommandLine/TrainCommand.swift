import ArgumentParser
import GraphIR
import Martlet

/// `martlet train`: trains a sample.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a sample and test what it learned.",
    discussion: """
      EXAMPLES:
        martlet train lenet
        martlet train mlp --epochs 3 --batch 128 --seed 7 --save mlp.safetensors
        martlet train perceptron --backend interpreter
      """)

  @Argument(help: "A sample's name (see `martlet list`).")
  var model: String

  @Option(help: "How many times to go through the data (default: the sample's).")
  var epochs: PositiveInteger?

  @Option(help: "The number of examples in a step (default: the sample's).")
  var batch: PositiveInteger?

  @Option(help: "The learning rate (default: the sample's).")
  var learningRate: PositiveNumber?

  @Option(help: "Decides first values, shuffling and dropout.")
  var seed: UInt64 = 0

  @Option(help: "Write a checkpoint (.safetensors) at the end.")
  var save: String?

  @Flag(help: "Compute activations again in the backward pass: less memory, more time.")
  var checkpointActivations = false

  @OptionGroup var options: BackendOptions

  @OptionGroup var report: ReportOptions

  func run() throws {
    let sample = try LoadedModel.sample(named: model)
    // Known before the training that would be lost.
    if let save { try requireWritable(save) }
    let settings = Recipe.Options(
      learningRate: learningRate?.value, epochs: epochs?.value, batch: batch?.value, seed: seed,
      backend: try options.makeBackend(report, checkpointingActivations: checkpointActivations))
    var outcomes: [Recipe.Outcome] = []
    for recipe in sample.recipes {
      if sample.recipes.count > 1 { print("\(sample.name)/\(recipe.name)") }
      outcomes.append(try recipe.train(settings))
    }
    if let save, let trainer = outcomes.last?.trainer {
      try trainer.save(to: save)
      print("saved \(save)")
    }
    for line in try sample.conclusion(outcomes) { print(line) }
    for line in outcomes.testLines { print(line) }
  }
}

extension [Recipe.Outcome] {
  /// What each model does on the test examples: a line for each number of one, a line for each of several.
  fileprivate var testLines: [String] {
    guard count == 1, let test = first?.test else {
      let width = map(\.recipe.name.count).max() ?? 0
      return map { "\($0.recipe.name.padded(to: width))  test \($0.test)" }
    }
    return test.description.split(separator: ", ").map { "test \($0)" }
  }
}
