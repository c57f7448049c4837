extension LineChart {
  /// A chart of one number over the epochs of runs: as training saw it, and on the examples held back.
  ///
  /// One run has a line for each. Of several, each has a colour; what training saw is dashed and not in the legend where
  /// there are examples held back.
  ///
  /// - Parameters:
  ///   - column: The number's name, as `loss`; `validation.loss` and `test.loss` are found with it.
  ///   - isShare: Whether it is shown in percent.
  package init(of column: String, in runs: [(name: String, history: History)], isShare: Bool) {
    var series: [Series] = []
    for (index, run) in runs.enumerated() {
      func points(_ column: String) -> [(x: Double, y: Double)] {
        run.history[column].map { ($0.epoch, isShare ? 100 * $0.value : $0.value) }
      }
      let heldBack = ["validation", "test"].map { ($0, points("\($0).\(column)")) }
        .filter { !$0.1.isEmpty }
      let seen = points(column)
      if runs.count == 1 {
        let name = column == "learning_rate" ? column : "training"
        if !seen.isEmpty { series.append(Series(name, seen)) }
        series += heldBack.map { Series($0.0, $0.1, color: 1) }
      } else {
        let hasJudge = !heldBack.isEmpty
        if !seen.isEmpty {
          series.append(
            Series(
              hasJudge ? "\(run.name), training" : run.name, seen, color: index,
              isDashed: hasJudge, isListed: !hasJudge))
        }
        series += heldBack.map { Series(run.name, $0.1, color: index) }
      }
    }
    let values = series.flatMap { $0.points.map(\.y) }.filter(\.isFinite)
    let (least, greatest) = (values.min() ?? 0, values.max() ?? 0)
    // A learning rate that falls to nothing would be all fall.
    let isWide = least > 0 && greatest > 50 * least && column != "learning_rate"
    self.init(
      column.split(separator: "_").joined(separator: " ") + (isShare ? " (%)" : ""), series,
      isLogarithmic: !isShare && isWide)
  }
}

extension History {
  /// The names of what is measured, without the part of the data on which it is: `loss`, `accuracy`, `learning_rate`.
  package var measures: [String] {
    var names: [String] = []
    for column in columns.dropFirst() where !column.hasPrefix(Recorder.gradientPrefix) {
      let name = column.split(separator: ".").last.map(String.init) ?? column
      if !names.contains(name) { names.append(name) }
    }
    return names
  }
}
