import Martlet

/// MobileNet's second version: residual blocks turned inside out.
///
/// A block of ResNet is wide at its ends and narrow in between. Here the ends are narrow: a convolution of 1x1 expands the
/// channels, a depthwise one, cheap however many there are, looks at the neighbours, and a last one of 1x1 makes them
/// few again. That last one has no activation, which would throw away half of what the few channels can say. The sum
/// runs along the narrow ends. After Sandler, Howard, Zhu, Zhmoginov and Chen, "MobileNetV2: inverted residuals and
/// linear bottlenecks", CVPR 2018.
struct MobileNetV2: Layer {
  /// Blocks of equal size one after the other; the first has the stride.
  typealias Stage = (expansion: Int, filters: Int, blocks: Int, stride: Extents)

  let features: Sequential
  let pool = GlobalAvgPool()
  let scores: Sequential

  /// Makes a network of a first convolution, stages, and a last convolution of 1x1.
  init(
    first: Int, stride: Extents, stages: [Stage], last: Int, dropout: Double, classes: Int
  ) {
    features = Sequential {
      normalizedConvolution(first, stride: stride, activation: .relu6)
      for (index, stage) in stages.enumerated() {
        for block in 0..<stage.blocks {
          let before = index == 0 ? first : stages[index - 1].filters
          invertedResidual(
            from: block == 0 ? before : stage.filters, to: stage.filters,
            expansion: stage.expansion, stride: block == 0 ? stage.stride : 1)
        }
      }
      normalizedConvolution(last, size: 1, activation: .relu6)
    }
    scores = Sequential(Dropout(dropout), Dense(classes))
  }

  func callAsFunction(_ image: Tensor) -> Tensor { scores(pool(features(image))) }
}

/// Expands, looks at neighbours, and makes narrow again; the input is added where it fits the result.
private func invertedResidual(
  from channels: Int, to filters: Int, expansion: Int, stride: Extents
) -> any Layer {
  let body = Sequential {
    if expansion > 1 {
      normalizedConvolution(channels * expansion, size: 1, activation: .relu6)
    }
    normalizedDepthwise(stride: stride, activation: .relu6)
    normalizedConvolution(filters, size: 1)
  }
  return stride == 1 && channels == filters ? Residual(body) : body
}

extension Samples {
  static let mobileNetV2 = Sample(
    "mobilenet-v2", "MobileNet v2 at full size: images of 224x224x3, 1,000 classes (2018)",
    Recipe(
      data: .enlargedDigits(side: 224),
      model: MobileNetV2(
        first: 32, stride: 2,
        stages: [
          (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
          (6, 160, 3, 2), (6, 320, 1, 1),
        ], last: 1280, dropout: 0.2, classes: 1000),
      loss: .softmaxCrossEntropy,
      optimizer: SGD(learningRate: 0.045, momentum: 0.9, weightDecay: 0.00004),
      epochs: 1, batch: 4))

  static let smallMobileNetV2 = Sample(
    "mobilenet-v2-small", "a small MobileNet v2 on 28x28 digits",
    Recipe(
      data: .digits().augmented(
        by: .shift(rows: -2...2, columns: -2...2, isWhole: true)),
      model: MobileNetV2(
        first: 16, stride: 1,
        stages: [(1, 12, 1, 1), (4, 16, 2, 2), (4, 24, 2, 2)], last: 96, dropout: 0.1,
        classes: 10),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.006), schedule: .oneCycle(),
      epochs: 20, batch: 64))
}
