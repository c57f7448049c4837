import Martlet

/// Batch normalization on and off, in the network with which its inventors showed it.
///
/// Three hidden layers of 100 sigmoids are hard to train: while a layer learns, the layers before it change its inputs. Bringing
/// each neuron's sum to mean 0 and variance 1 over the batch, and letting it learn its own mean and spread, keeps the
/// sigmoid where its slope is steep (Ioffe and Szegedy, "Batch normalization: accelerating deep network training by
/// reducing internal covariate shift", ICML 2015, section 4.1, with batches of 60 as there).
struct NormalizedMLP: Layer {
  let layers: Sequential

  init(normalizes: Bool) {
    layers = Sequential {
      for _ in 0..<3 {
        Dense(100, bias: !normalizes)
        if normalizes { BatchNorm() }
        Activation.sigmoid
      }
      Dense(10)
    }
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    layers(image.flattened())
  }
}

extension Samples {
  static let batchNorm = Sample(
    "batch-norm", "three layers of sigmoids on 28x28 digits, without and with batch norm (2015)",
    comparing: [false, true].map { normalizes in
      Recipe(
        normalizes ? "on" : "off", data: .digits(), model: NormalizedMLP(normalizes: normalizes),
        loss: .softmaxCrossEntropy, optimizer: GradientDescent(learningRate: 0.3), epochs: 15,
        batch: 60)
    }
  ) { outcomes in
    let rows = outcomes.map { outcome in
      let first = outcome.epochs.firstIndex { ($0.training.accuracy ?? 0) >= 0.9 }
      return [
        "batch norm \(outcome.recipe.name)", first.map { "\($0 + 1)" } ?? "none",
        ((outcome.test.accuracy ?? 0) * 100).formatted(digits: 1) + " %",
      ]
    }
    return Sample.table(
      ["", "first epoch above 90 % in training", "test accuracy"], rows)
  }
}
