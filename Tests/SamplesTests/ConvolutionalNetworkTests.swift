import Compiler
import GraphIR
import Martlet
import Samples
import Testing

/// Networks at their published size, which are traced and planned but not run.
@Suite struct ConvolutionalNetworkTests {
  /// 1,000 scores for the published size of images.
  @Test(arguments: [("alexnet", 227), ("vgg16", 224), ("nin", 224), ("squeezenet", 227)])
  func takesPicturesOfItsSize(name: String, side: Int) throws {
    let recipe = try quick(name)
    #expect(recipe.example.input.shape.extents == [side, side, 3])
    let graph = try recipe.graph(training: false, batch: 2)
    let scores = try #require(graph.outputs.first { $0.name == "logits" })
    #expect(graph.type(of: scores.value).shape.extents == [2, 1000])
  }

  @Test func enlargedDigitsAreDigits() throws {
    let split = try quick("vgg16").data.load()
    #expect(split.train.count == 8 && split.test.count == 4)
    let small = try quick("mlp").data.load().train.example(3)
    let (image, label) = try split.train.example(3)
    #expect(label == small.label)
    let (pixels, digit) = (image.doubles(), small.input.doubles())
    for (row, column) in [(0, 0), (100, 111), (223, 223), (87, 120)] {
      let start = (row * 224 + column) * 3
      let shown = digit[row / 8 * 28 + column / 8]
      #expect(pixels[start..<start + 3].allSatisfy { $0 == shown })
    }
    #expect(pixels.contains { $0 > 0.5 })
  }

  /// The large ones fit in the memory that they are said to take: no plan needs much less.
  @Test func vgg16IsPlannedTightly() throws {
    let graph = try quick("vgg16").graph(training: true, batch: 4)
    let plan = try Compilation(graph, options: CompileOptions()).memoryPlan
    #expect(Double(plan.arena) <= 1.05 * Double(plan.arenaLowerBound))
    #expect(plan.total < 1_600_000_000)
  }
}
