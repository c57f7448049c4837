import Compiler
import GraphIR
import Martlet
import Testing

/// What can be looked at inside of a model: the outputs of its layers, and the gradient of its input.
@Suite struct InspectionTests {
  /// `scores(relu(hidden(x)))`, the second half through one layer twice.
  struct Model: Layer {
    let hidden = Dense(2, .relu)
    let mixing = Dense(2)
    func callAsFunction(_ input: Tensor) -> Tensor { mixing(mixing(hidden(input))) }
  }

  static let example = ExampleSignature(
    input: TensorType(.f32, [2]), label: TensorType(.i32, []))

  static func trainer() throws -> Trainer {
    let trainer = try Trainer(
      Model(), loss: .softmaxCrossEntropy, optimizer: SGD(learningRate: 0.1),
      backend: InterpreterBackend())
    try trainer.setValue(
      of: "hidden.weight", to: f32([2, 2], [1, 2, 3, -4]), for: example)
    try trainer.setValue(of: "mixing.weight", to: f32([2, 2], [0, 1, 2, 0]), for: example)
    try trainer.setValue(of: "mixing.bias", to: f32([2], [1, 0]), for: example)
    return trainer
  }

  @Test func layersGiveTheirOutputsUnderTheirPaths() throws {
    let outputs = try InspectionTests.trainer().layerOutputs(for: f32([1, 2], [1, 2]))
    #expect(outputs.map(\.path) == ["hidden", "mixing", "mixing_2"])
    // (1 + 6, 2 - 8) held above 0; then twice (y, x) -> (1 + 2x, y).
    #expect(outputs.map { $0.output.doubles() } == [[7, 0], [1, 7], [15, 1]])
  }

  @Test func theGradientOfTheInputIsTheModels() throws {
    let trainer = try InspectionTests.trainer()
    let push = try trainer.inputGradient(for: TensorType(.f32, [2, 2])) {
      ($0 * Tensor(f32([2, 2], [1, 0, 0, 1]))).sum()
    }
    // scores = (1 + 2 h0, 2 h1 + 0) after two mixings: h = (h0, h1) -> (1 + 2 h1, h0) -> (1 + 2 h0, 1 + 2 h1).
    let (objective, gradient) = try push(f32([2, 2], [1, 2, 3, 0.5]))
    #expect(objective == 15 + 9)
    #expect(gradient.type == TensorType(.f32, [2, 2]))
    // Each row by its own class: 2 (1, 3), and 2 (2, -4).
    #expect(gradient.doubles() == [2, 6, 4, -8])
    // The parameters are the trainer's, as they are now.
    try trainer.setValue(
      of: "hidden.weight", to: f32([2, 2], [10, 2, 3, -4]), for: InspectionTests.example)
    #expect(try push(f32([2, 2], [1, 2, 3, 0.5])).gradient.doubles() == [20, 6, 4, -8])
  }

  @Test func refusals() throws {
    let trainer = try InspectionTests.trainer()
    let noScalar = #expect(throws: Diagnostics.self) {
      try trainer.inputGradient(for: TensorType(.f32, [2, 2])) { $0 }
    }
    #expect(noScalar?.all.first?.message.contains("one number") == true)
    let noInputs = #expect(throws: Diagnostics.self) {
      try trainer.layerOutputs(for: f32([0, 2], []))
    }
    #expect(noInputs?.all.first?.message.contains("holds no inputs") == true)
    let push = try trainer.inputGradient(for: TensorType(.f32, [1, 2])) { $0.sum() }
    let otherType = #expect(throws: Diagnostics.self) { try push(f32([2, 2], [0, 0, 0, 0])) }
    #expect(otherType?.all.first?.message.contains("must be f32[1,2]") == true)
  }
}
