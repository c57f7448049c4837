import Martlet

/// One network on 8x8 digits, trained by ten optimizers.
///
/// From gradient descent (Cauchy, 1847) over momentum to methods that give each weight a step of its own. All
/// begin with the same weights and see the same batches in the same order; each has a rate that is good for it of a few
/// tried. The loss after one epoch says who is fast at first, the one after the last who got lowest; that is not always the
/// one that does best on new digits (Wilson et al., "The marginal value of adaptive gradient methods in machine learning",
/// NeurIPS 2017).
struct SmallMLP: Layer {
  let hidden = Dense(64, .relu, weights: .he)
  let scores = Dense(10)

  func callAsFunction(_ image: Tensor) -> Tensor {
    scores(hidden(image.flattened()))
  }
}

extension Samples {
  static let optimizers = Sample(
    "optimizers", "ten optimizers train the same network on 8x8 digits",
    comparing: [
      trained("gradient-descent", GradientDescent(learningRate: 0.3)),
      trained("momentum", SGD(learningRate: 0.05)),
      trained("momentum-of-means", SGD(learningRate: 0.5, form: .mean)),
      trained("nesterov", SGD(learningRate: 0.05, nesterov: true)),
      trained("adagrad", AdaGrad(learningRate: 0.03)),
      trained("rmsprop", RMSProp(learningRate: 0.003)),
      trained("adadelta", Adadelta(learningRate: 1)),
      trained("adam", Adam(learningRate: 0.005)),
      trained("adamw", AdamW(learningRate: 0.005)),
      trained("adamax", Adamax(learningRate: 0.01)),
    ]
  ) { outcomes in
    let rows = outcomes.map { outcome in
      [outcome.recipe.name]
        + [outcome.epochs.first, outcome.epochs.last].map {
          $0?.training.loss.formatted(digits: 4) ?? ""
        } + [((outcome.test.accuracy ?? 0) * 100).formatted(digits: 1) + " %"]
    }
    return Sample.table(["", "loss in the first epoch", "in the last", "test accuracy"], rows)
  }

  private static func trained(_ name: String, _ optimizer: some Optimizer) -> Recipe {
    Recipe(
      name, data: .smallDigits(), model: SmallMLP(), loss: .softmaxCrossEntropy,
      optimizer: optimizer, epochs: 15, batch: 32)
  }
}
