import FoundationEssentials
import GraphIR

/// A program of `IR/run` with its inputs and the outputs expected of every backend.
///
/// The values stand in comments of the program, one line each, in the syntax of a constant's data:
///
///     // INPUT x = [1, 2]
///     // EXPECT y = [3, nan] within 2 ulp
///
/// Without `within`, numbers must have equal bits; NaN equals NaN.
package struct RunFile: Sendable, CustomStringConvertible {
  /// What one output must be.
  package struct Expectation: Sendable {
    /// The output's name.
    package var output: String
    /// The value.
    package var value: Literal
    /// How many units in the last place a float may be off.
    package var ulps: Double
  }

  /// The file's name.
  package let description: String
  /// The program.
  package let graph: Graph
  /// A value for each of its inputs.
  package let inputs: [Literal]
  /// A value for each of its outputs.
  package let expectations: [Expectation]

  /// The programs in `IR/run`, by name.
  package static let all: [Result<RunFile, Diagnostics>] = {
    let folder = repository.appending(path: "IR/run")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".mir") }.sorted().map { name in
      Result { () throws(Diagnostics) in
        try RunFile(name: name, path: folder.appending(path: name).path)
      }
    }
  }()

  private static var repository: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  /// Reads a program and its values.
  package init(name: String, path: String) throws(Diagnostics) {
    let graph = try Graph.read(path)
    let text = (try? String(contentsOf: URL(filePath: path), encoding: .utf8)) ?? ""
    var entries = Entries(file: path)
    entries.read(text)
    description = name
    self.graph = graph
    inputs = try graph.inputs.map { input throws(Diagnostics) in
      try entries.take("INPUT", input.name, input.type).value
    }
    expectations = try graph.outputs.map { output throws(Diagnostics) in
      try entries.take("EXPECT", output.name, graph.type(of: output.value))
    }
    try entries.checkThatAllAreTaken()
  }

  /// What is wrong with outputs of the program, a sentence for each; none when all are right.
  package func problems(with outputs: [Literal]) -> [String] {
    guard outputs.count == expectations.count else {
      return ["\(description): \(outputs.count) outputs instead of \(expectations.count)"]
    }
    return zip(outputs, expectations).compactMap { actual, expected in
      if actual.type == expected.value.type, expected.isMet(by: actual) { return nil }
      return "\(description): \(expected.output) is \(actual.type) \(actual.doubles()), "
        + "expected \(expected.value.type) \(expected.value.doubles()) within \(expected.ulps) ulp"
    }
  }
}

extension RunFile.Expectation {
  fileprivate func isMet(by actual: Literal) -> Bool {
    let size = value.type.dtype.byteCount
    let (found, wanted) = (actual.doubles(), value.doubles())
    return wanted.indices.allSatisfy { index in
      let bytes = index * size..<(index + 1) * size
      if found[index].isNaN && wanted[index].isNaN { return true }
      if actual.bytes[bytes] == value.bytes[bytes] { return true }
      guard ulps > 0, let epsilon = value.type.dtype.epsilon, wanted[index] != 0 else {
        return false
      }
      let ulp = epsilon * wanted[index].binade.magnitude
      return abs(found[index] - wanted[index]) <= ulps * ulp
    }
  }
}

/// The values in the comments of one file.
private struct Entries {
  private struct Entry {
    var keyword: String
    var name: String
    var data: Substring
    var line: Int
  }

  let file: String
  private var entries: [Entry] = []

  init(file: String) { self.file = file }

  mutating func read(_ text: String) {
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = line.split(separator: " ", maxSplits: 4)
      guard words.count == 5, words[0] == "//", words[3] == "=",
        words[1] == "INPUT" || words[1] == "EXPECT"
      else { continue }
      entries.append(
        Entry(
          keyword: String(words[1]), name: String(words[2]), data: words[4], line: number + 1))
    }
  }

  /// The value of an input or output, which must stand in the file once.
  mutating func take(
    _ keyword: String, _ name: String, _ type: TensorType
  ) throws(Diagnostics) -> RunFile.Expectation {
    let index = entries.firstIndex { $0.keyword == keyword && $0.name == name }
    guard let index else {
      throw problem(.name, "there is no '// \(keyword) \(name) = ...' for \(type)", line: 0)
    }
    let entry = entries.remove(at: index)
    var data = entry.data
    var ulps = 0.0
    if let range = data.firstRange(of: " within ") {
      guard data.hasSuffix(" ulp"), let count = Double(data[range.upperBound...].dropLast(4)) else {
        throw problem(.syntax, "expected 'within N ulp'", line: entry.line)
      }
      ulps = count
      data = data[..<range.lowerBound]
    }
    // The parser of programs reads constants of every type.
    let program = """
      graph @value() -> \(type) {
        %value = constant \(data) : \(type)
        return %value
      }
      """
    do throws(Diagnostics) {
      let literal = try Graph.parse(program, file: file).nodes.first?.literal
      if let literal { return RunFile.Expectation(output: name, value: literal, ulps: ulps) }
    } catch {
      throw problem(.syntax, error.all.first?.message ?? "", line: entry.line)
    }
    throw problem(.syntax, "'\(data)' is no value of \(type)", line: entry.line)
  }

  func checkThatAllAreTaken() throws(Diagnostics) {
    guard let entry = entries.first else { return }
    throw problem(
      .name, "the program has no such value, or it is given twice: \(entry.keyword) \(entry.name)",
      line: entry.line)
  }

  private func problem(_ code: Diagnostic.Code, _ message: String, line: Int) -> Diagnostics {
    Diagnostics([Diagnostic(code, message, at: Location(file: file, line: line))])
  }
}
