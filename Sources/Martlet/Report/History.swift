import GraphIR

/// Numbers of a training run: a row for each epoch, a column for each number.
///
/// As a file it is CSV with the names in the first line: `epoch,loss,accuracy,validation.loss,...`. What was not measured
/// is an empty cell.
public struct History: Sendable, Equatable, Codable {
  /// The columns' names; the first is `epoch`.
  public private(set) var columns: [String] = ["epoch"]
  /// The numbers, each row as long as there are columns.
  public private(set) var rows: [[Double?]] = []

  /// Makes a history without rows.
  public init() {}

  /// Adds a row; a name that is new makes a column, before those of gradients where it is none.
  public mutating func append(epoch: Int, _ values: [(name: String, value: Double)]) {
    var row = [Double?](repeating: nil, count: columns.count)
    row[0] = Double(epoch)
    for (name, value) in values {
      if let index = columns.firstIndex(of: name) {
        row[index] = value
      } else {
        let isGradient = name.hasPrefix(Recorder.gradientPrefix)
        let first = columns.firstIndex { $0.hasPrefix(Recorder.gradientPrefix) }
        let place = isGradient ? columns.count : first ?? columns.count
        columns.insert(name, at: place)
        row.insert(value, at: place)
        for other in rows.indices { rows[other].insert(nil, at: place) }
      }
    }
    rows.append(row)
  }

  /// The epochs in which a number was measured, with it; empty for an unknown name.
  public subscript(name: String) -> [(epoch: Double, value: Double)] {
    guard let column = columns.firstIndex(of: name) else { return [] }
    return rows.compactMap { row in
      guard let epoch = row[0], let value = row[column] else { return nil }
      return (epoch, value)
    }
  }

  // MARK: Files

  /// The table as text.
  public var csv: String {
    ([columns.joined(separator: ",")]
      + rows.map { row in
        row.map { $0.map { number($0) } ?? "" }.joined(separator: ",")
      }).joined(separator: "\n") + "\n"
  }

  private func number(_ value: Double) -> String {
    Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }

  /// Reads a table that `csv` gave.
  ///
  /// - Throws: what is wrong with the file, and in which line.
  public init(path: String) throws(Diagnostic) {
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    // The line ends of other systems are one character each to Swift.
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    guard let first = lines.first, first == "epoch" || first.hasPrefix("epoch,") else {
      throw Diagnostic(
        .format, "'\(path)' is no history of a training run: its first column is not 'epoch'",
        hint: "`martlet train NAME --report DIR` writes DIR/history.csv")
    }
    columns = first.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    if let twice = columns.first(where: { name in columns.count { $0 == name } > 1 }) {
      throw Diagnostic(.format, "'\(path)' has two columns '\(twice)'")
    }
    for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      guard cells.count == columns.count else {
        throw Diagnostic(
          .format,
          "'\(path)', line \(index + 1): \(cells.count) cells for \(columns.count) columns")
      }
      var row: [Double?] = []
      for (cell, column) in zip(cells, columns) {
        let value = Double(cell)
        guard value != nil || (cell.isEmpty && column != "epoch") else {
          throw Diagnostic(
            .format, "'\(path)', line \(index + 1): '\(cell)' is no number (\(column))")
        }
        row.append(value)
      }
      rows.append(row)
    }
  }

  /// Writes the table, replacing a file as a whole; a power failure soon after may lose it.
  public func write(to path: String) throws(Diagnostic) {
    try Files.write([Array(csv.utf8)], to: path, isDurable: false)
  }
}
