import Foundation
import Testing

/// What the help texts show works as it stands there.
@Suite struct HelpTests {
  static let verbs = [
    "train", "search", "gradcheck", "predict", "run", "dump", "compare", "bench", "plan", "opt",
    "fuzz", "check-math", "list", "plot", "doctor",
  ]

  @Test func everyVerbIsHelpedWithAnExample() throws {
    let program = try Program()
    let overview = try program.run("--help").output
    let listed = overview.components(separatedBy: "SUBCOMMANDS:").last ?? ""
    for verb in Self.verbs {
      #expect(listed.contains("  \(verb) "))
      #expect(try !examples(program, ["help", verb]).isEmpty, "\(verb)")
    }
  }

  @Test func everyExampleSucceeds() throws {
    let program = try Program()
    try writeFiles(for: program)
    for verb in [[]] + Self.verbs.map({ [$0] }) {
      for example in try examples(program, ["help"] + verb) {
        let outcome = try program.run(example)
        let expected: Int32 = example.contains("--plant") ? 1 : 0
        #expect(outcome.status == expected, "\(example): \(outcome.error)")
        #expect(!outcome.output.isEmpty, "\(example)")
      }
    }
  }

  /// The arguments of the examples in a help text, up to a pipe.
  ///
  /// Long lines are broken there.
  private func examples(_ program: Program, _ arguments: [String]) throws -> [[String]] {
    let text = try program.run(arguments).output
    guard let start = text.range(of: "EXAMPLE"), let end = text.range(of: "\nUSAGE:") else {
      return []
    }
    let words = text[start.upperBound..<end.lowerBound].split { $0 == " " || $0 == "\n" }
    return words.dropFirst().split(separator: "martlet").map { command in
      command.prefix { $0 != "|" }.map(String.init)
    }
  }

  /// The files that the examples name.
  private func writeFiles(for program: Program) throws {
    let picture = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Samples/Data/mnist5k/digit.png")
    try FileManager.default.copyItem(at: picture, to: program.file("digit.png"))
    let dense = """
      graph @dense(%x: f32[2,3], %weight: f32[3,4], %bias: f32[4]) -> (y: f32[2,4]) {
        %0 = dot %x, %weight {contracting = [[1], [0]]} : f32[2,4]
        %1 = broadcast %bias {dimensions = [1]} : f32[2,4]
        %2 = add %0, %1 : f32[2,4]
        return %2
      }
      """
    for name in ["dense.mir", "model.mir"] { _ = try program.write(dense, to: name) }
    try program.writeArray([2, 3], to: "x.npy")
    try program.writeArray([3, 4], to: "w.npy")
    try program.writeArray([4], to: "b.npy")
    try program.writeArray([2, 28, 28, 1], to: "digits.npy")
  }
}

extension Program {
  /// Writes the numbers from 0 up as a NumPy array of f32.
  func writeArray(_ shape: [Int], to name: String) throws {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    // The data begins at a multiple of 64 bytes, of which ten are the preamble.
    header += String(repeating: " ", count: 117 - header.count) + "\n"
    var data = Data([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0]) + Data(header.utf8)
    for index in 0..<shape.reduce(1, *) {
      withUnsafeBytes(of: Float(index)) { data.append(contentsOf: $0) }
    }
    try data.write(to: file(name))
  }
}
