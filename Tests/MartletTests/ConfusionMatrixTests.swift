import Compiler
import GraphIR
import Martlet
import Testing

/// How often classes are taken for each other, counted by hand.
@Suite struct ConfusionMatrixTests {
  /// Its inputs are the scores.
  struct Identity: Layer {
    func callAsFunction(_ scores: Tensor) -> Tensor { scores }
  }

  func matrix(
    _ scores: Literal, _ labels: Literal, names: [String] = []
  ) throws -> ConfusionMatrix {
    let data = try Dataset(inputs: scores, labels: labels, classNames: names)
    let trainer = try Trainer(
      Identity(), loss: Loss("none") { output, _ in output.flattened().sum(-1) }, optimizer: Adam(),
      backend: InterpreterBackend())
    return try trainer.confusionMatrix(on: data, batch: 2)
  }

  @Test func rowsAreWhatIsAndColumnsWhatIsPredicted() throws {
    let scores = f32([5, 3], [9, 0, 1, 0, 2, 1, 5, 4, 3, 0, 0, 1, 3, 2, 1])
    let matrix = try matrix(
      scores, Literal([5], [Int32(0), 1, 1, 2, -1]), names: ["ant", "bee", "cat"])
    #expect(
      matrix.counts == [[1, 0, 0], [1, 1, 0], [0, 0, 1]], "a label below 0 does not count")
    #expect(matrix.classNames == ["ant", "bee", "cat"])
    #expect(matrix.total == 4 && matrix.accuracy == 0.75)
    let rows = f32([5, 3], [1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0])
    #expect(try self.matrix(scores, rows).counts == [[2, 0, 0], [1, 1, 0], [0, 0, 1]])
  }

  @Test func placesAndSingleLogitsAreCounted() throws {
    let places = try matrix(
      f32([1, 2, 1, 2], [1, 0, 0, 1]), Literal([1, 2, 1], [Int32(1), 1]))
    #expect(places.counts == [[0, 0], [1, 1]])
    let logits = try matrix(f32([3, 1], [-1, 2, 3]), Literal([3], [Int32(0), 0, 1]))
    #expect(logits.counts == [[1, 1], [0, 1]] && logits.classNames == ["0", "1"])
    let maps = try matrix(f32([1, 2, 2], [-1, 2, 3, -4]), f32([1, 2, 2], [0, 1, 0, 1]))
    #expect(maps.counts == [[1, 1], [1, 1]])
  }

  @Test func whatHasNoClassesIsRefused() throws {
    #expect(throws: Diagnostics.self) {
      try matrix(f32([2, 3], [1, 2, 3, 4, 5, 6]), f32([2, 2], [1, 0, 0, 1]))
    }
  }
}
