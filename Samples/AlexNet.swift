import Martlet

/// AlexNet: the network that won ImageNet by so much that others stopped computing features by hand.
///
/// Five convolutions and three dense layers are LeNet's plan, a thousand times larger. What made it trainable: ReLU in
/// place of the sigmoid, dropout between the dense layers, and two graphics cards. Each card held half of the filters,
/// and where the halves do not meet, the convolution has two groups. Neighbouring channels compete in the local response
/// normalization, and pooling windows overlap. After Krizhevsky, Sutskever and Hinton, "ImageNet classification with
/// deep convolutional neural networks", NIPS 2012; images are 227x227, as its 55x55 feature maps ask for.
struct AlexNet: Layer {
  let features: Sequential
  let classifier: Sequential

  /// Makes a network of a first layer, the filters of the other four, and the units of two dense layers.
  init(first: Conv2D, filters: [Int], units: Int, classes: Int) {
    func convolution(_ index: Int, size: Extents = 3, groups: Int = 1) -> Conv2D {
      Conv2D(
        filters: filters[index], size: size, padding: .half, groups: groups, activation: .relu,
        weights: .he)
    }
    let norm = LocalResponseNorm()
    let pool = MaxPool2D(size: 3, stride: 2)
    features = Sequential(
      first, norm, pool,
      convolution(0, size: 5, groups: 2), norm, pool,
      convolution(1),
      convolution(2, groups: 2),
      convolution(3, groups: 2), pool)
    classifier = Sequential(
      Dropout(0.5), Dense(units, .relu, weights: .he),
      Dropout(0.5), Dense(units, .relu, weights: .he),
      Dense(classes))
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    classifier(features(image).flattened())
  }
}

extension Samples {
  static let alexNet = Sample(
    "alexnet", "AlexNet at full size: 8 layers, images of 227x227x3, 1,000 classes (2012)",
    Recipe(
      data: .enlargedDigits(side: 227),
      model: AlexNet(
        first: Conv2D(filters: 96, size: 11, stride: 4, activation: .relu, weights: .he),
        filters: [256, 384, 384, 256], units: 4096, classes: 1000),
      loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005), epochs: 1, batch: 4))

  static let smallAlexNet = Sample(
    "alexnet-small", "a small AlexNet on 28x28 digits",
    Recipe(
      data: .variedDigits(),
      model: AlexNet(
        first: Conv2D(filters: 16, size: 5, padding: .half, activation: .relu, weights: .he),
        filters: [32, 48, 48, 32], units: 128, classes: 10),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.003), schedule: .oneCycle(),
      epochs: 40, batch: 64))
}
