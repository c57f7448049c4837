import Martlet

/// One artificial neuron per digit, each of which says how sure it is that the picture shows its digit.
///
/// A neuron weighs the 64 pixels, adds them up and squashes the sum into 0...1. Ten of them learn side by side, each
/// by its own error: the squared distance between what it said and 1 (its digit) or 0 (another). That is Rosenblatt's
/// perceptron ("The perceptron: a probabilistic model for information storage and organization in the brain",
/// Psychological Review 65, 1958) with the smooth step and the delta rule of Widrow and Hoff (1960), so that
/// it can be trained by gradient descent.
struct Perceptron: Layer {
  let neurons = Dense(10, .sigmoid)

  func callAsFunction(_ image: Tensor) -> Tensor {
    neurons(image.flattened())
  }
}

extension Loss {
  /// The squared distance between ten answers and the right ones: 1 for the digit shown, 0 for the others.
  static let deltaRule = Loss("delta rule") { answers, digit in
    let isDigit = digit.expanded(at: 1).isEqual(to: .iota([1, 10], axis: 1))
    return (answers - isDigit.converted(to: .f32)).squared().sum(1)
  }
}

extension Samples {
  static let perceptron = Sample(
    "perceptron", "ten neurons on 8x8 digits, each with an error of its own (1958)",
    Recipe(
      data: .smallDigits(), model: Perceptron(), loss: .deltaRule,
      optimizer: GradientDescent(learningRate: 0.5), metrics: [.accuracy], epochs: 40, batch: 32))
}
