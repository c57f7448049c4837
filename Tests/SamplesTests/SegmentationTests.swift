import Martlet
import Samples
import Testing

/// Samples that give each pixel a class.
@Suite struct SegmentationTests {
  @Test func theTilesAreAllThere() throws {
    let sample = try quick("unet")
    let data = try sample.data.load()
    #expect(data.train.count == 52 && data.test.count == 12)
    #expect(data.train.signature == sample.example)
    var nuclei = 0.0
    for part in [data.train, data.test] {
      for index in 0..<part.count {
        let (image, mask) = try part.example(index)
        let (pixels, labels) = (image.doubles(), mask.doubles())
        #expect(pixels.allSatisfy { (0...1).contains($0) })
        #expect(labels.allSatisfy { $0 == 0 || $0 == 1 })
        // A nucleus is brighter than what is around it.
        func mean(of class: Double) -> Double {
          let own = zip(pixels, labels).filter { $0.1 == `class` }.map(\.0)
          return own.reduce(0, +) / Double(own.count)
        }
        #expect(mean(of: 1) > mean(of: 0))
        nuclei += labels.reduce(0, +)
      }
    }
    #expect(nuclei == 52_226)
  }

  @Test(arguments: ["fcn", "unet"]) func everyPixelGetsScores(name: String) throws {
    let graph = try quick(name).graph(training: false, batch: 1)
    #expect(graph.type(of: graph.outputs[0].value).shape == [1, 64, 64, 2])
  }
}
