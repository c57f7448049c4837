import Foundation
import Testing

/// The table of results is written row by row.
@Suite struct ResultsTests {
  let program: Program

  init() throws { program = try Program() }

  func lines() throws -> [String] {
    try String(contentsOf: program.file("page.md"), encoding: .utf8).components(separatedBy: "\n")
  }

  @Test func onlyTheNamedRowsChange() throws {
    _ = try program.write(
      """
      # Before
      <!-- results -->
      | [xor](XOR.swift) | old idea | 7 | kept as it is | 3 s |
      <!-- end of results -->
      After

      """, to: "page.md")
    let outcome = try program.run("results", "neuron", "--file", "page.md", "--threads", "1")
    #expect(outcome.status == 0, "\(outcome.error)")
    let lines = try lines()
    #expect(lines.first == "# Before" && lines.suffix(2) == ["After", ""])
    let neuron = try #require(lines.first { $0.hasPrefix("| [neuron](Neuron.swift) | ") })
    #expect(neuron.contains(/\| 3 \| loss 0\.\d{4}; learned .* \| \d+\.\d s \|$/), "\(neuron)")
    let xor = try #require(lines.first { $0.hasPrefix("| [xor](XOR.swift) | ") })
    #expect(xor.hasSuffix(" | 7 | kept as it is | 3 s |") && !xor.contains("old idea"))
    let mlp = try #require(lines.first { $0.hasPrefix("| [mlp](MLP.swift) | ") })
    #expect(mlp.hasSuffix(" | 535,818 | – | – |"))
    #expect(lines.filter { $0 == "### Foundations" }.count == 1)
    // Once more, it finds its own rows.
    #expect(try program.run("results", "xor", "--file", "page.md").status == 0)
    let again = try self.lines()
    #expect(again.contains(neuron) && again.contains(mlp) && again.count == lines.count)
    #expect(try #require(again.first { $0.hasPrefix("| [xor]") }).contains("accuracy 100.0 %"))
  }

  @Test func aPageWithoutAPlaceIsRefused() throws {
    _ = try program.write("# Before\n", to: "page.md")
    let outcome = try program.run("results", "neuron", "--file", "page.md")
    #expect(outcome.status == 1 && outcome.error.contains("'page.md' has no place"))
    #expect(try program.run("results", "nothing", "--file", "page.md").status == 1)
    #expect(try lines() == ["# Before", ""])
  }
}
