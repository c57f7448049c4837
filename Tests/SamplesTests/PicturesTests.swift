import Martlet
import Samples
import Testing

/// The pictures of what a network looks for.
@Suite struct PicturesTests {
  @Test func eachDigitStandsBesideWhatIsShownOfIt() throws {
    let sample = try #require(Samples.named("pictures"))
    let recipe = sample.recipes[0]
    let outcome = try recipe.train(
      Recipe.Options(epochs: 0, progress: .silent, backend: JITBackend(threads: 1)))
    let sheets = try sample.pictures([outcome])
    #expect(
      sheets.map(\.name) == [
        "filters", "maps-conv1", "maps-conv2", "occlusion", "saliency", "best",
      ])
    #expect(sheets.map(\.figures.count) == [6, 3 * 7, 3 * 17, 20, 20, 20])
    let (saliency, best) = (sheets[4], sheets[5])
    // The first row is the digits themselves: the first test example of each.
    let test = outcome.data.test
    let zero = try #require(
      try (0..<test.count).first { try test.example($0).label.doubles() == [0] })
    let pixels = saliency.figures[0].picture.pixels
    #expect(try test.example(zero).input.elements(as: Float.self) == pixels)
    // Something pushes each score, and the pictures that follow it differ from digit to digit.
    #expect(saliency.figures.suffix(10).allSatisfy { $0.picture.pixels.contains { $0 < 0.9 } })
    #expect(Set(best.figures.suffix(10).map(\.picture.pixels)).count == 10)
    #expect(Set(best.figures.prefix(10).map(\.picture.pixels)).count == 1)
  }
}
