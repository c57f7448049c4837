import Martlet

/// A residual network: eighteen layers deep, because each pair of layers only has to learn what to add to its input.
///
/// Plain networks get worse, even in training, once they are deep enough. Here the input of each block runs around it
/// and is added to its result, so that a block that has nothing to say can stay near 0, and gradients reach the first
/// layer undiminished (He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016). Batch
/// normalization keeps every layer's signal at one size. This is the paper's 18-layer network in the variant for
/// images of 32x32: a first convolution of 3x3 and no first pooling.
struct ResNet: Layer {
  let stem: Sequential
  let blocks: [ResidualBlock]
  let pool = GlobalAvgPool()
  let scores: Dense

  /// Makes a network with two blocks for each number of filters; from the second on, the first block halves the image.
  init(filters: [Int], classes: Int) {
    stem = normalizedConvolution(filters.first ?? 1, activation: .relu)
    blocks = filters.indices.flatMap { stage in
      let isFirst = stage == 0
      return [
        ResidualBlock(filters[stage], stride: isFirst ? 1 : 2, changesShape: !isFirst),
        ResidualBlock(filters[stage]),
      ]
    }
    scores = Dense(classes)
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    scores(pool(blocks.reduce(stem(image)) { $1($0) }))
  }
}

/// Two convolutions and the way around them, which is a convolution of 1x1 where the shape changes.
struct ResidualBlock: Layer {
  let sum: Residual

  init(_ filters: Int, stride: Extents = 1, changesShape: Bool = false) {
    sum = Residual(
      normalizedConvolution(filters, stride: stride, activation: .relu),
      normalizedConvolution(filters),
      shortcut: changesShape ? normalizedConvolution(filters, size: 1, stride: stride) : nil)
  }

  func callAsFunction(_ input: Tensor) -> Tensor { sum(input).relu() }
}

extension Samples {
  static let resNet18 = Sample(
    "resnet18", "18 layers with residual connections on digits padded to 32x32x3 (2015)",
    recipe([64, 128, 256, 512], .digits(padding: 2, channels: 3), batch: 32))

  /// The same code, small enough for the interpreter.
  static let tinyResNet = Sample(
    "resnet-tiny", "a residual network on 8x8 digits",
    recipe([4, 6], .smallDigits(channels: 3), batch: 16))

  private static func recipe(_ filters: [Int], _ data: ExampleSource, batch: Int) -> Recipe {
    Recipe(
      data: data, model: ResNet(filters: filters, classes: 10), loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.01, momentum: 0.9), epochs: 3, batch: batch)
  }
}
