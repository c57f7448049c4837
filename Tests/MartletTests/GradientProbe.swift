import Compiler
import GraphIR
import Interpreter
import Martlet
import Testing

/// Compares the gradients of all parameters of a model in f64 with central differences of its mean squared error.
///
/// - Parameters:
///   - input: The inputs of a batch.
///   - output: The shape of the model's outputs for it.
func expectGradients(
  of model: some Layer, for input: Literal, output: [Int],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let trainer = try Trainer(
    model, loss: .meanSquaredError, optimizer: GradientDescent(learningRate: 1))
  let element = Shape(Array(input.type.shape.extents.dropFirst()))
  let example = ExampleSignature(
    input: TensorType(input.type.dtype, element),
    label: TensorType(.f64, Shape(Array(output.dropFirst()))))
  let step = try trainer.trainingGraph(
    example, batch: input.type.shape[0], withGradients: true)
  var values = trainer.initialValues(step)
  values["input"] = input
  // Values of no order: what is 0 or 1 at first would hide what it is multiplied with.
  for (seed, graphInput) in step.graph.inputs.enumerated()
  where graphInput.type.dtype == .f64 && graphInput.name != "input" {
    values[graphInput.name] = numbers(Shape(graphInput.type.shape.extents), seed: seed)
  }
  func run(_ values: [String: Literal]) throws -> [Literal] {
    try interpret(step.graph, try step.graph.inputs.map { try #require(values[$0.name]) })
  }
  let results = try run(values)
  var largest = 0.0
  for (index, result) in step.graph.outputs.enumerated() where result.name.hasPrefix("gradient.") {
    let name = String(result.name.dropFirst("gradient.".count))
    let parameter = try #require(values[name])
    for (element, found) in results[index].doubles().enumerated() {
      func loss(_ distance: Double) throws -> Double {
        var moved = parameter.doubles()
        moved[element] += distance
        var changed = values
        changed[name] = Literal(parameter.type, doubles: moved)
        return try run(changed)[0].doubles()[0]
      }
      let expected = try (loss(1e-5) - loss(-1e-5)) / 2e-5
      #expect(
        abs(found - expected) <= 1e-7 * max(1, abs(expected)),
        "\(name)[\(element)]: \(found), not \(expected)", sourceLocation: sourceLocation)
      largest = max(largest, abs(found))
    }
  }
  #expect(largest > 1e-3, "all gradients are next to zero", sourceLocation: sourceLocation)
}

/// Numbers of f64 between -1 and 1 without an order.
func numbers(_ shape: Shape, seed: Int = 1) -> Literal {
  let values = (0..<shape.elementCount).map { index in
    let turn = Double(index * 7 + seed * 3 + 1) * 0.6180339887498949
    return 2 * (turn - turn.rounded(.down)) - 1
  }
  return Literal(shape, values)
}
