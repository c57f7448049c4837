/// A line chart in characters: dots of Braille, two columns and four rows of them in each.
///
/// Lines have colours, or, where those cannot be, a letter here and there.
package struct TerminalChart: Sendable {
  private let chart: LineChart
  private let series: [LineChart.Series]
  private let columns: Int
  private let isColored: Bool

  /// Makes the chart of the listed lines of another, so wide.
  ///
  /// - Parameter columns: How many characters a line of text may have; at least 30 are used.
  package init(_ chart: LineChart, columns: Int, isColored: Bool) {
    self.chart = chart
    series = chart.series.filter(\.isListed)
    self.columns = max(columns, 30)
    self.isColored = isColored
  }

  /// Colours of terminals, in an order in which neighbours differ much.
  private static let colors = [34, 33, 32, 35, 31, 36]

  /// The lines of text.
  package var lines: [String] {
    let labels = chart.yAxis.ticks.map(\.label)
    let margin = (labels.map(\.count).max() ?? 1) + 1
    let width = columns - margin - 2
    let height = min(max(columns / 5, 8), 18)
    let canvas = drawn(width, height)
    var result = [chart.title] + legend
    for row in 0..<height {
      // The tick whose place is in this row.
      let label = chart.yAxis.ticks.first { tick in
        let position = chart.yAxis.position(tick.value) ?? 0
        return height - 1 - Int((position * Double(height - 1)).rounded()) == row
      }?.label
      let text = label ?? ""
      result.append(
        String(repeating: " ", count: margin - text.count) + text + (label == nil ? "│" : "┤")
          + canvas[row])
    }
    return result + xAxisLines(margin: margin, width: width)
  }

  // MARK: Parts

  /// The names of the lines, as many in a row as fit.
  private var legend: [String] {
    guard series.count > 1 else { return [] }
    var rows: [(text: String, count: Int)] = []
    for (index, series) in series.enumerated() {
      let name = String(series.name.prefix(columns - 3))
      let entry = isColored ? painted("━━", index) + " " + name : "\(letter(index)) \(name)"
      let count = name.count + (isColored ? 3 : 2)
      if let last = rows.last, last.count + 3 + count <= columns {
        rows[rows.count - 1] = (last.text + "   " + entry, last.count + 3 + count)
      } else {
        rows.append((entry, count))
      }
    }
    return rows.map(\.text)
  }

  private func letter(_ index: Int) -> Character {
    let letters = Array("abcdefghijklmnopqrstuvwxyz")
    return letters[index % letters.count]
  }

  private func painted(_ text: String, _ index: Int) -> String {
    let color = TerminalChart.colors[index % TerminalChart.colors.count]
    return "\u{1B}[\(color)m\(text)\u{1B}[0m"
  }

  private func xAxisLines(margin: Int, width: Int) -> [String] {
    var rule = [Character](repeating: "─", count: width)
    var numbers = [Character](repeating: " ", count: margin + 1 + width)
    var free = 0
    for tick in chart.xAxis.ticks {
      guard let position = chart.xAxis.position(tick.value) else { continue }
      let place = Int((position * Double(width - 1)).rounded())
      rule[place] = "┬"
      let start = min(margin + 1 + place - tick.label.count / 2, numbers.count - tick.label.count)
      // One that would touch its neighbour is left out.
      guard start >= free else { continue }
      numbers.replaceSubrange(start..<start + tick.label.count, with: tick.label)
      free = start + tick.label.count + 1
    }
    let title = chart.xTitle
    let indent = margin + 1 + max((width - title.count) / 2, 0)
    return [
      String(repeating: " ", count: margin) + "└" + String(rule),
      String(numbers.reversed().drop { $0 == " " }.reversed()),
      String(repeating: " ", count: indent) + title,
    ]
  }

  /// The rows of the plot.
  private func drawn(_ width: Int, _ height: Int) -> [String] {
    var dots = [UInt32](repeating: 0, count: width * height)
    var owners = [Int](repeating: -1, count: width * height)
    var letters = [Character?](repeating: nil, count: width * height)
    for (index, series) in series.enumerated() {
      var last: (x: Int, y: Int)?
      for point in series.points {
        guard let x = chart.xAxis.position(point.x), let y = chart.yAxis.position(point.y),
          (0...1).contains(x), (0...1).contains(y)
        else {
          last = nil
          continue
        }
        let next = (
          x: Int((x * Double(2 * width - 1)).rounded()),
          y: Int(((1 - y) * Double(4 * height - 1)).rounded())
        )
        for (column, row) in TerminalChart.way(from: last ?? next, to: next) {
          let cell = row / 4 * width + column / 2
          dots[cell] |= TerminalChart.dot(column % 2, row % 4)
          owners[cell] = index
        }
        last = next
      }
      mark(series, index, owners, &letters, width)
    }
    return (0..<height).map { row in
      var text = ""
      for cell in row * width..<(row + 1) * width {
        guard dots[cell] != 0 else {
          text += " "
          continue
        }
        let character = Character(Unicode.Scalar(0x2800 + dots[cell]) ?? " ")
        text +=
          isColored
          ? painted(String(character), owners[cell]) : String(letters[cell] ?? character)
      }
      return isColored ? text : String(text.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Puts the letter of a line into some of the cells that it owns, at other places than its neighbours' letters.
  private func mark(
    _ series: LineChart.Series, _ index: Int, _ owners: [Int], _ letters: inout [Character?],
    _ width: Int
  ) {
    guard !isColored, self.series.count > 1 else { return }
    let distance = max(width / 4, 4)
    let phase = distance * index / self.series.count
    for cell in owners.indices
    where owners[cell] == index && (cell % width % distance == phase || cell % width == width - 1) {
      letters[cell] = letter(index)
    }
  }

  /// The dots of a straight line (Bresenham, "Algorithm for computer control of a digital plotter", 1965).
  private static func way(from: (x: Int, y: Int), to: (x: Int, y: Int)) -> [(Int, Int)] {
    let (dx, dy) = (abs(to.x - from.x), -abs(to.y - from.y))
    let (stepX, stepY) = (from.x < to.x ? 1 : -1, from.y < to.y ? 1 : -1)
    var (x, y, error) = (from.x, from.y, dx + dy)
    var result = [(x, y)]
    while (x, y) != (to.x, to.y) {
      let twice = 2 * error
      if twice >= dy {
        error += dy
        x += stepX
      }
      if twice <= dx {
        error += dx
        y += stepY
      }
      result.append((x, y))
    }
    return result
  }

  /// The bit of a dot in a character of Braille.
  private static func dot(_ column: Int, _ row: Int) -> UInt32 {
    row == 3 ? (column == 0 ? 0x40 : 0x80) : UInt32(1) << UInt32(row + 3 * column)
  }
}
