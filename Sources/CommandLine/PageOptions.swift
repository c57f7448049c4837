import ArgumentParser
import GraphIR
import Martlet

/// Whether training leaves a page to look at.
struct PageOptions: ParsableArguments {
  @Option(
    name: .customLong("report"),
    help: ArgumentHelp(
      "Write a page with curves, gradients, layers and errors to a folder (DIR/index.html).",
      valueName: "dir"))
  var folder: String?

  /// Prepares the page of a sample, so that what cannot be written is known before training.
  func begin(_ sample: Sample) throws -> TrainingPage {
    if let folder {
      try createFolder(folder)
      try requireWritable(folder + "/index.html")
    }
    return TrainingPage(sample: sample, folder: folder)
  }
}

/// What a training run leaves to look at: a page and histories where one is asked for, and a sample's pictures.
struct TrainingPage {
  private let sample: Sample
  private let folder: String?
  private var recorders: [Recorder] = []

  fileprivate init(sample: Sample, folder: String?) {
    self.sample = sample
    self.folder = folder
  }

  /// What records the training of a recipe; nothing without a page.
  mutating func callbacks(for recipe: Recipe) throws -> [any Callback] {
    guard let folder else { return [] }
    let file = recipe.name.isEmpty ? "history.csv" : "history-\(recipe.name).csv"
    let data = try recipe.data.load()
    let recorder = Recorder(
      path: "\(folder)/\(file)", test: data.validation == nil ? data.test : nil,
      examples: min(64, recipe.batch))
    recorders.append(recorder)
    return [recorder]
  }

  /// Writes the page, or the sample's pictures into a folder of their own; gives a line on what was written.
  func finish(_ outcomes: [Recipe.Outcome], conclusion: [String]) throws -> [String] {
    let sheets = try sample.pictures(outcomes)
    guard let folder else {
      guard !sheets.isEmpty else { return [] }
      try createFolder("pictures")
      let paths = try sheets.map { try $0.write(toFolder: "pictures") }
      return ["wrote " + paths.joined(separator: ", ")]
    }
    let runs = zip(outcomes, recorders).map { outcome, recorder in
      Report.Run(outcome.recipe.name, outcome.trainer, recorder, test: outcome.data.test)
    }
    let path = folder + "/index.html"
    let files = try sheets.map { try $0.write(toFolder: folder) }
    try Report(
      sample.name, summary: sample.summary, runs, conclusion: conclusion, sheets: sheets
    ).write(to: path)
    return ["wrote " + ([path] + files).joined(separator: ", ")]
  }
}
