import Foundation
import GraphIR
import Martlet
import Samples

/// A page of Markdown with a table of all samples between two marker lines.
struct ResultsPage {
  /// What was measured of a sample.
  struct Row {
    var parameters: String
    var result: String
    var time: String

    /// What stands for a number that was not measured.
    static let unknown = "–"

    var isMeasured: Bool { result != Row.unknown }
  }

  static let begin = "<!-- results -->"
  static let end = "<!-- end of results -->"

  /// What was measured, by the sample's name.
  var rows: [String: Row]
  private let path: String
  private let before: [String]
  private let after: [String]

  /// Reads a page.
  ///
  /// - Throws: when it cannot be read, or has not each marker once and in order.
  init(_ path: String) throws(Diagnostic) {
    self.path = path
    let lines = String(decoding: try Files.read(path), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let begins = lines.indices.filter { lines[$0] == ResultsPage.begin }
    let ends = lines.indices.filter { lines[$0] == ResultsPage.end }
    guard begins.count == 1, ends.count == 1, begins[0] < ends[0] else {
      throw Diagnostic(
        .format, "'\(path)' has no place for the table of results",
        hint: "it has the lines '\(ResultsPage.begin)' and '\(ResultsPage.end)', each once")
    }
    before = Array(lines[...begins[0]])
    after = Array(lines[ends[0]...])
    rows = [:]
    for line in lines[begins[0]..<ends[0]] {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
        .map { String($0).trimmed }
      // | [name](file) | idea | parameters | result | time |
      guard cells.count == 7, cells[1].hasPrefix("["), let close = cells[1].firstIndex(of: "]")
      else { continue }
      rows[String(cells[1][..<close].dropFirst())] = Row(
        parameters: cells[3], result: cells[4], time: cells[5])
    }
  }

  /// Writes the page with its present rows, replacing the file as a whole.
  func write() throws {
    var lines = before
    for family in Samples.families {
      lines += ["", "### \(family.title)", ""]
      lines += ["| sample | idea | parameters | result | time |", "|---|---|--:|---|--:|"]
      for sample in family.samples { lines.append(try line(sample)) }
    }
    let text = (lines + [""] + after).joined(separator: "\n")
    try Files.write([Array(text.utf8)], to: path)
  }

  private func line(_ sample: Sample) throws -> String {
    let row =
      try rows[sample.name]
      ?? Row(parameters: sample.parameterCounts, result: Row.unknown, time: Row.unknown)
    let file = sample.recipes[0].file.split(separator: "/").last ?? ""
    let cells = [
      "[\(sample.name)](\(file))", sample.summary, row.parameters, row.result, row.time,
    ]
    return "| "
      + cells.map { $0.replacingOccurrences(of: "|", with: "/") }.joined(separator: " | ") + " |"
  }
}
