import ArgumentParser
import Foundation
import GraphIR
import Martlet

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `martlet plot`: curves of training runs in the terminal.
struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Draw the curves of training runs in the terminal.",
    discussion: """
      `train --report DIR` writes DIR/history.csv after each epoch (DIR/history-NAME.csv for each of several models). \
      A folder stands for all of them.

      EXAMPLES:
        martlet plot report
        martlet plot report/history.csv --metric accuracy
        martlet plot report --metric test.loss --svg loss.svg
      """)

  @Argument(help: "Histories (.csv), or folders that hold them.")
  var files: [String]

  @Option(help: "What to draw: loss, a metric's name, learning_rate, or another column.")
  var metric = "loss"

  @Option(help: "Write the chart to a file (.svg) instead.")
  var svg: String?

  func run() throws {
    let paths = try files.flatMap { try PlotCommand.histories(in: $0) }
    let runs = try paths.map { (path: $0, history: try History(path: $0)) }
    let names = PlotCommand.names(of: paths)
    let chart = LineChart(
      of: metric, in: zip(names, runs).map { ($0, $1.history) }, isShare: false)
    guard chart.series.contains(where: { !$0.points.isEmpty }) else {
      throw Diagnostic(
        .argument, "there is no '\(metric)' in \(paths.joined(separator: ", "))",
        hint: runs.allSatisfy { $0.history.measures.isEmpty }
          ? "no epoch has ended yet"
          : "there is " + (runs.first?.history.measures ?? []).joined(separator: ", "))
    }
    if let svg {
      try Files.write([Array(chart.drawing.file.utf8)], to: svg)
      return print("wrote \(svg)")
    }
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let text = TerminalChart(
      chart, columns: PlotCommand.columns(isTerminal: isTerminal), isColored: isTerminal)
    print(text.lines.joined(separator: "\n"))
  }

  /// A file itself, or the histories of a folder in the order of their names.
  private static func histories(in path: String) throws -> [String] {
    var isFolder = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder else {
      return [path]
    }
    let found = try FileManager.default.contentsOfDirectory(atPath: path)
      .filter { $0.hasPrefix("history") && $0.hasSuffix(".csv") }.sorted()
    guard !found.isEmpty else {
      throw Diagnostic(
        .file, "the folder '\(path)' holds no history.csv",
        hint: "`martlet train NAME --report \(path)` writes one")
    }
    return found.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
  }

  /// What tells files apart: `adam` of `report/history-adam.csv`, or the folder of `first/history.csv`.
  static func names(of paths: [String]) -> [String] {
    let short = paths.map { path in
      let parts = path.split(separator: "/").map(String.init)
      let file = (parts.last ?? path).replacing(".csv", with: "")
      if file.hasPrefix("history-") { return String(file.dropFirst("history-".count)) }
      return file == "history" && parts.count > 1 ? parts[parts.count - 2] : file
    }
    return Set(short).count == short.count ? short : paths
  }

  /// How wide a line may be: as the terminal is, or as COLUMNS says, or 80.
  private static func columns(isTerminal: Bool) -> Int {
    var size = winsize()
    if isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    let wanted = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }
    return min(max(wanted ?? 80, 30), 400)
  }
}
