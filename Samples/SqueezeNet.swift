import Martlet

/// SqueezeNet: as good as AlexNet with a fiftieth of its weights.
///
/// A fire module first squeezes its input into few channels by a convolution of 1x1, so that the convolution of 3x3 that
/// expands them again has few inputs; half of the expansion makes do with 1x1. Pooling comes late, so that most layers
/// see large feature maps, and the mean over the image takes the place of dense layers. After Iandola, Han, Moskewicz,
/// Ashraf, Dally and Keutzer, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016
/// (version 1.0); images are 227x227, as its 111x111 feature maps ask for.
struct SqueezeNet: Layer {
  let features: Sequential
  let pool = GlobalAvgPool()

  /// Makes a network of a first layer and groups of fire modules, each of which halves the image first.
  init(first: Conv2D, squeezed: [[Int]], classes: Int) {
    features = Sequential {
      first
      for group in squeezed {
        MaxPool2D(size: 3, stride: 2)
        for channels in group { fire(squeezed: channels) }
      }
      Dropout(0.5)
      Conv2D(filters: classes, size: 1, weights: .he)
    }
  }

  func callAsFunction(_ image: Tensor) -> Tensor { pool(features(image)) }
}

/// A fire module, which expands to eight times the channels to which it squeezed.
private func fire(squeezed channels: Int) -> Sequential {
  func convolution(_ filters: Int, size: Extents) -> Conv2D {
    Conv2D(filters: filters, size: size, padding: .half, activation: .relu, weights: .he)
  }
  return Sequential(
    convolution(channels, size: 1),
    Branches(convolution(4 * channels, size: 1), convolution(4 * channels, size: 3)))
}

extension Samples {
  static let squeezeNet = Sample(
    "squeezenet", "SqueezeNet at full size: images of 227x227x3, 1,000 classes (2016)",
    Recipe(
      data: .enlargedDigits(side: 227),
      model: SqueezeNet(
        first: Conv2D(filters: 96, size: 7, stride: 2, activation: .relu, weights: .he),
        squeezed: [[16, 16, 32], [32, 48, 48, 64], [64]], classes: 1000),
      loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005), epochs: 1, batch: 4))

  static let smallSqueezeNet = Sample(
    "squeezenet-small", "a small SqueezeNet on 28x28 digits",
    Recipe(
      data: .variedDigits(),
      model: SqueezeNet(
        first: Conv2D(filters: 16, size: 3, padding: .half, activation: .relu, weights: .he),
        squeezed: [[6, 6], [12, 12], [16]], classes: 10),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.004), schedule: .oneCycle(),
      epochs: 25, batch: 64))
}
