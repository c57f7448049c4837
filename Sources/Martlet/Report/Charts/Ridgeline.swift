/// How numbers are distributed from one time to the next: a curve for each, the earliest at the back.
package struct Ridgeline: Sendable {
  /// What the chart shows.
  package var title: String
  /// The times with what was there, from the earliest.
  package var rows: [(label: String, distribution: Distribution)]

  /// Makes a chart.
  package init(_ title: String, rows: [(label: String, distribution: Distribution)]) {
    self.title = title
    self.rows = rows
  }

  private static let width = 300.0
  private static let left = 36.0
  private static let right = 286.0
  private static let bins = 60
  private static let top = 62.0

  /// The chart as SVG.
  ///
  /// The height of a curve is the root of the share, so that a spike (what a ReLU cuts off) does not hide the rest.
  package var drawing: Drawing {
    let step = rows.count > 1 ? 120.0 / Double(rows.count - 1) : 0
    let bottom = Ridgeline.top + step * Double(rows.count - 1)
    let axis = Axis.linear(
      over: rows.flatMap { [$0.distribution.quantile(0.005), $0.distribution.quantile(0.995)] },
      ticks: 3)
    var content = element("text", ["class": "heading", "x": 4, "y": 18], text: title)
    for tick in axis.ticks {
      let x = place(tick.value, axis)
      content += element(
        "path",
        [
          "class": "grid",
          "d": "M\(x.markup) \((Ridgeline.top - 26).markup)V\((bottom + 5).markup)",
        ])
      content += element(
        "text", ["x": x, "y": bottom + 19, "text-anchor": "middle"], text: tick.label)
    }
    for (index, row) in rows.enumerated() {
      let base = Ridgeline.top + step * Double(index)
      content += curve(row.distribution, axis, base: base)
      if index == 0 || index == rows.count - 1 || (index % 3 == 0 && rows.count - index > 3) {
        content += element(
          "text", ["x": Ridgeline.left - 8, "y": base + 2, "text-anchor": "end"], text: row.label)
      }
    }
    return Drawing(
      title: title, width: Ridgeline.width, height: bottom + 26, content: content)
  }

  private func place(_ value: Double, _ axis: Axis) -> Double {
    let position = min(max(axis.position(value) ?? 0, 0), 1)
    return Ridgeline.left + position * (Ridgeline.right - Ridgeline.left)
  }

  private func curve(_ distribution: Distribution, _ axis: Axis, base: Double) -> String {
    let count = Ridgeline.bins
    let edges = (0...count).map {
      axis.lower + (axis.upper - axis.lower) * Double($0) / Double(count)
    }
    let shares = distribution.shares(edges).smoothed
    let greatest = max(shares.max() ?? 0, .leastNormalMagnitude)
    var path = "M\(Ridgeline.left.markup) \(base.markup)"
    for (index, share) in shares.enumerated() {
      let middle = (edges[index] + edges[index + 1]) / 2
      let height = 26 * (share / greatest).squareRoot()
      path += "L\(place(middle, axis).markup) \((base - height).markup)"
    }
    path += "L\(Ridgeline.right.markup) \(base.markup)"
    return element("path", ["class": "ridge", "d": path])
  }
}

extension [Double] {
  /// Each number mixed with its neighbours, which hides the chance of few values.
  fileprivate var smoothed: [Double] {
    indices.map { index in
      let before = self[Swift.max(index - 1, 0)]
      let after = self[Swift.min(index + 1, count - 1)]
      return (before + 2 * self[index] + after) / 4
    }
  }
}
