import GraphIR
import Martlet
import Samples
import Testing

/// The number of weights that a sample's training changes; counted in a graph, which is not run.
func parameterCount(_ name: String) throws -> Int {
  let step = try quick(name).step(training: false, batch: 1)
  return zip(step.graph.inputs, step.inputRoles).filter { $0.1 == .weights }
    .map(\.0.type.shape.elementCount).reduce(0, +)
}

/// Networks at full size have as many weights as their definitions.
@Suite struct ParameterCountTests {
  /// The numbers are those of torchvision, without auxiliary classifiers: `sum(p.numel() for p in model.parameters())`.
  ///
  /// But AlexNet's follows from the two halves of the paper (torchvision's in one piece has 61,100,840), NiN's from the
  /// sizes that its authors published, and MobileNet v1's is that of Keras.
  @Test(arguments: [
    ("alexnet", 60_965_224), ("vgg11", 132_863_336), ("vgg16", 138_357_544),
    ("vgg19", 143_667_240), ("nin", 7_595_176), ("squeezenet", 1_248_424),
    ("mobilenet-v1", 4_231_976), ("mobilenet-v2", 3_504_872), ("resnet18-imagenet", 11_689_512),
    ("resnet50", 25_557_032), ("googlenet", 6_624_904), ("inception-v3", 23_834_568),
    ("densenet121", 7_978_856),
  ])
  func aNetworkHasTheWeightsOfItsDefinition(name: String, count: Int) throws {
    #expect(try parameterCount(name) == count)
  }
}
