import Martlet

/// The same deep network from different first values: where the signal fades on its way, little is learned.
///
/// Through seven layers a signal is multiplied by seven matrices, and so is the gradient on its way back. First values
/// that are too small make both vanish. Xavier's spread keeps them alive where the activation is about the identity (Glorot
/// and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010), but ReLU cuts
/// off half of the signal, for which He's wider spread makes up (He et al., "Delving deep into rectifiers", ICCV 2015),
/// and the slope of a sigmoid is at most 1/4. That is why deep networks have ReLU. Adam hides the worst, as it scales
/// small gradients up; with gradient descent the networks that are slow here would not move at all.
struct DeepMLP: Layer {
  let layers: Sequential

  init(_ activation: Activation, weights: Initializer) {
    let hidden = (0..<6).map { _ in Dense(64, activation, weights: weights) }
    layers = Sequential(hidden + [Dense(10)])
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    layers(image.flattened())
  }
}

extension Samples {
  static let initializers = Sample(
    "initializers",
    "small, Xavier's and He's first values in six hidden layers of sigmoid and ReLU",
    comparing: [Activation.sigmoid, .relu].flatMap { activation in
      [("small", Initializer.gaussian(standardDeviation: 0.01)), ("xavier", .xavier), ("he", .he)]
        .map { name, weights in
          Recipe(
            "\(activation)-\(name)", data: .smallDigits(),
            model: DeepMLP(activation, weights: weights), loss: .softmaxCrossEntropy,
            optimizer: Adam(learningRate: 0.002), epochs: 30, batch: 32)
        }
    }
  ) { outcomes in
    let rows = outcomes.map { outcome in
      let first = outcome.epochs.firstIndex { ($0.training.accuracy ?? 0) > 0.8 }
      return [
        outcome.recipe.name, first.map { "\($0 + 1)" } ?? "none",
        outcome.epochs.last?.training.loss.formatted(digits: 4) ?? "",
        ((outcome.test.accuracy ?? 0) * 100).formatted(digits: 1) + " %",
      ]
    }
    return Sample.table(
      ["", "first epoch above 80 % in training", "loss in the last", "test accuracy"], rows)
  }
}
