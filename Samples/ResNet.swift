import Martlet

/// A residual network: eighteen layers deep, because each pair of layers only has to learn what to add to its input.
///
/// Plain networks get worse, even in training, once they are deep enough. Here the input of each block runs around it
/// and is added to its result, so that a block that has nothing to say can stay near 0, and gradients reach the first
/// layer undiminished (He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016). Batch
/// normalization keeps every layer's signal at one size. Pictures of ImageNet, of 224x224, are first brought to a quarter
/// of their height and width.
struct ResNet: Layer {
  let stem: Sequential
  let blocks: [any Layer]
  let pool = GlobalAvgPool()
  let scores: Dense

  /// Makes a network with some blocks for each number of filters; from the second number on, the first block halves the
  /// image.
  init(
    stem: Sequential? = nil, filters: [Int], counts: [Int], areBottlenecks: Bool = false,
    classes: Int
  ) {
    self.stem = stem ?? normalizedConvolution(filters.first ?? 1, activation: .relu)
    blocks = filters.indices.flatMap { stage in
      (0..<counts[stage]).map { block -> any Layer in
        let (isFirst, stride) = (block == 0, Extents(block == 0 && stage > 0 ? 2 : 1))
        return areBottlenecks
          ? BottleneckBlock(filters[stage], stride: stride, changesShape: isFirst)
          : ResidualBlock(filters[stage], stride: stride, changesShape: isFirst && stage > 0)
      }
    }
    scores = Dense(classes)
  }

  /// The network for pictures of 224x224, with the paper's first convolution of 7x7 and first pooling.
  static func imageNet(_ counts: [Int], areBottlenecks: Bool) -> ResNet {
    ResNet(
      stem: Sequential(
        normalizedConvolution(64, size: 7, stride: 2, activation: .relu),
        MaxPool2D(size: 3, stride: 2, padding: .half)),
      filters: [64, 128, 256, 512], counts: counts, areBottlenecks: areBottlenecks, classes: 1000)
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    scores(pool(blocks.reduce(stem(image)) { $1($0) }))
  }
}

/// Two convolutions and the way around them, which is a convolution of 1x1 where the shape changes.
struct ResidualBlock: Layer {
  let sum: Residual

  init(_ filters: Int, stride: Extents, changesShape: Bool) {
    sum = Residual(
      normalizedConvolution(filters, stride: stride, activation: .relu),
      normalizedConvolution(filters),
      shortcut: changesShape ? normalizedConvolution(filters, size: 1, stride: stride) : nil)
  }

  func callAsFunction(_ input: Tensor) -> Tensor { sum(input).relu() }
}

/// A convolution between two of 1x1, which make channels few for it and many again: deeper for the same work.
///
/// The convolution of 3x3 has the stride, as in the implementations that followed the paper.
struct BottleneckBlock: Layer {
  let sum: Residual

  init(_ filters: Int, stride: Extents, changesShape: Bool) {
    sum = Residual(
      normalizedConvolution(filters, size: 1, activation: .relu),
      normalizedConvolution(filters, stride: stride, activation: .relu),
      normalizedConvolution(4 * filters, size: 1),
      shortcut: changesShape ? normalizedConvolution(4 * filters, size: 1, stride: stride) : nil)
  }

  func callAsFunction(_ input: Tensor) -> Tensor { sum(input).relu() }
}

extension Samples {
  /// The paper's 18 layers in the variant for images of 32x32: a first convolution of 3x3 and no first pooling.
  static let resNet18 = Sample(
    "resnet18", "18 layers with residual connections on digits padded to 32x32x3 (2015)",
    recipe([64, 128, 256, 512], .digits(padding: 2, channels: 3), batch: 32))

  static let resNet18ImageNet = imageNet(18, ResNet.imageNet([2, 2, 2, 2], areBottlenecks: false))
  static let resNet50 = imageNet(50, ResNet.imageNet([3, 4, 6, 3], areBottlenecks: true))

  private static func imageNet(
    _ layers: Int, _ model: @autoclosure @escaping @Sendable () -> ResNet
  ) -> Sample {
    Sample(
      layers == 18 ? "resnet18-imagenet" : "resnet\(layers)",
      "ResNet-\(layers) at full size: images of 224x224x3, 1,000 classes (2015)",
      Recipe(
        data: .enlargedDigits(side: 224), model: model(), loss: .softmaxCrossEntropy,
        optimizer: SGD(learningRate: 0.1, momentum: 0.9, weightDecay: 0.0001),
        epochs: 1, batch: 4))
  }

  static let smallResNet = forDigits(
    "resnet-small", "a small residual network of 14 layers on 28x28 digits",
    ResNet(filters: [16, 32, 64], counts: [2, 2, 2], classes: 10))
  static let smallBottlenecks = forDigits(
    "resnet50-small", "a small network of the blocks of ResNet-50, 20 layers, on 28x28 digits",
    ResNet(filters: [12, 24, 48], counts: [2, 2, 2], areBottlenecks: true, classes: 10))

  private static func forDigits(
    _ name: String, _ idea: String, _ model: @autoclosure @escaping @Sendable () -> ResNet
  ) -> Sample {
    Sample(
      name, idea,
      Recipe(
        data: .digits(), model: model(), loss: .softmaxCrossEntropy,
        optimizer: Adam(learningRate: 0.01), schedule: .oneCycle(), epochs: 8, batch: 64))
  }

  /// The same code, small enough for the interpreter.
  static let tinyResNet = Sample(
    "resnet-tiny", "a residual network on 8x8 digits",
    recipe([4, 6], .smallDigits(channels: 3), batch: 16))

  private static func recipe(_ filters: [Int], _ data: ExampleSource, batch: Int) -> Recipe {
    Recipe(
      data: data, model: ResNet(filters: filters, counts: filters.map { _ in 2 }, classes: 10),
      loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.01, momentum: 0.9), epochs: 3, batch: batch)
  }
}
