import Martlet

/// Transfer: what was learned from the digits 0 to 4 helps to tell 5 to 9 apart, of which there are only 20 each.
///
/// Strokes, ends and loops are the same in all digits, so the convolutions that found them in many pictures are kept as
/// they are, and only a new last layer learns from the few (Yosinski, Clune, Bengio and Lipson, "How transferable are
/// features in deep neural networks?", NIPS 2014). Frozen weights get no gradient at all: the compiler drops that part of
/// the backward pass. The same network learns from the same pictures in as many steps from random weights, and, to see what
/// the features are worth, with features that stay as random as they began. Learning rates were chosen by 20 more pictures
/// of each digit.
struct TransferNetwork: Layer {
  let features = Sequential(
    Conv2D(filters: 32, size: 5, padding: .same, activation: .relu, weights: .he),
    MaxPool2D(size: 2), Conv2D(filters: 64, size: 5, activation: .relu, weights: .he),
    MaxPool2D(size: 2), Flatten())
  let dropout = Dropout(0.5)
  let scores = Dense(5)

  func callAsFunction(_ image: Tensor) -> Tensor { scores(dropout(features(image))) }
}

extension ExampleSource {
  /// Some of the digits of 28x28 pixels, as classes from 0: all of them, or 20 each to train on and 20 to choose settings by.
  fileprivate static func half(_ digits: ClosedRange<Int>, hasFew: Bool) -> ExampleSource {
    let all = ExampleSource.digits()
    return ExampleSource(example: all.example, classNames: digits.map(String.init)) {
      () throws(Diagnostic) in
      let data = try all.load()
      let (train, test) = (
        try data.train.examples(ofClasses: Array(digits), renumbered: true),
        try data.test.examples(ofClasses: Array(digits), renumbered: true)
      )
      guard hasFew else { return DataSplit(train: train, test: test) }
      let few = try train.shuffled(seed: 0).prefix(ofEachClass: 40)
        .split(test: 0.5, stratified: true)
      return DataSplit(train: few.train, validation: few.test, test: test)
    }
  }
}

extension Recipe {
  /// Learns 5 to 9 from few examples.
  fileprivate static func fewDigits(
    _ name: String, learningRate: Double, frozen: [ParameterGroup] = [],
    prepare: (@Sendable (Trainer, DataSplit) throws(Diagnostics) -> Void)? = nil,
    file: String = #fileID, line: Int = #line
  ) -> Recipe {
    Recipe(
      name, data: .half(5...9, hasFew: true), model: TransferNetwork(),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: learningRate),
      schedule: .oneCycle(), options: TrainingOptions(groups: frozen), epochs: 30, batch: 10,
      prepare: prepare, file: file, line: line)
  }
}

extension Samples {
  static let transfer = Sample(
    "transfer", "features of the digits 0 to 4 that help to tell 5 to 9 (2014)",
    comparing: [
      .fewDigits("from-nothing", learningRate: 0.003),
      .fewDigits("random-features", learningRate: 0.01, frozen: [.frozen("features")]),
      .fewDigits(
        "fine-tuned", learningRate: 0.01, frozen: [.frozen("features")], prepare: takeFeatures),
    ]
  ) { outcomes in
    let shares = outcomes.map { 100 * ($0.test.accuracy ?? 0) }
    let (nothing, random, tuned) = (shares[0], shares[1], shares[2])
    let gain = tuned - nothing
    let line = "fine-tuning gains \(gain.formatted(digits: 1)) points over training from nothing"
    guard gain < 5 else { return [line] }
    return [
      line,
      "that is less than 5, for these digits ask little of features: random ones already reach "
        + "\(random.formatted(digits: 1)) %",
    ]
  }

  /// Trains the network on 0 to 4, and gives its features to one that will learn other digits.
  @Sendable private static func takeFeatures(
    _ trainer: Trainer, _ data: DataSplit
  ) throws(Diagnostics) {
    let source = try Recipe(
      data: .half(0...4, hasFew: false), model: TransferNetwork(), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.003), schedule: .oneCycle(), epochs: 6, batch: 64
    ).train(Recipe.Options(seed: trainer.seed, backend: trainer.backend)).trainer
    for name in source.parameterNames where name.hasPrefix("features.") {
      guard let value = source.value(of: name) else { continue }
      try trainer.setValue(of: name, to: value, for: data.train.signature)
    }
  }
}
