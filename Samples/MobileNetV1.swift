import Martlet

/// MobileNet: convolutions taken apart, for pocket-sized machines.
///
/// A convolution of 3x3 looks at neighbours and mixes channels in one step, which takes 9 * inputs * outputs weights. Here
/// a depthwise convolution looks at the neighbours within each channel, and one of 1x1 mixes the channels: 9 * inputs +
/// inputs * outputs, about an eighth of it for slightly more errors. After Howard et al., "MobileNets: efficient
/// convolutional neural networks for mobile vision applications", 2017.
struct MobileNetV1: Layer {
  let features: Sequential
  let pool = GlobalAvgPool()
  let scores: Dense

  /// Makes a network of a first convolution and pairs of a depthwise and a pointwise one.
  init(
    filters: Int, stride: Extents, pairs: [(filters: Int, stride: Extents)], classes: Int
  ) {
    features = Sequential {
      normalizedConvolution(filters, stride: stride, activation: .relu)
      for pair in pairs {
        normalizedDepthwise(stride: pair.stride, activation: .relu)
        normalizedConvolution(pair.filters, size: 1, activation: .relu)
      }
    }
    scores = Dense(classes)
  }

  func callAsFunction(_ image: Tensor) -> Tensor { scores(pool(features(image))) }
}

extension Samples {
  static let mobileNetV1 = Sample(
    "mobilenet-v1", "MobileNet at full size: images of 224x224x3, 1,000 classes (2017)",
    Recipe(
      data: .enlargedDigits(side: 224),
      model: MobileNetV1(
        filters: 32, stride: 2,
        pairs: [
          (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
          (512, 1), (512, 1), (1024, 2), (1024, 1),
        ], classes: 1000),
      loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.045, momentum: 0.9, weightDecay: 0.00004),
      epochs: 1, batch: 4))

  static let smallMobileNetV1 = Sample(
    "mobilenet-v1-small", "a small MobileNet on 28x28 digits",
    Recipe(
      data: .variedDigits(),
      model: MobileNetV1(
        filters: 16, stride: 1,
        pairs: [(32, 2), (32, 1), (64, 2), (64, 1), (64, 1)], classes: 10),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.01), schedule: .oneCycle(),
      epochs: 30, batch: 64))
}
