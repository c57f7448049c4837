/// Charts of numbers over the epochs.
extension Report {
  /// Loss, metrics and the learning rate, each in one chart for all runs.
  var curves: String {
    let isDashed = runs.count > 1 && charts.contains { $0.chart.series.contains(where: \.isDashed) }
    let note = isDashed ? "Dashed: on the training examples, while training goes on." : ""
    return (note.isEmpty ? "" : element("p", text: note))
      + cards(drawings.map(\.drawing))
  }

  /// The charts of `curves` with a name for each.
  var charts: [(name: String, chart: LineChart)] {
    var names: [String] = []
    for name in runs.flatMap(\.recorder.history.measures) where !names.contains(name) {
      names.append(name)
    }
    // The learning rate explains the others, and comes last.
    let ordered = names.filter { $0 != "learning_rate" } + names.filter { $0 == "learning_rate" }
    let histories = runs.map { (name: $0.name, history: $0.recorder.history) }
    return ordered.map { name in
      let isShare = runs.contains { $0.isShare(name) }
      return (name, LineChart(of: name, in: histories, isShare: isShare))
    }
  }

  /// A chart for each run, all of one height, so that they can be compared.
  var gradients: String {
    let all = runs.map { run in run.gradientSeries }
    let norms = all.flatMap { $0.flatMap { $0.points.map(\.y) } }
    guard !norms.isEmpty else { return "" }
    let charts = zip(runs, all).map { run, series in
      LineChart(
        run.name.isEmpty ? "norm of the gradient" : "norm of the gradient, \(run.name)", series,
        isLogarithmic: true, including: norms)
    }
    return element(
      "p",
      text: """
        The root of the sum of squares of each weight's gradient, for the same examples each time. Where it shrinks by \
        powers of ten from the last layer to the first, the first ones hardly learn.
        """) + cards(charts.map(\.drawing))
  }
}

extension Report.Run {
  /// How many lines can be told apart.
  private static let mostLines = 8

  /// The norms of the gradients of weights, from the first layer to the last; of biases where there are no others.
  fileprivate var gradientSeries: [LineChart.Series] {
    let columns = recorder.history.columns.filter { $0.hasPrefix(Recorder.gradientPrefix) }
    let matrices = columns.filter { column in
      let name = String(column.dropFirst(Recorder.gradientPrefix.count))
      return (trainer.value(of: name)?.type.shape.rank ?? 0) >= 2
    }
    let shown = (matrices.isEmpty ? columns : matrices).spread(to: Report.Run.mostLines)
    return shown.enumerated().map { index, column in
      LineChart.Series(
        String(column.dropFirst(Recorder.gradientPrefix.count)),
        recorder.history[column].map { ($0.epoch, $0.value) }, color: index)
    }
  }
}

extension Array {
  /// At most so many elements at even distances, the first and the last among them.
  func spread(to most: Int) -> [Element] {
    guard count > most, most > 1 else { return self }
    return (0..<most).map { self[$0 * (count - 1) / (most - 1)] }
  }
}
