/// Lines over a common horizontal axis, with a legend where there are several.
package struct LineChart: Sendable {
  /// One line.
  package struct Series: Sendable {
    /// What it shows.
    package var name: String
    /// Its points from left to right; one that is not finite leaves a gap.
    package var points: [(x: Double, y: Double)]
    /// Which of the style's colours it has.
    package var color: Int
    /// Whether it is dashed.
    package var isDashed: Bool
    /// Whether the legend names it.
    package var isListed: Bool

    /// Makes a line.
    package init(
      _ name: String, _ points: [(x: Double, y: Double)], color: Int = 0, isDashed: Bool = false,
      isListed: Bool = true
    ) {
      self.name = name
      self.points = points
      self.color = color % ChartStyle.colors
      self.isDashed = isDashed
      self.isListed = isListed
    }
  }

  /// What the chart shows.
  package var title: String
  /// What lies along the horizontal axis.
  package var xTitle: String
  /// The lines.
  package var series: [Series]
  /// The horizontal axis.
  package var xAxis: Axis
  /// The vertical axis.
  package var yAxis: Axis

  /// Makes a chart whose axes hold all points; the horizontal one has whole numbers.
  ///
  /// - Parameters:
  ///   - isLogarithmic: Whether equal ways upwards are equal factors.
  ///   - range: Numbers that the vertical axis holds besides, as another chart's beside it.
  package init(
    _ title: String, xTitle: String = "epoch", _ series: [Series], isLogarithmic: Bool = false,
    including range: [Double] = []
  ) {
    self.title = title
    self.xTitle = xTitle
    self.series = series
    xAxis = .linear(over: series.flatMap { $0.points.map(\.x) }, ticks: 6, isWhole: true)
    let values = series.flatMap { $0.points.map(\.y) } + range
    yAxis = isLogarithmic ? .logarithmic(over: values) : .linear(over: values)
  }

  private static let width = 480.0
  private static let plotHeight = 190.0
  private static let right = 468.0

  /// The chart as SVG.
  package var drawing: Drawing {
    let legend = legend(top: 34)
    let top = legend.bottom + 8
    let bottom = top + LineChart.plotHeight
    let left = 22 + 7.5 * Double(yAxis.ticks.map(\.label.count).max() ?? 1)
    func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double)? {
      guard let x = xAxis.position(point.x), let y = yAxis.position(point.y) else { return nil }
      return (left + x * (LineChart.right - left), bottom - y * LineChart.plotHeight)
    }
    return Drawing(
      title: title, width: LineChart.width, height: bottom + 40,
      content: element("text", ["class": "heading", "x": 4, "y": 18], text: title)
        + legend.markup + grid(left: left, top: top, bottom: bottom)
        + series.map { line($0, place) }.joined())
  }

  // MARK: Parts

  private func line(
    _ series: Series, _ place: ((x: Double, y: Double)) -> (x: Double, y: Double)?
  ) -> String {
    var path = ""
    var points = ""
    var isDrawing = false
    for point in series.points {
      guard let (x, y) = place(point) else {
        isDrawing = false
        continue
      }
      path += "\(isDrawing ? "L" : "M")\(x.markup) \(y.markup)"
      isDrawing = true
      guard series.points.count <= 200 else { continue }
      let text = "\(series.name), \(xTitle) \(shortNumber(point.x)): \(shortNumber(point.y))"
      points += element(
        "circle", ["class": "point", "cx": x, "cy": y, "r": 4], element("title", text: text))
    }
    guard !path.isEmpty else { return "" }
    return element("path", ["class": strokeClass(series), "d": path]) + points
  }

  private func strokeClass(_ series: Series) -> String {
    "line c\(series.color)" + (series.isDashed ? " dashed" : "")
  }

  private func grid(left: Double, top: Double, bottom: Double) -> String {
    var result = ""
    for tick in yAxis.ticks {
      guard let position = yAxis.position(tick.value) else { continue }
      let y = bottom - position * (bottom - top)
      result += element(
        "path", ["class": "grid", "d": "M\(left.markup) \(y.markup)H\(LineChart.right.markup)"])
      result += element(
        "text", ["x": left - 8, "y": y + 4.5, "text-anchor": "end"], text: tick.label)
    }
    for tick in xAxis.ticks {
      guard let position = xAxis.position(tick.value) else { continue }
      let x = left + position * (LineChart.right - left)
      result += element(
        "path", ["class": "grid", "d": "M\(x.markup) \(bottom.markup)v5"])
      result += element(
        "text", ["x": x, "y": bottom + 19, "text-anchor": "middle"], text: tick.label)
    }
    return result
      + element(
        "text",
        ["x": (left + LineChart.right) / 2, "y": bottom + 36, "text-anchor": "middle"],
        text: xTitle)
  }

  /// The names of the lines, in rows that fit by the mean width of a letter.
  private func legend(top: Double) -> (markup: String, bottom: Double) {
    guard series.count(where: \.isListed) > 1 else { return ("", 22) }
    var (x, y) = (4.0, top)
    var result = ""
    for series in series where series.isListed {
      let width = 30 + 7.2 * Double(series.name.count) + 14
      if x > 4, x + width > LineChart.right {
        x = 4
        y += 19
      }
      result += element(
        "path", ["class": strokeClass(series), "d": "M\(x.markup) \(y.markup)h22"])
      result += element("text", ["x": x + 28, "y": y + 4.5], text: series.name)
      x += width
    }
    return (result, y + 6)
  }
}
