/// What measuring did for a kernel.
package struct TuningReport: Hashable, Sendable {
  /// A way to compute the kernel, and the shortest time that it took.
  package struct Trial: Hashable, Sendable {
    /// How it is computed, in words.
    package var summary: String
    /// About how long the cost model says that it takes, in multiples of its choice's time.
    package var cost: Double
    /// The time in seconds.
    package var seconds: Double
  }

  /// Where the choice came from.
  package enum Source: Hashable, Sendable {
    /// Candidates were timed now; the first is the cost model's choice.
    case measured([Trial])
    /// The cache had it.
    case cache
    /// Nothing was measured, for this reason.
    case skipped(String)
  }

  /// The kernel's name.
  package var kernel: String
  /// Where the choice came from.
  package var source: Source
  /// Which of the candidates was taken: 0 for the cost model's choice.
  package var chosen = 0
  /// How it is computed, in words.
  package var summary = ""
  /// How many times as fast as the cost model's choice it was.
  package var gain = 1.0
  /// Why what the cache had was not taken; nil where it had nothing.
  package var ignored: String?

  /// What `--verbose` says.
  package var lines: [String] {
    let name = "tuning \(kernel)"
    var lines = ignored.map { ["\(name): what was kept is ignored: \($0)"] } ?? []
    let choice =
      chosen == 0
      ? "the model's choice" : "\(summary), \(hundredths(gain)) times as fast as the model's choice"
    switch source {
    case .skipped(let reason): lines.append("\(name): not measured: \(reason)")
    case .cache: lines.append("\(name): kept: \(choice)")
    case .measured(let trials):
      for trial in trials {
        let cost = "(the model says \(hundredths(trial.cost)))"
        lines.append(
          "\(name): tried \(trial.summary): \(hundredths(trial.seconds * 1e6)) us \(cost)")
      }
      lines.append("\(name): chosen: \(choice)")
    }
    return lines
  }

  private func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
