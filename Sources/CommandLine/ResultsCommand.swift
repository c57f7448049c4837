import ArgumentParser
import Foundation
import GraphIR
import Martlet
import Samples

/// `martlet results`: trains samples, and writes what came out into the table of results.
///
/// It is for those who work on the samples, so the help does not list it.
struct ResultsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "results", abstract: "Train samples and write their rows of the table of results.",
    discussion: """
      The table stands between two marker lines of the file and has a row for each sample, by family. The rows of the \
      samples that are named are measured and written again, each as soon as it is there; the others stay.

      EXAMPLES:
        martlet results neuron xor --file Samples/README.md
        martlet results --missing
      """, shouldDisplay: false)

  @Argument(help: "Samples' names; all when there are none.")
  var names: [String] = []

  @Flag(help: "Leave out the samples whose rows have a result.")
  var missing = false

  @Option(help: "The file with the table.")
  var file = "Samples/README.md"

  @OptionGroup var options: BackendOptions

  @OptionGroup var report: ReportOptions

  func run() throws {
    for name in names where !Samples.all.contains(where: { $0.name == name }) {
      throw LoadedModel.noSample(name)
    }
    var page = try ResultsPage(file)
    let samples = Samples.all.filter { sample in
      (names.isEmpty || names.contains(sample.name))
        && !(missing && page.rows[sample.name]?.isMeasured == true)
    }
    let settings = Recipe.Options(backend: try options.makeBackend(report))
    for sample in samples {
      print(sample.name)
      let row = try measure(sample, settings)
      print("  \(row.result), \(row.time)")
      page.rows[sample.name] = row
      try page.write()
    }
    if samples.isEmpty { print("nothing is missing") }
  }

  private func measure(_ sample: Sample, _ settings: Recipe.Options) throws -> ResultsPage.Row {
    let clock = ContinuousClock()
    let start = clock.now
    let outcomes = try sample.recipes.map { recipe in try recipe.train(settings) }
    let conclusion = try sample.conclusion(outcomes)
    return ResultsPage.Row(
      parameters: try sample.parameterCounts, result: result(outcomes, conclusion),
      time: duration((clock.now - start) / .seconds(1)))
  }

  /// The test's numbers, and the conclusion's last line where it is no row of a table.
  private func result(_ outcomes: [Recipe.Outcome], _ conclusion: [String]) -> String {
    let tests = outcomes.map { outcome in
      let shares = outcome.test.metrics.filter(\.metric.isShare)
      let numbers = outcome.test.description.components(separatedBy: ", ")
      // The loss says little beside a share of examples.
      let shown = shares.isEmpty ? numbers : Array(numbers.dropFirst())
      return ([outcome.recipe.name] + [shown.joined(separator: ", ")]).filter { !$0.isEmpty }
        .joined(separator: " ")
    }
    let remark = conclusion.last.flatMap { $0.contains("  ") ? nil : $0 }
    return (tests + (remark.map { [$0] } ?? [])).joined(separator: "; ")
  }

  private func duration(_ seconds: Double) -> String {
    if seconds < 10 { return "\(seconds.fixed(1)) s" }
    return seconds < 120 ? "\(seconds.fixed(0)) s" : "\((seconds / 60).fixed(1)) min"
  }
}

extension Sample {
  /// How many numbers training changes: of the recipes, from the least to the greatest where they differ.
  var parameterCounts: String {
    get throws {
      let counts = try recipes.map { recipe in
        try recipe.step(training: false, batch: 1).variables.filter(\.isTrained)
          .map(\.type.shape.elementCount).reduce(0, +)
      }
      let (least, greatest) = (counts.min() ?? 0, counts.max() ?? 0)
      return least == greatest
        ? least.grouped : "\(least.grouped) to \(greatest.grouped)"
    }
  }
}

extension Int {
  /// The number with commas between groups of three digits.
  fileprivate var grouped: String {
    var groups: [Substring] = []
    var digits = Substring("\(self)")
    while digits.count > 3 {
      groups.insert(digits.suffix(3), at: 0)
      digits = digits.dropLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
  }
}
