import Compiler
import GraphIR
import Martlet
import Runtime
import Samples
import Testing

/// What the compiler gets to see of the samples.
@Suite struct SampleGraphTests {
  static let samples = Samples.quick

  /// Every node of a graph, those of nested bodies included.
  static func nodes(_ graph: Graph) -> [Node] {
    graph.nodes.flatMap { [$0] + $0.bodies.flatMap(nodes) }
  }

  @Test(arguments: samples.map(\.name), [true, false])
  func everyNodeComesFromALineOfTheSample(name: String, training: Bool) throws {
    let sample = try quick(name)
    let graph = try sample.graph(training: training, batch: 4, withGradients: training)
    #expect(!graph.nodes.isEmpty)
    for node in SampleGraphTests.nodes(graph) {
      let file = node.location.file ?? "none"
      #expect(
        file.hasPrefix("Samples/") && node.location.line > 0, "\(node.operation): \(node.location)")
    }
    for input in graph.inputs {
      #expect(
        input.location.file?.hasPrefix("Samples/") == true, "\(input.name): \(input.location)")
    }
  }

  @Test func leNetHasTheParametersOfThePaper() throws {
    let graph = try quick("lenet").graph(training: true, batch: 64)
    let parameters = graph.inputs.filter {
      $0.name.hasSuffix(".filter") || $0.name.hasSuffix(".weight") || $0.name.hasSuffix(".bias")
    }
    .filter { !$0.name.hasPrefix("optimizer.") }
    let names = parameters.map { "\($0.name): \($0.type)" }
    #expect(
      names == [
        "conv1.filter: f32[5,5,1,6]", "conv1.bias: f32[6]",
        "conv2.filter: f32[5,5,6,16]", "conv2.bias: f32[16]",
        "head.0.weight: f32[400,120]", "head.0.bias: f32[120]",
        "head.1.weight: f32[120,84]", "head.1.bias: f32[84]",
        "head.2.weight: f32[84,10]", "head.2.bias: f32[10]",
      ])
    #expect(parameters.map(\.type.shape.elementCount).reduce(0, +) == 61_706)
  }

  /// The numbers are those of the same models in PyTorch: `sum(p.numel() for p in model.parameters())`.
  @Test(arguments: [("resnet18", 62, 11_173_962), ("gpt", 54, 3_241_568), ("bert", 78, 11_465_704)])
  func largeModelsHaveTheParametersOfTheirDefinition(
    name: String, tensors: Int, elements: Int
  ) throws {
    let graph = try quick(name).graph(training: true, batch: 1)
    let state = name == "resnet18" ? "optimizer.velocity." : "optimizer.first_moment."
    let trained = graph.inputs.filter { $0.name.hasPrefix(state) }
    #expect(trained.count == tensors)
    #expect(trained.map(\.type.shape.elementCount).reduce(0, +) == elements)
    let untrained = graph.inputs.filter { $0.name.contains(".running") }
    #expect(
      untrained.map(\.type.shape.elementCount).reduce(0, +) == (name == "resnet18" ? 9600 : 0))
  }

  /// Parameters, optimizer state and random state hand their buffers to their new values.
  @Test(arguments: samples.map(\.name))
  func stateIsDonatedToTheOutputOfItsName(name: String) throws {
    let sample = try quick(name)
    let graph = try sample.graph(training: true, batch: 2)
    let data: Set = [sample.example.inputName, sample.example.labelName, "learning_rate"]
    #expect(graph.inputs.count > data.count)
    for input in graph.inputs {
      guard !data.contains(input.name) else {
        #expect(input.donatedTo == nil)
        continue
      }
      let output = try #require(input.donatedTo)
      #expect(graph.outputs[output].name == input.name)
    }
  }

  @Test(arguments: samples.map(\.name))
  func predictsProbabilities(name: String) throws {
    let sample = try quick(name)
    let graph = try sample.graph(training: false, batch: 3)
    let inputs = try sample.exampleInputs(training: false, batch: 3, seed: 1)
    let executable = try InterpreterBackend().prepare(graph)
    var session = try Session(executable)
    for (index, input) in graph.inputs.enumerated() {
      session.inputs[index].write(try #require(inputs[input.name]))
    }
    try session.run()
    let output = try #require(session.outputs.last).literal()
    let extents = output.type.shape.extents
    #expect(Array(extents.dropLast()) == [3] + sample.example.label.shape.extents)
    #expect(output.doubles().allSatisfy { (0...1).contains($0) })
    if name != "perceptron" {
      let classes = try #require(extents.last)
      for row in stride(from: 0, to: extents.reduce(1, *), by: classes) {
        #expect(abs(output.doubles()[row..<row + classes].reduce(0, +) - 1) < 1e-5)
      }
    }
  }
}
