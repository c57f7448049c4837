import Martlet

/// The perceptron's ten sums, but the answers compete: softmax turns them into probabilities that add up to 1.
///
/// The loss is the surprise at the right answer, -log p(digit), averaged over the examples. Its gradient at the sums is
/// simply "what was said minus what is right", and the loss is convex: there is one best set of weights, and
/// gradient descent finds it from any start, even from zeros. Statisticians know the model as multinomial
/// logistic regression (Cox, "Some procedures connected with the logistic qualitative response curve", 1966); Bridle
/// named softmax ("Probabilistic interpretation of feedforward classification network outputs", 1990).
struct SoftmaxRegression: Layer {
  let classes = Dense(10, weights: .zeros)

  func callAsFunction(_ image: Tensor) -> Tensor {
    classes(image.flattened())
  }
}

extension Samples {
  static let softmaxRegression = Sample(
    "softmax-regression", "ten linear scores on 8x8 digits, turned into probabilities",
    Recipe(
      data: .smallDigits(), model: SoftmaxRegression(), loss: .softmaxCrossEntropy,
      optimizer: GradientDescent(learningRate: 0.5), epochs: 40, batch: 32))
}
