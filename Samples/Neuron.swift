import Martlet

/// One neuron: it weighs its inputs, adds them up with a bias, and learns the weights from examples.
///
/// The sum of weighed inputs is the model of a nerve cell by McCulloch and Pitts ("A logical calculus of the ideas immanent
/// in nervous activity", 1943). The way to learn is Widrow's and Hoff's ("Adaptive switching circuits", 1960): say what the
/// output would be, see by how much it is wrong, and change each weight by that error times its input. This is gradient
/// descent on half the squared error. Here the neuron sees 81 points and finds out that `y = 2 x1 - 3 x2 + 1`.
struct Neuron: Layer {
  let neuron = Dense(1, weights: .zeros)

  func callAsFunction(_ inputs: Tensor) -> Tensor {
    neuron(inputs)
  }
}

extension ExampleSource {
  /// The points of a grid from -1 to 1 in two inputs, with `2 x1 - 3 x2 + 1`.
  static let plane: ExampleSource = {
    let steps = stride(from: Float(-1), through: 1, by: 0.25)
    let points = steps.flatMap { x1 in steps.map { x2 in (x1, x2) } }
    return ExampleSource(
      inputs: Literal([points.count, 2], points.flatMap { [$0.0, $0.1] }),
      labels: Literal([points.count, 1], points.map { 2 * $0.0 - 3 * $0.1 + 1 }))
  }()
}

extension Samples {
  static let neuron = Sample(
    "neuron", "one neuron finds the three numbers of a linear function (1960)",
    Recipe(
      data: .plane, model: Neuron(), loss: .halfSquaredError,
      optimizer: GradientDescent(learningRate: 0.2), epochs: 12, batch: 9,
      watching: ["neuron.weight", "neuron.bias"])
  ) { outcome in
    let weights = outcome.watched["neuron.weight", default: []].map { $0.doubles() }
    let biases = outcome.watched["neuron.bias", default: []].map { $0.doubles() }
    let learned = (weights.last ?? []) + (biases.last ?? [])
    let rows = zip(weights, biases).enumerated().map { epoch, values in
      ["epoch \(epoch)"] + (values.0 + values.1).map { $0.formatted(digits: 4) }
    }
    return Sample.table(["", "weight of x1", "weight of x2", "bias"], rows)
      + [
        "learned " + learned.map { $0.formatted(digits: 3) }.joined(separator: ", ")
          + " of 2, -3, 1"
      ]
  }
}
