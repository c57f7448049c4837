import ArgumentParser
import GraphIR
import Martlet
import Samples

/// `martlet train`: trains a sample.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a sample and test what it learned.",
    discussion: """
      EXAMPLES:
        martlet train --list
        martlet train lenet
        martlet train mlp --epochs 3 --batch 128 --seed 7 --save mlp.safetensors
        martlet train perceptron --backend interpreter
        martlet train perceptron --epochs 3 --report report
      """)

  @Argument(help: "A sample's name (see --list).")
  var model: String?

  @Flag(help: "Name the samples, by family.")
  var list = false

  @OptionGroup var recipe: RecipeOptions

  @Option(
    help:
      "Write the weights (.safetensors) at the end; those of several models to NAME-MODEL.safetensors."
  )
  var save: String?

  @Flag(help: "Compute activations again in the backward pass: less memory, more time.")
  var checkpointActivations = false

  @OptionGroup var page: PageOptions

  @OptionGroup var options: BackendOptions

  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard list == (model == nil) else {
      throw ValidationError(
        list
          ? "--list trains nothing: leave out '\(model ?? "")'" : "Name a sample, or --list them.")
    }
  }

  func run() throws {
    guard let model else { return print(Samples.familiesText) }
    let sample = try LoadedModel.sample(named: model)
    // Known before the training that would be lost.
    for recipe in sample.recipes {
      if let save { try requireWritable(path(save, for: recipe, of: sample)) }
    }
    let settings = recipe.options(
      try options.makeBackend(report, checkpointingActivations: checkpointActivations))
    var page = try page.begin(sample)
    var outcomes: [Recipe.Outcome] = []
    for recipe in sample.recipes {
      if sample.recipes.count > 1 { print("\(sample.name)/\(recipe.name)") }
      let outcome = try recipe.train(settings, callbacks: try page.callbacks(for: recipe))
      outcomes.append(outcome)
      guard let save else { continue }
      let path = path(save, for: recipe, of: sample)
      try outcome.trainer.save(to: path)
      print("saved \(path)")
    }
    let conclusion = try sample.conclusion(outcomes)
    for line in conclusion + (try page.finish(outcomes, conclusion: conclusion)) { print(line) }
    for line in outcomes.testLines { print(line) }
  }

  /// The file of a recipe: as it was named, or with the recipe's name in front of its ending where there are several.
  private func path(_ path: String, for recipe: Recipe, of sample: Sample) -> String {
    guard sample.recipes.count > 1 else { return path }
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else {
      return "\(path)-\(recipe.name)"
    }
    return "\(path[..<dot])-\(recipe.name)\(path[dot...])"
  }
}

extension Samples {
  /// The names of all samples with their summaries, by family.
  fileprivate static var familiesText: String {
    let width = all.map(\.name.count).max() ?? 0
    return families.map { family in
      ([family.title]
        + family.samples.map { "  \($0.name.padded(to: width))  \($0.summary)" })
        .joined(separator: "\n")
    }.joined(separator: "\n\n")
  }
}

extension [Recipe.Outcome] {
  /// What each model does on the test examples: a line for each number of one, a line for each of several.
  var testLines: [String] {
    guard count == 1, let test = first?.test else {
      let width = map(\.recipe.name.count).max() ?? 0
      return map { "\($0.recipe.name.padded(to: width))  test \($0.test)" }
    }
    return test.description.split(separator: ", ").map { "test \($0)" }
  }
}
