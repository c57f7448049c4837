import Martlet

/// LeNet-5: a network that looks at small windows, and uses the same few weights at every place of the picture.
///
/// A stroke is a stroke wherever it stands, so six filters of 5x5 slide over the image instead of a weight per pixel.
/// Pooling then forgets the exact place, sixteen filters combine strokes into parts, and three dense layers
/// decide. All in all 61,706 weights, a tenth of the multilayer perceptron's, and fewer errors. After LeCun, Bottou,
/// Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE 86, 1998;
/// with a softmax at the end, where the original had radial basis functions.
struct LeNet: Layer {
  let conv1 = Conv2D(filters: 6, size: 5, padding: .same, activation: .sigmoid)
  let conv2 = Conv2D(filters: 16, size: 5, activation: .sigmoid)
  let pool = AvgPool2D(size: 2)
  let head = Sequential(Dense(120, .sigmoid), Dense(84, .sigmoid), Dense(10))

  func callAsFunction(_ image: Tensor) -> Tensor {
    head(pool(conv2(pool(conv1(image)))).flattened())
  }
}

/// LeNet as one would build it today: the same plan, with what three decades have found.
///
/// ReLU does not flatten the gradient as the sigmoid does, the maximum keeps a stroke that the mean would fade, and batch
/// normalization lets it learn at ten times the rate. More filters see more, and dropout keeps the dense layer from
/// learning 4,000 pictures by heart (Nair and Hinton, 2010; Ioffe and Szegedy, 2015; Srivastava et al., 2014).
struct ModernLeNet: Layer {
  let features = Sequential {
    for filters in [32, 64] {
      normalizedConvolution(filters, size: 5, padding: .valid, activation: .relu)
      MaxPool2D(size: 2)
    }
  }
  let head = Sequential(Dense(128, .relu, weights: .he), Dropout(0.5), Dense(10))

  func callAsFunction(_ image: Tensor) -> Tensor { head(features(image).flattened()) }
}

extension Samples {
  static let leNet = Sample(
    "lenet", "LeNet-5, a small convolutional network on 28x28 digits (1998)",
    Recipe(
      data: .digits(), model: LeNet(), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.002), epochs: 60, batch: 64))

  static let modernLeNet = Sample(
    "lenet-modern", "LeNet with ReLU, max pooling, batch norm and dropout on 28x28 digits",
    Recipe(
      data: .variedDigits(), model: ModernLeNet(), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.003), schedule: .oneCycle(), epochs: 20, batch: 64))
}
