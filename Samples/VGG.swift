import Martlet

/// VGG: nothing but convolutions of 3x3, and many of them.
///
/// Two convolutions of 3x3 see as much as one of 5x5, with fewer weights and a nonlinearity between them; so depth takes
/// the place of large filters. After each block the image is halved and, up to 512, the number of filters doubled.
/// Most of the weights lie in the first dense layer, 103 of VGG-16's 138 million. After Simonyan and Zisserman, "Very
/// deep convolutional networks for large-scale image recognition", ICLR 2015 (configurations A, D and E).
struct VGG: Layer {
  let features: Sequential
  let classifier: Sequential

  /// Makes a network with a number of convolutions in each of five blocks.
  init(convolutions: [Int], filters: [Int], units: Int, classes: Int) {
    features = Sequential {
      for (count, filters) in zip(convolutions, filters) {
        for _ in 0..<count {
          Conv2D(filters: filters, size: 3, padding: .half, activation: .relu, weights: .he)
        }
        MaxPool2D(size: 2)
      }
    }
    classifier = Sequential(
      Dense(units, .relu, weights: .he), Dropout(0.5),
      Dense(units, .relu, weights: .he), Dropout(0.5),
      Dense(classes))
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    classifier(features(image).flattened())
  }
}

extension Samples {
  static let vgg11 = vgg(11, [1, 1, 2, 2, 2])
  static let vgg16 = vgg(16, [2, 2, 3, 3, 3])
  static let vgg19 = vgg(19, [2, 2, 4, 4, 4])

  private static func vgg(_ layers: Int, _ convolutions: [Int]) -> Sample {
    Sample(
      "vgg\(layers)", "VGG-\(layers) at full size: images of 224x224x3, 1,000 classes (2014)",
      Recipe(
        data: .enlargedDigits(side: 224),
        model: VGG(
          convolutions: convolutions, filters: [64, 128, 256, 512, 512], units: 4096, classes: 1000),
        loss: .softmaxCrossEntropy,
        optimizer: SGD(learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005),
        epochs: 1, batch: 4))
  }

  static let smallVGG11 = smallVGG(11, [1, 1, 2, 2, 2])
  static let smallVGG16 = smallVGG(16, [2, 2, 3, 3, 3])
  static let smallVGG19 = smallVGG(19, [2, 2, 4, 4, 4])

  private static func smallVGG(_ layers: Int, _ convolutions: [Int]) -> Sample {
    Sample(
      "vgg\(layers)-small", "a narrow VGG-\(layers) on digits padded to 32x32",
      Recipe(
        data: .variedDigits(padding: 2),
        model: VGG(
          convolutions: convolutions, filters: [16, 32, 48, 64, 64], units: 128, classes: 10),
        loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.002), schedule: .oneCycle(),
        epochs: 30, batch: 64))
  }
}
