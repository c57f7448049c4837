import GraphIR

/// Tables of numbers as text: a row per line, the same number of columns in each, separated by commas.
public enum CSV {
  /// Reads a table, which may be compressed with gzip.
  ///
  /// - Returns: the numbers as f64 `[rows, columns]`.
  /// - Throws: what is wrong with the file, with the line.
  public static func read(_ path: String) throws(Diagnostic) -> Literal {
    try parse(try Gzip.read(path), name: path)
  }

  /// Reads examples from a table, which may be compressed with gzip: a row each, whose last number is the label.
  ///
  /// - Returns: inputs f32 `[rows, columns - 1]` and labels f32 `[rows, 1]`.
  /// - Throws: what is wrong with the file, with the line.
  public static func examples(
    _ path: String, inputName: String = "input"
  ) throws(Diagnostic) -> Dataset {
    let table = try read(path)
    let (rows, columns) = (table.type.shape[0], table.type.shape[1])
    guard columns >= 2 else {
      throw Diagnostic(
        .format, "'\(path)' has \(columns) columns", hint: "at least one input and the label")
    }
    let cells = table.doubles()
    let isLabel = { (index: Int) in index % columns == columns - 1 }
    return try Dataset(
      inputs: Literal(
        TensorType(.f32, [rows, columns - 1]),
        doubles: cells.indices.filter { !isLabel($0) }.map { cells[$0] }),
      labels: Literal(
        TensorType(.f32, [rows, 1]), doubles: cells.indices.filter(isLabel).map { cells[$0] }),
      inputName: inputName)
  }

  static func parse(_ bytes: [UInt8], name: String) throws(Diagnostic) -> Literal {
    var values: [Double] = []
    var columns: Int?
    var rows = 0
    var lineNumber = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      lineNumber += 1
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      guard !line.isEmpty else { continue }
      let cells = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      let place = Location(file: name, line: lineNumber)
      guard columns == nil || columns == cells.count else {
        throw Diagnostic(
          .format, "this line has \(cells.count) columns, the first has \(columns ?? 0)", at: place)
      }
      columns = cells.count
      rows += 1
      for cell in cells {
        let text = String(decoding: cell, as: UTF8.self)
        guard let value = Double(text.filter { $0 != " " }) else {
          throw Diagnostic(.format, "'\(text.prefix(40))' is no number", at: place)
        }
        values.append(value)
      }
    }
    return Literal([rows, columns ?? 0], values)
  }
}
