import Compiler
import GraphIR
import Martlet
import Testing

/// What frozen parameters cost, and what tied ones get.
@Suite struct FrozenTests {
  struct Network: Layer {
    let features = Sequential(Conv2D(filters: 3, size: 3), Activation.tanh, BatchNorm())
    let head = Dense(2)
    func callAsFunction(_ image: Tensor) -> Tensor { head(features(image).flattened()) }
  }

  /// The graph of a training step holds nothing of the frozen layers' backward pass.
  @Test func frozenParametersGetNoGradientComputation() throws {
    let example = ExampleSignature(
      input: TensorType(.f32, [6, 6, 1]), label: TensorType(.i32, []))
    func nodes(_ groups: [ParameterGroup]) throws -> (step: Graph, features: Int, forward: Int) {
      let trainer = try Trainer(
        Network(), loss: .softmaxCrossEntropy, optimizer: Adam(),
        options: TrainingOptions(groups: groups), backend: InterpreterBackend())
      func count(_ graph: Graph) -> Int {
        graph.nodes.count { $0.location.path.hasPrefix("features") }
      }
      let step = try trainer.trainingGraph(example, batch: 4, withGradients: true).graph
      return (step, count(step), count(try trainer.objectiveGraph(example, batch: 4).graph))
    }
    let free = try nodes([])
    #expect(free.features > free.forward, "a backward pass is in the features otherwise")
    let frozen = try nodes([.frozen("features")])
    #expect(frozen.features == frozen.forward && frozen.forward == free.forward)
    func convolutions(_ graph: Graph) -> Int {
      graph.nodes.count {
        if case .convolution = $0.operation { true } else { false }
      }
    }
    #expect(convolutions(free.step) > 1 && convolutions(frozen.step) == 1)
    let gradients = frozen.step.outputs.map(\.name).filter { $0.hasPrefix("gradient.") }
    #expect(Set(gradients) == ["gradient.head.weight", "gradient.head.bias"])
    #expect(!frozen.step.inputs.contains { $0.name.hasPrefix("optimizer.first_moment.features") })
    #expect(!frozen.step.outputs.contains { $0.name == "features.0.filter" })
  }

  @Test func aGroupThatNamesNoParameterIsTold() throws {
    let example = ExampleSignature(
      input: TensorType(.f32, [6, 6, 1]), label: TensorType(.i32, []))
    func message(_ groups: [ParameterGroup]) throws -> String? {
      let trainer = try Trainer(
        Network(), loss: .softmaxCrossEntropy, optimizer: Adam(),
        options: TrainingOptions(groups: groups), backend: InterpreterBackend())
      do throws(Diagnostics) {
        _ = try trainer.trainingGraph(example, batch: 4)
        return nil
      } catch {
        return error.all.first?.message
      }
    }
    #expect(
      try message([.frozen("features"), .frozen("feature")])
        == "the group 'feature' names no parameter")
    #expect(try message([ParameterGroup("features.*.bias"), ParameterGroup("head")]) == nil)
    #expect(try message([.frozen("features.2.runningMean")]) != nil, "state is no parameter")
  }

  /// y = w * (w * x): one layer in two places.
  struct Twice: Layer {
    let line = TrainingStepTests.Line()
    func callAsFunction(_ x: Tensor) -> Tensor { line(line(x)) }
  }

  /// The gradient of a tied parameter is the sum over its uses: `d/dw (w² x - y)² = 2 (w² x - y) 2 w x`.
  @Test func tiedParametersGetTheSumOfTheirGradients() throws {
    let trainer = try Trainer(
      Twice(), loss: .meanSquaredError, optimizer: GradientDescent(learningRate: 0.01),
      backend: InterpreterBackend())
    try trainer.fit(try TrainingStepTests.data(), batch: 2, progress: .silent)
    #expect(trainer.parameterNames == ["line.slope"])
    let (x, y) = TrainingStepTests.points
    let gradient = zip(x, y).map { 2 * (4 * $0 - $1) * 4 * $0 }.reduce(0, +) / 2
    let slope = try #require(trainer.value(of: "line.slope")?.doubles().first)
    #expect(abs(slope - (2 - 0.01 * gradient)) < 1e-12)
  }
}
