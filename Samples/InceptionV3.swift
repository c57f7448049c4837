import Martlet

/// Inception v3: GoogLeNet's modules, in which large windows are made of small ones.
///
/// Two convolutions of 3x3 see as far as one of 5x5 with fewer weights; one of 1x7 followed by one of 7x1 sees as far as
/// one of 7x7 for two sevenths of the work; and before an image is halved the number of its channels grows, so that no layer
/// is a bottleneck (Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the inception architecture for computer
/// vision", CVPR 2016). The layers are those of torchvision's definition, but for the auxiliary classifier, which is dropped
/// after training.
struct InceptionV3: Layer {
  let stem: Sequential
  let modules: Sequential
  let pool = GlobalAvgPool()
  let dropout: Dropout
  let scores: Dense

  /// Makes a network of modules after a stem.
  init(stem: Sequential, modules: [Branches], dropout: Double, classes: Int) {
    self.stem = stem
    self.modules = Sequential(modules)
    self.dropout = Dropout(dropout)
    scores = Dense(classes)
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    scores(dropout(pool(modules(stem(image)))))
  }
}

/// The modules of the three sizes of images, and what halves an image between them; a divisor makes them narrow.
enum Inception {
  /// A convolution with its normalization, whose epsilon is that of the definition.
  static func convolution(
    _ filters: Int, _ size: Extents, stride: Extents = 1, padding: Padding = .half
  ) -> Sequential {
    normalizedConvolution(
      filters, size: size, stride: stride, padding: padding, activation: .relu, epsilon: 1e-3)
  }

  /// Windows up to 5x5, for the largest images.
  static func square(pooled: Int, divisor: Int = 1) -> Branches {
    func filters(_ count: Int) -> Int { count / divisor }
    return Branches(
      convolution(filters(64), 1),
      Sequential(convolution(filters(48), 1), convolution(filters(64), 5)),
      Sequential(
        convolution(filters(64), 1), convolution(filters(96), 3), convolution(filters(96), 3)),
      pooling(filters(pooled)))
  }

  /// Windows up to 7x7, made of rows and columns.
  static func factorized(_ few: Int, divisor: Int = 1) -> Branches {
    let (few, filters) = (few / divisor, 192 / divisor)
    return Branches(
      convolution(filters, 1),
      Sequential(convolution(few, 1), convolution(few, [1, 7]), convolution(filters, [7, 1])),
      Sequential(
        convolution(few, 1), convolution(few, [7, 1]), convolution(few, [1, 7]),
        convolution(few, [7, 1]), convolution(filters, [1, 7])),
      pooling(filters))
  }

  /// Rows beside columns, for the smallest images.
  static func expanded(divisor: Int = 1) -> Branches {
    func filters(_ count: Int) -> Int { count / divisor }
    func cross() -> Branches {
      Branches(convolution(filters(384), [1, 3]), convolution(filters(384), [3, 1]))
    }
    return Branches(
      convolution(filters(320), 1),
      Sequential(convolution(filters(384), 1), cross()),
      Sequential(convolution(filters(448), 1), convolution(filters(384), 3), cross()),
      pooling(filters(192)))
  }

  /// Halves the largest images.
  static func firstReduction(divisor: Int = 1) -> Branches {
    func filters(_ count: Int) -> Int { count / divisor }
    return Branches(
      convolution(filters(384), 3, stride: 2, padding: .valid),
      Sequential(
        convolution(filters(64), 1), convolution(filters(96), 3),
        convolution(filters(96), 3, stride: 2, padding: .valid)),
      MaxPool2D(size: 3, stride: 2))
  }

  /// Halves the images of the second size.
  static func secondReduction(divisor: Int = 1) -> Branches {
    let filters = 192 / divisor
    return Branches(
      Sequential(
        convolution(filters, 1), convolution(320 / divisor, 3, stride: 2, padding: .valid)),
      Sequential(
        convolution(filters, 1), convolution(filters, [1, 7]), convolution(filters, [7, 1]),
        convolution(filters, 3, stride: 2, padding: .valid)),
      MaxPool2D(size: 3, stride: 2))
  }

  private static func pooling(_ filters: Int) -> Sequential {
    Sequential(AvgPool2D(size: 3, stride: 1, padding: .half), convolution(filters, 1))
  }
}

extension Samples {
  static let inceptionV3 = Sample(
    "inception-v3", "Inception v3 at full size: images of 299x299x3, 1,000 classes (2015)",
    Recipe(
      data: .enlargedDigits(side: 299),
      model: InceptionV3(
        stem: Sequential(
          Inception.convolution(32, 3, stride: 2, padding: .valid),
          Inception.convolution(32, 3, padding: .valid), Inception.convolution(64, 3),
          MaxPool2D(size: 3, stride: 2), Inception.convolution(80, 1),
          Inception.convolution(192, 3, padding: .valid), MaxPool2D(size: 3, stride: 2)),
        modules: [
          Inception.square(pooled: 32), Inception.square(pooled: 64), Inception.square(pooled: 64),
          Inception.firstReduction(), Inception.factorized(128), Inception.factorized(160),
          Inception.factorized(160), Inception.factorized(192), Inception.secondReduction(),
          Inception.expanded(), Inception.expanded(),
        ], dropout: 0.5, classes: 1000),
      loss: .crossEntropy(smoothing: 0.1), optimizer: RMSProp(learningRate: 0.045, decay: 0.9),
      schedule: .exponential(0.94), epochs: 1, batch: 4))

  /// A module of each size; the image is first halved.
  static let smallInception = Sample(
    "inception-small", "a small Inception v3 on 28x28 digits",
    Recipe(
      data: .digits(),
      model: InceptionV3(
        stem: Sequential(Inception.convolution(16, 3), MaxPool2D(size: 2)),
        modules: [
          Inception.square(pooled: 32, divisor: 4), Inception.firstReduction(divisor: 8),
          Inception.factorized(128, divisor: 8), Inception.secondReduction(divisor: 8),
          Inception.expanded(divisor: 8),
        ], dropout: 0.2, classes: 10),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.01), schedule: .oneCycle(),
      epochs: 8, batch: 64))
}
