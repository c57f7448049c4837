import Martlet

/// A DenseNet: each layer sees the features of all layers before it, and adds a few of its own.
///
/// Where a residual network adds, this one joins: nothing is overwritten, so that a layer need not repeat what is known
/// already, and narrow layers suffice. A convolution of 1x1 first makes the many channels few; between blocks another one
/// halves them (Huang, Liu, van der Maaten and Weinberger, "Densely connected convolutional networks", CVPR 2017).
/// Normalization and ReLU stand before each convolution, since each reads the common features with a scale of its own.
struct DenseNet: Layer {
  let stem: Sequential
  let blocks: Sequential
  let norm = BatchNorm()
  let pool = GlobalAvgPool()
  let scores: Dense

  /// Makes a network with some layers in each block, each of which adds `growth` channels to those of the stem.
  init(stem: Sequential, channels: Int, growth: Int, layers: [Int], classes: Int) {
    self.stem = stem
    var channels = channels
    var parts: [any Layer] = []
    for count in layers {
      if !parts.isEmpty {
        channels /= 2
        parts.append(Sequential(DenseNet.convolution(channels, size: 1), AvgPool2D(size: 2)))
      }
      parts.append(
        DenselyConnected(
          (0..<count).map { _ in
            Sequential(
              DenseNet.convolution(4 * growth, size: 1), DenseNet.convolution(growth, size: 3))
          }))
      channels += count * growth
    }
    blocks = Sequential(parts)
    scores = Dense(classes)
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    scores(pool(norm(blocks(stem(image))).relu()))
  }

  private static func convolution(_ filters: Int, size: Extents) -> Sequential {
    Sequential(
      BatchNorm(), Activation.relu,
      Conv2D(filters: filters, size: size, padding: .half, bias: false, weights: .he))
  }
}

extension Samples {
  static let denseNet121 = Sample(
    "densenet121", "DenseNet-121 at full size: images of 224x224x3, 1,000 classes (2016)",
    Recipe(
      data: .enlargedDigits(side: 224),
      model: DenseNet(
        stem: Sequential(
          normalizedConvolution(64, size: 7, stride: 2, activation: .relu),
          MaxPool2D(size: 3, stride: 2, padding: .half)),
        channels: 64, growth: 32, layers: [6, 12, 24, 16], classes: 1000),
      loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.0001),
      epochs: 1, batch: 4))

  static let smallDenseNet = Sample(
    "densenet-small", "a small DenseNet on 28x28 digits",
    Recipe(
      data: .variedDigits(),
      model: DenseNet(
        stem: normalizedConvolution(16, stride: 2, activation: .relu), channels: 16, growth: 12,
        layers: [4, 4, 4], classes: 10),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.01), schedule: .oneCycle(),
      epochs: 12, batch: 64))
}
