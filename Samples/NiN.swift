import Martlet

/// Network in network: at every place of the image stands a small multilayer perceptron in place of a linear filter.
///
/// A perceptron that slides over the image is a convolution followed by convolutions of 1x1, which mix the channels of
/// one place. The last such block has a feature map for each class, whose mean over the image is the class's score: so
/// there is no dense layer, where AlexNet had nine tenths of its weights, to overfit. After Lin, Chen and Yan, "Network
/// in network", ICLR 2014, with the sizes that the authors published for ImageNet.
struct NiN: Layer {
  let features: Sequential
  let pool = GlobalAvgPool()

  /// Makes a network of the first convolution of each block; the image is halved between blocks.
  init(_ convolutions: [Conv2D], classes: Int) {
    features = Sequential {
      for (index, convolution) in convolutions.enumerated() {
        let isLast = index == convolutions.count - 1
        convolution
        Conv2D(filters: convolution.filters, size: 1, activation: .relu, weights: .he)
        Conv2D(
          filters: isLast ? classes : convolution.filters, size: 1,
          activation: isLast ? .identity : .relu, weights: .he)
        if !isLast { MaxPool2D(size: 3, stride: 2) }
        if index == convolutions.count - 2 { Dropout(0.5) }
      }
    }
  }

  func callAsFunction(_ image: Tensor) -> Tensor { pool(features(image)) }

  /// The first convolution of a block.
  static func convolution(
    _ filters: Int, size: Extents, stride: Extents = 1, padding: Padding = .half
  ) -> Conv2D {
    Conv2D(
      filters: filters, size: size, stride: stride, padding: padding, activation: .relu,
      weights: .he)
  }
}

extension Samples {
  static let nin = Sample(
    "nin", "network in network at full size: images of 224x224x3, 1,000 classes (2013)",
    Recipe(
      data: .enlargedDigits(side: 224),
      model: NiN(
        [
          NiN.convolution(96, size: 11, stride: 4, padding: .valid), NiN.convolution(256, size: 5),
          NiN.convolution(384, size: 3), NiN.convolution(1024, size: 3),
        ], classes: 1000),
      loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005), epochs: 1, batch: 4))

  static let smallNiN = Sample(
    "nin-small", "a small network in network on 28x28 digits",
    Recipe(
      data: .variedDigits(),
      model: NiN(
        [
          NiN.convolution(24, size: 5), NiN.convolution(48, size: 3), NiN.convolution(64, size: 3),
          NiN.convolution(64, size: 3),
        ], classes: 10),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.003), schedule: .oneCycle(),
      epochs: 40, batch: 64))
}
