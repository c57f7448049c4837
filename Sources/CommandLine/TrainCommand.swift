import ArgumentParser
import FoundationEssentials
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
        martlet train perceptron --epochs 2 --checkpoint run.safetensors --every 100
        martlet train perceptron --epochs 4 --checkpoint run.safetensors --resume
        martlet train perceptron --epochs 2 --folds 5
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

  @Option(
    help: ArgumentHelp(
      "Keep all of the run in a file, after each epoch, to go on from when it is ended (ctrl-C, kill).",
      valueName: "file"))
  var checkpoint: String?

  @Option(
    help: ArgumentHelp("Also write the checkpoint after every so many steps.", valueName: "steps"))
  var every: PositiveInteger?

  @Flag(help: "Go on from the checkpoint, with the settings with which the run began.")
  var resume = false

  @Option(
    help: ArgumentHelp(
      "Train as often as there are folds of the training data, each time without one, and test on that.",
      valueName: "k"))
  var folds: PositiveInteger?

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
    guard checkpoint != nil || (every == nil && !resume) else {
      throw ValidationError("--every and --resume are for a run with --checkpoint FILE.")
    }
    guard folds == nil || (checkpoint == nil && save == nil && page.folder == nil) else {
      throw ValidationError(
        "--folds trains several models: --save, --checkpoint and --report are for one.")
    }
  }

  func run() throws {
    guard let model else { return print(Samples.familiesText) }
    let sample = try LoadedModel.sample(named: model)
    // Known before the training that would be lost.
    for recipe in sample.recipes {
      if let save { try requireWritable(path(save, for: recipe, of: sample)) }
    }
    let checkpoints = try sample.recipes.map { try checkpoint(for: $0, of: sample) }
    var settings = recipe.options(
      try options.makeBackend(report, checkpointingActivations: checkpointActivations))
    if let folds { return try crossValidate(sample, folds.value, settings) }
    if checkpoint != nil { Interruption.listen() }
    var page = try page.begin(sample)
    var outcomes: [Recipe.Outcome] = []
    for (recipe, checkpoint) in zip(sample.recipes, checkpoints) {
      if sample.recipes.count > 1 { printAtOnce("\(sample.name)/\(recipe.name)") }
      settings.checkpoint = checkpoint
      let callbacks = try page.callbacks(for: recipe)
      let outcome: Recipe.Outcome
      do {
        outcome = try recipe.train(settings, callbacks: callbacks)
      } catch {
        guard let signal = Interruption.signal else { throw error }
        printToStandardError(
          error.all.map { "\($0.message); \($0.hint ?? "") with --resume" }.joined())
        throw ExitCode(128 + signal)
      }
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

  /// Trains and tests on folds, and prints what came out of each and of all.
  private func crossValidate(_ sample: Sample, _ k: Int, _ settings: Recipe.Options) throws {
    for recipe in sample.recipes {
      if sample.recipes.count > 1 { printAtOnce("\(sample.name)/\(recipe.name)") }
      let validation = try recipe.crossValidate(folds: k, settings) { number, outcome in
        printAtOnce("fold \(number)/\(k)  \(outcome.test)")
      }
      let parts = validation.summary.map { name, isShare, mean, deviation in
        isShare
          ? "\(name) \((100 * mean).fixed(1)) ± \((100 * deviation).fixed(1)) %"
          : "\(name) \(mean.fixed(4)) ± \(deviation.fixed(4))"
      }
      print("mean of \(k) folds  " + parts.joined(separator: ", "))
    }
  }

  /// Where a recipe's run is kept; nil when it is not.
  private func checkpoint(
    for recipe: Recipe, of sample: Sample
  ) throws(Diagnostic) -> Checkpoint? {
    guard let checkpoint else { return nil }
    let path = path(checkpoint, for: recipe, of: sample)
    try requireWritable(path)
    let exists = FileManager.default.fileExists(atPath: path)
    if exists, !resume {
      throw Diagnostic(
        .file, "there is a checkpoint '\(path)' already",
        hint: "go on from it with --resume, or remove it"
      )
    }
    if resume, !exists { printToStandardError("there is no '\(path)' yet: training begins anew") }
    return Checkpoint(
      path, everySteps: every?.value, resumes: resume,
      isInterrupted: { Interruption.signal != nil })
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
