/// Counts in rows and columns, as a confusion matrix has them: the diagonal is right, the rest is wrong.
package struct MatrixChart: Sendable {
  /// What the chart shows.
  package var title: String
  /// What the rows are.
  package var rowTitle: String
  /// What the columns are.
  package var columnTitle: String
  /// The names of rows and columns.
  package var names: [String]
  /// The counts, row by row.
  package var counts: [[Int]]

  /// Makes a chart of a square matrix.
  package init(
    _ title: String, rowTitle: String, columnTitle: String, names: [String], counts: [[Int]]
  ) {
    self.title = title
    self.rowTitle = rowTitle
    self.columnTitle = columnTitle
    self.names = names
    self.counts = counts
  }

  /// Up to how many classes the cells hold their number.
  private static let mostWithNumbers = 12

  /// The chart as SVG: a cell's colour is the root of its share of the row, so that single errors are seen.
  package var drawing: Drawing {
    let longest = Double(min(names.map(\.count).max() ?? 1, 14))
    let left = 30 + 7.5 * longest
    let isRotated = longest > 4
    let top = 52 + (isRotated ? 5.5 * longest : 12)
    let side = (474 - left) / Double(max(counts.count, 1))
    var content = element("text", ["class": "heading", "x": 4, "y": 18], text: title)
    content += element(
      "text", ["x": (left + 474) / 2, "y": 38, "text-anchor": "middle"], text: columnTitle)
    content += element(
      "text",
      [
        "x": 14, "y": top + 237 - left / 2, "text-anchor": "middle",
        "transform": "rotate(-90 14 \((top + 237 - left / 2).markup))",
      ], text: rowTitle)
    let every = max(Int((14 / side).rounded(.up)), 1)
    for (index, name) in names.enumerated() where index % every == 0 {
      let middle = (Double(index) + 0.5) * side
      let text = name.count > 14 ? String(name.prefix(13)) + "…" : name
      content += element(
        "text", ["x": left - 6, "y": top + middle + 4.5, "text-anchor": "end"], text: text)
      let (x, y) = (left + middle, top - 6)
      content +=
        isRotated
        ? element(
          "text", ["x": x, "y": y, "transform": "rotate(-40 \(x.markup) \(y.markup))"], text: text)
        : element("text", ["x": x, "y": y, "text-anchor": "middle"], text: text)
    }
    for (row, counts) in counts.enumerated() {
      for (column, count) in counts.enumerated() {
        content += cell(
          row, column, count, of: counts.reduce(0, +), left: left + Double(column) * side,
          top: top + Double(row) * side, side: side)
      }
    }
    return Drawing(
      title: title, width: 480, height: top + side * Double(counts.count) + 6, content: content)
  }

  private func cell(
    _ row: Int, _ column: Int, _ count: Int, of total: Int, left: Double, top: Double, side: Double
  ) -> String {
    let share = total == 0 ? 0 : Double(count) / Double(total)
    let text = "\(rowTitle) \(names[row]), \(columnTitle) \(names[column]): \(count)"
    let outline = element(
      "rect",
      [
        "class": "grid", "x": left, "y": top, "width": side, "height": side,
        "stroke-width": min(1, side / 12),
      ])
    guard count > 0 else { return outline }
    var result = element(
      "rect",
      [
        "class": row == column ? "right" : "wrong", "x": left, "y": top, "width": side,
        "height": side, "fill-opacity": 0.7 * share.squareRoot(),
      ], element("title", text: text))
    result += outline
    if counts.count <= MatrixChart.mostWithNumbers {
      result += element(
        "text",
        [
          "class": "value", "x": left + side / 2, "y": top + side / 2 + 4.5,
          "text-anchor": "middle",
        ], text: "\(count)")
    }
    return result
  }
}
