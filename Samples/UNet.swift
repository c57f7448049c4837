import Martlet

/// A U-Net: down to coarse maps that know what is there, and up again past the fine maps that know where.
///
/// Each level finds features, hands a halved copy of them to the level below, enlarges what comes back by a transposed
/// convolution, and joins it to its own features along the channels, which two more convolutions then weigh against each
/// other (Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015).
/// Few pictures suffice, for every pixel is an example. The paper's levels have 64 to 1,024 filters and no
/// normalization; here windows are padded, so that the result is as large as the picture.
struct UNet: Layer {
  let top: Level
  let scores: Conv2D

  /// Makes a network with a level for each number of filters, from the finest to the coarsest.
  init(filters: [Int], classes: Int) {
    top = Level(filters[...])
    scores = Conv2D(filters: classes, size: 1)
  }

  func callAsFunction(_ image: Tensor) -> Tensor { scores(top(image)) }

  /// A level and all below it.
  struct Level: Layer {
    let features: Sequential
    let below: Sequential?
    let joined: Sequential?

    init(_ filters: ArraySlice<Int>) {
      let (own, rest) = (filters.first ?? 1, filters.dropFirst())
      features = Level.convolutions(own)
      below =
        rest.isEmpty
        ? nil
        : Sequential(
          MaxPool2D(size: 2), Level(rest),
          ConvTranspose2D(filters: own, size: 2, stride: 2, weights: .he))
      joined = rest.isEmpty ? nil : Level.convolutions(own)
    }

    func callAsFunction(_ input: Tensor) -> Tensor {
      let fine = features(input)
      guard let below, let joined else { return fine }
      return joined(Tensor.concatenated([fine, below(fine)], axis: -1))
    }

    private static func convolutions(_ filters: Int) -> Sequential {
      Sequential(
        normalizedConvolution(filters, activation: .relu),
        normalizedConvolution(filters, activation: .relu))
    }
  }
}

extension Samples {
  static let unet = Sample(
    "unet", "a U-Net that finds the nuclei of cells (2015)",
    .ofNuclei(UNet(filters: [16, 32, 64], classes: 2)))
}
