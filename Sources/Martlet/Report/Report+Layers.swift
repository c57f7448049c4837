/// Charts of what happens inside of a model over the epochs.
extension Report {
  /// How many layers are shown.
  private static let mostLayers = 16
  /// How many times are shown.
  private static let mostTimes = 9

  /// How the outputs of each layer are distributed.
  var layerOutputs: String {
    distributions(
      """
      How the outputs of each layer are distributed, for the same examples each time; the epochs go from back to front. \
      Heights are roots of shares.
      """, \.layers)
  }

  /// How each parameter is distributed.
  var weights: String {
    distributions("How the elements of each parameter are distributed.", \.weights)
  }

  private func distributions(
    _ explanation: String, _ tracks: (Recorder) -> [Recorder.Track]
  ) -> String {
    var content = ""
    for run in runs {
      let epochs = run.recorder.history.rows.map { $0[0].map { shortNumber($0) } ?? "" }
      // What only changes the shape has nothing of its own to show.
      let all = tracks(run.recorder).withoutRepetition
      let shown = all.spread(to: Report.mostLayers)
      let charts = shown.compactMap { track -> Ridgeline? in
        let times = zip(epochs, track.distributions).map { (label: $0, distribution: $1) }
        let rows = times.filter { !$0.distribution.quantiles.isEmpty }
        return rows.isEmpty
          ? nil : Ridgeline(track.name, rows: rows.spread(to: Report.mostTimes))
      }
      guard !charts.isEmpty else { continue }
      if runs.count > 1 { content += element("h3", text: run.name) }
      if shown.count < all.count {
        content += element("p", text: "\(shown.count) of \(all.count), at even distances.")
      }
      content += cards(charts.map(\.drawing), class: "cards small")
    }
    return content.isEmpty ? "" : element("p", text: explanation) + content
  }
}

extension [Recorder.Track] {
  /// Those whose distributions are not the ones before.
  fileprivate var withoutRepetition: [Recorder.Track] {
    indices.filter { $0 == 0 || self[$0].distributions != self[$0 - 1].distributions }
      .map { self[$0] }
  }
}
