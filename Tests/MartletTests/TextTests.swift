import Foundation
import GraphIR
import Martlet
import Testing

/// Text as tokens: characters, pieces of words, and examples made of them.
@Suite struct TextTests {
  func file(_ content: String) throws -> String {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("martlet-\(UUID().uuidString).txt")
    try Data(content.utf8).write(to: url)
    return url.path
  }

  func symbols(_ text: String) throws -> [Int32] {
    let path = try file(text)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try Text.read(path)
  }

  @Test func charactersAreNumbersAndBack() throws {
    #expect(Text.characters.count == 96)
    let text = try symbols("a b\n~")
    #expect(text == [66, 1, 67, 0, 95])
    #expect(Text.string(text + [96, -1]) == "a b\n~")
  }

  @Test func otherCharactersAreRefusedWithTheirLine() throws {
    do {
      _ = try symbols("one\ntwo\nthrée\n")
      Issue.record("nothing was thrown")
    } catch let error as Diagnostic {
      #expect(error.location.line == 3)
    }
  }

  @Test func nextTokensAreTheLabels() throws {
    let data = try Sequences.nextToken(of: (0..<10).map(Int32.init), length: 3)
    #expect(data.count == 3)
    let last = try data.example(2)
    #expect(last.input == Literal([3], [Int32(6), 7, 8]))
    #expect(last.label == Literal([3], [Int32(7), 8, 9]))
    #expect(throws: Diagnostic.self) { try Sequences.nextToken(of: [1, 2], length: 2) }
    #expect(throws: Diagnostic.self) { try Sequences.nextToken(of: [1, 2], length: 0) }
  }

  @Test func someTokensAreHidden() throws {
    let tokens = (0..<40_000).map { Int32($0 % 50) }
    let data = try Sequences.masked(tokens, length: 20, mask: 50, vocabulary: 51)
    #expect(data.count == 2000)
    let batch = try data.batch(2000)
    let shown = try #require(batch.inputs.elements(as: Int32.self))
    let labels = try #require(batch.labels.elements(as: Int32.self))
    var counts = (chosen: 0, masked: 0, kept: 0)
    for (index, (shown, label)) in zip(shown, labels).enumerated() {
      guard label >= 0 else {
        #expect(label == -1 && shown == tokens[index])
        continue
      }
      #expect(label == tokens[index])
      counts.chosen += 1
      counts.masked += shown == 50 ? 1 : 0
      counts.kept += shown == label ? 1 : 0
    }
    #expect(counts.chosen == 3 * 2000)
    // 80 % and 10 %, and of the random tokens one in 51; the standard deviations are 31 and 24.
    #expect((4650...4970).contains(counts.masked), "\(counts)")
    #expect((500...730).contains(counts.kept), "\(counts)")
    #expect(throws: Diagnostic.self) {
      try Sequences.masked(tokens, length: 20, hidden: 2, mask: 50, vocabulary: 51)
    }
  }

  @Test func frequentPairsBecomeTokens() throws {
    let letters = Text.characters.map { $0.first?.isLetter == true }
    let text = try symbols("the then there he the\n")
    let pieces = try BytePairs(learning: text, isLetter: letters, count: 99)
    #expect(pieces.count == 99)
    // "he" stands five times, then " the" and "the" share "t" + "he".
    let tokens = try pieces.tokens(of: text)
    #expect(tokens.count < text.count)
    #expect(pieces.symbols(of: [96]) == (try symbols("he")))
    #expect(pieces.symbols(of: [97]) == (try symbols("the")))
    #expect(pieces.symbols(of: tokens) == text)
    // No piece reaches from one word into the next, and a text without pairs learns none.
    let few = try symbols(". . . . ")
    #expect(try BytePairs(learning: few, isLetter: letters, count: 99).count == 96)
    #expect(try pieces.tokens(of: []) == [])
    for number: Int32 in [-1, 96] {
      #expect(throws: Diagnostic.self) { try pieces.tokens(of: [5, number]) }
      #expect(throws: Diagnostic.self) {
        try BytePairs(learning: [number], isLetter: letters, count: 99)
      }
    }
  }

  @Test func lossesAndMetricsOfSequencesAreMeansOverTheirLabels() throws {
    struct Given: Layer {
      let logits: Literal
      func callAsFunction(_ x: Tensor) -> Tensor { Tensor(logits) + x * 0 }
    }
    let logits = f32([1, 2, 2], [0, 0, 2, 0])
    func result(_ loss: Loss, _ labels: [Int32]) throws -> Evaluation {
      let data = try Dataset(inputs: f32([1, 1, 1], [0]), labels: Literal([1, 2], labels))
      let trainer = try Trainer(
        Given(logits: logits), loss: loss, optimizer: Adam(), backend: InterpreterBackend())
      return try trainer.evaluate(data)
    }
    let (first, second) = (0.6931471806, 0.1269280110)
    let both = try result(.softmaxCrossEntropy, [1, 0])
    #expect(abs(both.loss - (first + second) / 2) < 1e-6 && both.accuracy == 0.5)
    let masked = try result(.maskedSoftmaxCrossEntropy, [-1, 0])
    #expect(abs(masked.loss - second) < 1e-6 && masked.accuracy == 1)
    let none = try result(.maskedSoftmaxCrossEntropy, [-1, -1])
    #expect(none.loss == 0 && none.accuracy == 0)
  }
}
