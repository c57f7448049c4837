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
  @Test(arguments: [
    ("resnet18-imagenet", 11_689_512), ("resnet50", 25_557_032), ("googlenet", 6_624_904),
    ("inception-v3", 23_834_568), ("densenet121", 7_978_856),
  ])
  func aNetworkHasTheWeightsOfItsDefinition(name: String, count: Int) throws {
    #expect(try parameterCount(name) == count)
  }
}
