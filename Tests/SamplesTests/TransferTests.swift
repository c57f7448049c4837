import Martlet
import Samples
import Testing

/// The sample that takes features over from other digits.
@Suite struct TransferTests {
  @Test func fewPicturesOfEachDigitAreTrainedOn() throws {
    let recipe = try quick("transfer/fine-tuned")
    let data = try recipe.data.load()
    let validation = try #require(data.validation)
    for part in [data.train, validation] {
      let classes = try part.classes()
      for number in 0..<5 { #expect(classes.count { $0 == number } == 20) }
      #expect(classes.count == 100 && part.classNames == ["5", "6", "7", "8", "9"])
    }
    #expect(data.test.count == 500)
    #expect(Set(try data.test.classes()) == Set(0..<5))
  }

  @Test(arguments: [
    ("from-nothing", true), ("random-features", false), ("fine-tuned", false),
  ])
  func frozenFeaturesGetNoGradients(name: String, hasGradients: Bool) throws {
    let recipe = try quick("transfer/\(name)")
    let graph = try recipe.graph(training: true, batch: 2, withGradients: true)
    let gradients = graph.outputs.map(\.name).filter { $0.hasPrefix("gradient.") }
    #expect(gradients.contains("gradient.scores.weight"))
    #expect(gradients.contains("gradient.features.0.filter") == hasGradients)
  }
}
