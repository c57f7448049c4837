import ArgumentParser
import GraphIR
import Martlet

/// `martlet search`: finds settings with which a sample trains best.
struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search", abstract: "Search for the settings with which a sample trains best.",
    discussion: """
      Each trial trains on a part of the training examples and is judged on the rest of them; the test examples are \
      looked at once, at the end, by a model that is trained on all training examples with the best setting.

      EXAMPLES:
        martlet search perceptron --trials 4 --epochs 1
        martlet search mlp --trials 4 --epochs 1 --grid --learning-rates 0.001,0.1 --batches 64,128
        martlet search perceptron --trials 2 --epochs 1 --optimizers sgd,adam --weight-decays 0,0.001
      """)

  @Argument(help: "A sample's name (see `martlet list`).")
  var model: String

  @Option(help: "The number of settings, or the most that a grid may have.")
  var trials = PositiveInteger(argument: "12")!

  @Flag(help: "Choose settings at random, or all on a grid.")
  var strategy = Search.Strategy.random

  @Option(
    help: ArgumentHelp(
      """
      The least and the greatest learning rate, or the only one (default: a thirtieth to thirty times the sample's). A \
      grid takes as many of them as --trials allows, from one to the other.
      """, valueName: "low,high"))
  var learningRates: List<PositiveNumber>?

  @Option(
    help: "Numbers of examples in a step (default: the sample's, its half and its double).")
  var batches: List<PositiveInteger>?

  @Option(help: "Factors of weight decay (default: the sample's).")
  var weightDecays: List<NonNegativeNumber>?

  @Option(help: "Optimizers (default: the sample's).")
  var optimizers: List<OptimizerName>?

  @Option(help: "How many times each trial goes through the data (default: the sample's).")
  var epochs: PositiveInteger?

  @Option(help: "Decides the settings, first values, shuffling and dropout.")
  var seed: UInt64 = 0

  @OptionGroup var options: BackendOptions

  @OptionGroup var report: ReportOptions

  func run() throws {
    let recipe = try LoadedModel.recipe(named: model)
    let shared = Recipe.Options(
      epochs: epochs?.value, seed: seed, progress: .silent,
      backend: try options.makeBackend(report))
    let found = try recipe.search(try search(), trials: trials.value, shared) { trial in
      printToStandardError(
        "trial \(trial.number)/\(trials.value)  \(trial.setting)  validation \(trial.validation)")
    }
    print(found.table)
    print("best: martlet train \(model) \(found.best.setting)\(sharedArguments)")
    let outcome = try recipe.train(shared.with(found.best.setting))
    for line in [outcome].testLines { print(line) }
  }

  /// What all trials share, as options of `train`.
  private var sharedArguments: String {
    (epochs.map { " --epochs \($0.value)" } ?? "") + (seed == 0 ? "" : " --seed \(seed)")
      + (options.backend == .jit ? "" : " --backend \(options.backend.rawValue)")
  }

  private func search() throws(Diagnostic) -> Search {
    var search = Search(
      strategy, batches: batches?.elements.map(\.value) ?? [],
      weightDecays: weightDecays?.elements.map(\.value) ?? [],
      optimizers: optimizers?.elements ?? [])
    if let rates = learningRates?.elements.map(\.value) {
      guard (1...2).contains(rates.count), let low = rates.first, let high = rates.last, low <= high
      else {
        throw Diagnostic(
          .argument, "--learning-rates takes the least and the greatest",
          hint: "--learning-rates 0.0001,0.1")
      }
      search.learningRates = low...high
    }
    return search
  }
}

extension Search.Strategy: EnumerableFlag {}

extension Search.Outcome {
  /// The trials as a table, the best first.
  fileprivate var table: String {
    let names = trials.first?.validation.metrics.map(\.metric.name) ?? []
    var rows = [["trial"] + names + ["loss", "setting"]]
    for trial in trials {
      let values = trial.validation.metrics.map { metric, value in
        metric.isShare ? "\((100 * value).fixed(1)) %" : value.fixed(4)
      }
      rows.append(
        ["\(trial.number)"] + values + [trial.validation.loss.fixed(4), "\(trial.setting)"])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.indices.map { column in
        column == row.count - 1 ? row[column] : row[column].leftPadded(to: widths[column])
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
