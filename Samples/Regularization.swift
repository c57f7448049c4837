import Martlet

/// A large network learns 300 digits by heart; weight decay and dropout are to keep it from that.
///
/// With 670,000 weights for 300 pictures there are endless ways to make no error in training. Weight decay prefers the
/// one with small weights, which is smooth (Krogh and Hertz, "A simple weight decay can improve generalization", NIPS
/// 1991). Dropout silences most of the neurons at random in each step, so that none may rely on particular others
/// (Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014).
struct RegularizedMLP: Layer {
  let layers: Sequential

  init(dropsOut: Bool) {
    layers = Sequential {
      if dropsOut { Dropout(0.3) }
      Dense(512, .relu, weights: .he)
      if dropsOut { Dropout(0.6) }
      Dense(512, .relu, weights: .he)
      if dropsOut { Dropout(0.6) }
      Dense(10)
    }
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    layers(image.flattened())
  }
}

extension ExampleSource {
  /// The same examples to judge by, but only so many of each class to train on.
  func training(onOfEachClass count: Int) -> ExampleSource {
    ExampleSource(example: example, classNames: classNames) { () throws(Diagnostic) in
      let data = try load()
      return DataSplit(
        train: try data.train.shuffled(seed: 0).prefix(ofEachClass: count), test: data.test)
    }
  }
}

extension Samples {
  static let regularization = Sample(
    "regularization", "weight decay and dropout against overfitting on 300 digits",
    comparing: [
      regularized("neither", dropsOut: false),
      regularized("weight-decay", decay: 1, dropsOut: false),
      regularized("dropout", dropsOut: true),
      regularized("both", decay: 1, dropsOut: true),
    ]
  ) { outcomes throws(Diagnostics) in
    var rows: [[String]] = []
    for outcome in outcomes {
      let training = try outcome.trainer.evaluate(outcome.data.train)
      rows.append(
        [outcome.recipe.name]
          + [training, outcome.test].flatMap {
            [$0.loss.formatted(digits: 4), (($0.accuracy ?? 0) * 100).formatted(digits: 1) + " %"]
          })
    }
    let losses = outcomes.map { "\($0.recipe.name) \($0.test.loss.formatted(digits: 2))" }
    return Sample.table(["", "training loss", "accuracy", "test loss", "accuracy"], rows)
      + ["test loss: " + losses.joined(separator: ", ")]
  }

  private static func regularized(_ name: String, decay: Double = 0, dropsOut: Bool) -> Recipe {
    Recipe(
      name, data: .digits().training(onOfEachClass: 30), model: RegularizedMLP(dropsOut: dropsOut),
      loss: .softmaxCrossEntropy, optimizer: AdamW(learningRate: 0.001, weightDecay: decay),
      epochs: 200, batch: 50)
  }
}
