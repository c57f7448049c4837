import GraphIR

/// Tables of numbers as text: a row per line, the same number of columns in each, separated by commas.
public enum CSV {
  /// Reads a table, which may be compressed with gzip.
  ///
  /// - Parameter hasHeader: Whether the first line has names of columns, which are left out.
  /// - Returns: the numbers as f64 `[rows, columns]`.
  /// - Throws: what is wrong with the file, with the line.
  public static func read(_ path: String, hasHeader: Bool = false) throws(Diagnostic) -> Literal {
    try parse(try Gzip.read(path), name: path, hasHeader: hasHeader)
  }

  /// Reads examples from a table, which may be compressed with gzip: a row each, whose last number is the label.
  ///
  /// - Parameters:
  ///   - hasHeader: Whether the first line has names of columns, which are left out.
  ///   - hasClasses: Whether labels are classes, whole numbers from 0.
  /// - Returns: inputs f32 `[rows, columns - 1]` and labels f32 `[rows, 1]`, or, of classes, i32 `[rows]`.
  /// - Throws: what is wrong with the file, with the line.
  public static func examples(
    _ path: String, inputName: String = "input", hasHeader: Bool = false, hasClasses: Bool = false
  ) throws(Diagnostic) -> Dataset {
    let table = try read(path, hasHeader: hasHeader)
    let (rows, columns) = (table.type.shape[0], table.type.shape[1])
    guard columns >= 2 else {
      throw Diagnostic(
        .format, "'\(path)' has \(columns) columns", hint: "at least one input and the label")
    }
    let cells = table.doubles()
    let isLabel = { (index: Int) in index % columns == columns - 1 }
    let labels = cells.indices.filter(isLabel).map { cells[$0] }
    if hasClasses, let row = labels.firstIndex(where: { Int32(exactly: $0).map { $0 < 0 } ?? true })
    {
      throw Diagnostic(
        .format, "'\(path)': the label of row \(row + 1) is \(labels[row]), which is no class",
        hint: "classes are whole numbers from 0")
    }
    return try Dataset(
      inputs: Literal(
        TensorType(.f32, [rows, columns - 1]),
        doubles: cells.indices.filter { !isLabel($0) }.map { cells[$0] }),
      labels: Literal(
        hasClasses ? TensorType(.i32, [rows]) : TensorType(.f32, [rows, 1]), doubles: labels),
      inputName: inputName)
  }

  static func parse(
    _ bytes: [UInt8], name: String, hasHeader: Bool = false
  ) throws(Diagnostic) -> Literal {
    var values: [Double] = []
    var columns: Int?
    var rows = 0
    var lineNumber = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      lineNumber += 1
      if hasHeader, lineNumber == 1 { continue }
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
