import FoundationEssentials
import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension String {
  /// The text followed by spaces up to a width.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  /// The text preceded by spaces up to a width.
  func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }

  /// The text without spaces at its ends.
  var trimmed: String { String(drop { $0 == " " }).trimmedAtEnd }

  /// The text without spaces at its end.
  var trimmedAtEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}

extension Double {
  /// The number with fixed digits after the point.
  func fixed(_ digits: Int) -> String { formatted("%.\(digits)f") }

  /// The number as `1.2e-07`; 0 as `0`.
  var scientific: String { self == 0 ? "0" : formatted("%.1e") }

  private func formatted(_ format: String) -> String {
    withVaList([self]) { arguments in
      var buffer = [CChar](repeating: 0, count: 400)
      vsnprintf(&buffer, buffer.count, format, arguments)
      return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }
}

/// Writes text to the standard output, with a line end when it has none.
func writeToStandardOutput(_ text: String) {
  print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
}

/// A value as one line of JSON with its keys in order.
func encodeJSON(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// Makes a folder, unless it is there.
func createFolder(_ path: String) throws(Diagnostic) {
  var isFolder = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder {
    throw Diagnostic(
      .file, "the folder '\(path)' cannot be made: there is a file of that name",
      hint: "name another folder")
  }
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    throw Diagnostic(
      .file, "the folder '\(path)' cannot be made", notes: [error.localizedDescription])
  }
}

/// Checks that a file could be written at a path now.
///
/// - Throws: a diagnostic when its folder is not there or takes no files, or a folder has the name.
func requireWritable(_ path: String) throws(Diagnostic) {
  guard !path.isEmpty else {
    throw Diagnostic(.file, "'' cannot be written: it is no name of a file", hint: "name a file")
  }
  let folder = URL(filePath: path).deletingLastPathComponent().path
  var isFolder = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder {
    throw Diagnostic(.file, "\(path) cannot be written: it is a folder", hint: "name a file")
  }
  guard FileManager.default.isWritableFile(atPath: folder) else {
    throw Diagnostic(.file, "\(path) cannot be written: there is no folder \(folder) to write to")
  }
}
