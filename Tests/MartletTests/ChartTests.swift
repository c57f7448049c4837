import FoundationXML
import Foundation
import GraphIR
import Martlet
import Testing

/// Charts: ticks are round, and what is drawn is well-formed and where it belongs.
@Suite struct ChartTests {
  @Test(arguments: [
    ([0.0, 1.0], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ([0.013, 2.31], ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]),
    ([91.2, 98.7], ["90", "92", "94", "96", "98", "100"]),
    ([-3.0, 14.0], ["-5", "0", "5", "10", "15"]),
    ([0.3, 0.3], ["0.1", "0.2", "0.3", "0.4", "0.5"]),
    ([2e-9, 9e-9], ["2e-9", "4e-9", "6e-9", "8e-9", "1e-8"]),
    ([Double.nan, .infinity], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
  ])
  func ticksAreRound(values: [Double], labels: [String]) {
    let axis = Axis.linear(over: values)
    #expect(axis.ticks.map(\.label) == labels)
    // The numbers are those that the texts say, to the last bit.
    #expect(axis.ticks.allSatisfy { Double($0.label) == $0.value || $0.value.magnitude < 1e-6 })
    #expect(axis.position(axis.lower) == 0 && axis.position(axis.upper) == 1)
    for value in values.filter(\.isFinite) {
      #expect((0...1).contains(axis.position(value) ?? -1))
    }
  }

  @Test func epochsAreWholeNumbers() {
    func labels(_ last: Double) -> [String] {
      Axis.linear(over: [0, last], ticks: 6, isWhole: true).ticks.map(\.label)
    }
    #expect(labels(0) == ["0", "1"])
    #expect(labels(3) == ["0", "1", "2", "3"])
    #expect(labels(30) == ["0", "5", "10", "15", "20", "25", "30"])
    #expect(labels(47) == ["0", "10", "20", "30", "40"])
  }

  @Test func powersOfTen() {
    let axis = Axis.logarithmic(over: [3e-7, 0.02, 0])
    #expect(axis.ticks.map(\.label) == ["1e-7", "1e-6", "1e-5", "0.0001", "0.001", "0.01", "0.1"])
    #expect(abs((axis.position(1e-4) ?? 0) - 0.5) < 1e-12)
    #expect(axis.position(0) == 0 && axis.position(.nan) == nil)
    #expect(Axis.logarithmic(over: []).ticks.count >= 2)
  }

  @Test func numbersAreShort() {
    let texts = [0, 12, 0.03125, 1.25e-7, 999.4, 123456, 2.5e6, -0.5, .nan].map { shortNumber($0) }
    #expect(
      texts == ["0", "12", "0.0313", "1.25e-7", "999", "123456", "2.5e6", "-0.5", "nan"])
  }

  @Test func chartsAreWellFormed() throws {
    let line = LineChart(
      "a < b & \"c\"",
      [
        .init("first \u{1}", [(0, 1), (1, .nan), (2, 3), (3, 2)]),
        .init("second", [(0, 0.5), (3, 1e9)], color: 1, isDashed: true),
      ])
    let matrix = MatrixChart(
      "m", rowTitle: "is", columnTitle: "taken for", names: ["a", "<b>"],
      counts: [[7, 1], [0, 4]])
    let ridge = Ridgeline(
      "r", rows: [("0", Distribution([0, 0, 1])), ("1", Distribution([0.5]))])
    for drawing in [line.drawing, matrix.drawing, ridge.drawing] {
      let parser = XMLParser(data: Data(drawing.file.utf8))
      #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
      #expect(!drawing.file.contains("nan") && !drawing.file.contains("inf"))
    }
    // A gap breaks the line in two.
    let paths = line.drawing.content.components(separatedBy: "class=\"line c0\" d=\"")
    #expect(paths.last?.prefix { $0 != "\"" }.count { $0 == "M" } == 2)
    for count in ["7", "1", "4"] {
      #expect(matrix.drawing.content.contains(">\(count)</text>"))
    }
  }

  @Test func sharesOfADistribution() {
    let distribution = Distribution((0...1000).map { Double($0) } + [.nan, .infinity])
    #expect(distribution.unusable == 2)
    #expect(distribution.quantile(0) == 0 && distribution.quantile(1) == 1000)
    let shares = distribution.shares([0, 250, 500, 1000])
    #expect(zip(shares, [0.25, 0.25, 0.5]).allSatisfy { abs($0 - $1) < 0.01 })
    // What a ReLU cut off is a spike at 0.
    let cut = Distribution([Double](repeating: 0, count: 600) + (1...400).map { Double($0) })
    #expect(abs(cut.shares([0, 1, 400])[0] - 0.6) < 0.01)
    #expect(Distribution([]).shares([0, 1]) == [0])
    #expect(Distribution([2]).shares([1, 2]) == [1])
  }

  /// Histories may be damaged, and training may end in any numbers.
  @Test func anyNumbersAreDrawn() {
    let numbers: [Double] = [
      0, 1, -1, 0.1, 0.1.nextUp, 0x1p-1030, 0x1p-1029, 1e-300, 1e-45, 1e15, 1e17, 1e17.nextUp,
      1e299,
      1e308,
      -1e308, .infinity, -.infinity, .nan,
    ]
    for (index, first) in numbers.enumerated() {
      for second in numbers[index...] {
        let all: [[(x: Double, y: Double)]] = [
          [(1, first), (2, second)], [(first, 1), (second, 2)], [(first, second), (second, first)],
        ]
        for points in all {
          for isLogarithmic in [false, true] {
            let chart = LineChart("x", [.init("a", points)], isLogarithmic: isLogarithmic)
            #expect(chart.yAxis.lower < chart.yAxis.upper && chart.xAxis.lower < chart.xAxis.upper)
            #expect(!chart.drawing.file.contains("nan"), "\(points)")
            #expect(
              TerminalChart(chart, columns: 40, isColored: false).lines.allSatisfy {
                $0.count <= 40
              },
              "\(points)")
          }
        }
      }
    }
  }

  @Test(arguments: [30, 40, 80, 200])
  func terminalChartsFit(columns: Int) {
    let chart = LineChart(
      "loss",
      [
        .init("training", (0...20).map { (Double($0), 1 / Double($0 + 1)) }),
        .init("test", (0...20).map { (Double($0), 0.9 - Double($0) / 40) }, color: 1),
      ])
    let lines = TerminalChart(chart, columns: columns, isColored: false).lines
    #expect(lines.allSatisfy { $0.count <= columns }, "\(lines.joined(separator: "\n"))")
    #expect(lines[0] == "loss" && lines[1] == "a training   b test")
    let plot = lines.dropFirst(2).filter { $0.contains("│") || $0.contains("┤") }
    // The first line begins at the top, where 1.0 is written, and both go from edge to edge.
    #expect(plot.first?.hasPrefix(" 1.0┤") == true)
    #expect(plot.last?.hasPrefix(" 0.0┤") == true)
    #expect(plot.contains { $0.contains("a") } && plot.contains { $0.contains("b") })
    #expect(lines[lines.count - 1].contains("epoch"))
    #expect(lines[lines.count - 2].hasSuffix("20"))
    let colored = TerminalChart(chart, columns: columns, isColored: true).lines
    #expect(colored[1].contains("\u{1B}[34m") && !colored[4].contains("a"))
  }
}
