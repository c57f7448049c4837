import Martlet

/// GoogLeNet: windows of several sizes side by side, so that the network itself finds which size a feature has.
///
/// Each module looks through windows of 1x1, 3x3 and a larger one, and at the greatest of its neighbours; convolutions of
/// 1x1 first make channels few, or the larger windows would cost too much. With 22 layers it has a twelfth of AlexNet's
/// weights (Szegedy et al., "Going deeper with convolutions", CVPR 2015). As in torchvision's definition each convolution
/// is normalized (Ioffe and Szegedy, "Batch normalization", ICML 2015), and the larger window is of 3x3. The paper's two
/// auxiliary classifiers are left out: they are dropped after training, and normalization does what they were for.
struct GoogLeNet: Layer {
  /// The filters of a module's branches.
  struct Widths {
    /// Of the convolution of 1x1.
    var single: Int
    /// Of the convolution of 3x3, and of that of 1x1 before it.
    var middle: (few: Int, Int)
    /// Of the larger convolution, and of that of 1x1 before it.
    var large: (few: Int, Int)
    /// Of the convolution of 1x1 after pooling.
    var pooled: Int

    init(_ single: Int, _ middle: (Int, Int), _ large: (Int, Int), _ pooled: Int) {
      (self.single, self.middle, self.large, self.pooled) = (single, middle, large, pooled)
    }
  }

  let stem: Sequential
  let modules: Sequential
  let pool = GlobalAvgPool()
  let dropout = Dropout(0.2)
  let scores: Dense

  /// Makes a network with pooling between the groups of modules.
  init(stem: Sequential, modules: [[Widths]], classes: Int) {
    self.stem = stem
    self.modules = Sequential(
      modules.enumerated().flatMap { group, widths -> [any Layer] in
        let pool = MaxPool2D(size: 3, stride: 2, padding: .same)
        return (group == 0 ? [] : [pool]) + widths.map { GoogLeNet.module($0) }
      })
    scores = Dense(classes)
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    scores(dropout(pool(modules(stem(image)))))
  }

  private static func module(_ widths: Widths) -> Branches {
    func single(_ filters: Int) -> Sequential {
      normalizedConvolution(filters, size: 1, activation: .relu)
    }
    func wide(_ filters: Int) -> Sequential { normalizedConvolution(filters, activation: .relu) }
    return Branches(
      single(widths.single),
      Sequential(single(widths.middle.few), wide(widths.middle.1)),
      Sequential(single(widths.large.few), wide(widths.large.1)),
      Sequential(MaxPool2D(size: 3, stride: 1, padding: .half), single(widths.pooled)))
  }
}

extension Samples {
  static let googLeNet = Sample(
    "googlenet", "GoogLeNet at full size: images of 224x224x3, 1,000 classes (2014)",
    Recipe(
      data: .enlargedDigits(side: 224),
      model: GoogLeNet(
        stem: Sequential(
          normalizedConvolution(64, size: 7, stride: 2, activation: .relu),
          MaxPool2D(size: 3, stride: 2, padding: .same),
          normalizedConvolution(64, size: 1, activation: .relu),
          normalizedConvolution(192, activation: .relu),
          MaxPool2D(size: 3, stride: 2, padding: .same)),
        modules: [
          [.init(64, (96, 128), (16, 32), 32), .init(128, (128, 192), (32, 96), 64)],
          [
            .init(192, (96, 208), (16, 48), 64), .init(160, (112, 224), (24, 64), 64),
            .init(128, (128, 256), (24, 64), 64), .init(112, (144, 288), (32, 64), 64),
            .init(256, (160, 320), (32, 128), 128),
          ],
          [.init(256, (160, 320), (32, 128), 128), .init(384, (192, 384), (48, 128), 128)],
        ], classes: 1000),
      loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.01, momentum: 0.9, weightDecay: 0.0002), epochs: 1, batch: 4))

  static let smallGoogLeNet = Sample(
    "googlenet-small", "a small GoogLeNet on 28x28 digits",
    Recipe(
      data: .digits(),
      model: GoogLeNet(
        stem: Sequential(
          normalizedConvolution(16, activation: .relu),
          MaxPool2D(size: 3, stride: 2, padding: .same)),
        modules: [
          [.init(8, (12, 16), (4, 8), 8), .init(16, (16, 24), (6, 12), 12)],
          [.init(24, (24, 48), (8, 24), 16), .init(32, (32, 64), (12, 32), 16)],
        ], classes: 10),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.01), schedule: .oneCycle(),
      epochs: 8, batch: 64))
}
