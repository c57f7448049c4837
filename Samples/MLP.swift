import Martlet

/// A multilayer perceptron: between the pixels and the ten scores stand two layers of features that it finds itself.
///
/// Without the nonlinearity in between, three layers would collapse into one matrix. With it, and with gradients that
/// flow back through all layers (Rumelhart, Hinton and Williams, "Learning representations by back-propagating
/// errors", Nature 323, 1986), the hidden units come to stand for strokes and loops. ReLU keeps the gradient alive
/// (Nair and Hinton, ICML 2010), He's first values keep the signal's size, and Adam gives each weight a step of its own.
struct MLP: Layer {
  let hidden1 = Dense(512, .relu, weights: .he)
  let hidden2 = Dense(256, .relu, weights: .he)
  let scores = Dense(10)

  func callAsFunction(_ image: Tensor) -> Tensor {
    scores(hidden2(hidden1(image.flattened())))
  }
}

extension Samples {
  static let mlp = Sample(
    "mlp", "784-512-256-10 with ReLU on 28x28 digits (1986)",
    Recipe(
      data: .digits(), model: MLP(), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.001), epochs: 10, batch: 128))
}
