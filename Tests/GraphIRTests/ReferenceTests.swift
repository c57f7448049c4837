import FoundationEssentials
import GraphIR
import Testing

/// The language reference in `IR/` says what is true.
@Suite struct ReferenceTests {
  private func page(_ name: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "IR/\(name)"), encoding: .utf8)
  }

  /// The words between backticks in the first column of the tables.
  private func namedOperations() throws -> [String] {
    try page("Operations.md").split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap {
      let firstColumn = $0.dropFirst().prefix { $0 != "|" }
      return firstColumn.split(separator: " ").map { String($0.filter { $0 != "`" }) }
    }
  }

  @Test func theTableNamesEachOperationOnce() throws {
    #expect(try namedOperations().sorted() == GraphIR.Operation.mnemonics.sorted())
  }

  @Test func theTableNamesEachAttribute() throws {
    let table = try page("Operations.md")
    for key in [
      "dimensions", "dimension", "permutation", "start", "limit", "stride", "low", "high",
      "interior", "batch", "contracting", "padding", "inputDilation", "kernelDilation", "groups",
      "window", "stream", "dtype",
    ] { #expect(table.contains("`\(key)`"), "\(key)") }
  }

  @Test func theExampleIsAProgram() throws {
    let parts = try page("README.md").components(separatedBy: "```mir\n")
    let example = try #require(parts.last?.components(separatedBy: "```").first)
    let graph = try Graph.parse(example, file: "README.md")
    try graph.verify()
    #expect(graph.outputs.map(\.name) == ["logits", "choice"])
    #expect(graph.text().contains("loc(\"head\" \"Samples/MLP.swift\":9)"))
  }

  @Test func theDiagnosticShownIsTheOneGiven() throws {
    let text = """
      graph @g(%x: f32[2,3], %w: f32[4,5]) -> f32[2,5] {




      // line 6
        %0 = dot %x, %w {contracting = [[1], [0]]} : f32[2,5]
        return %0
      }
      """
    let errors = #expect(throws: Diagnostics.self) {
      try Graph.parse(text, file: "model.mir")
    }
    let shown = try #require(errors?.all.first?.description)
    #expect(try page("README.md").contains(shown), "\(shown)")
  }
}
