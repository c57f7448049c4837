import Martlet

/// A fully convolutional network: it gives each pixel a class, by scores at three scales that are enlarged and added up.
///
/// A classifier's pooling finds what is in a picture and forgets where. Without dense layers at the end it gives a map of
/// scores, coarse but of a picture of any size. Transposed convolutions learn to enlarge that map, and the scores of
/// earlier, finer stages are added on the way, so that borders come back (Long, Shelhamer and Darrell, "Fully
/// convolutional networks for semantic segmentation", CVPR 2015). As in the paper's FCN-8s scores of three stages are
/// added; the stages are small ones, for nuclei of some 15 pixels.
struct FCN: Layer {
  let stages: [Sequential]
  let scores: [Conv2D]
  let enlargements: [ConvTranspose2D]

  /// Makes a network with a stage for each number of filters, each of which halves the picture.
  init(filters: [Int], classes: Int) {
    stages = filters.map { filters in
      Sequential(
        normalizedConvolution(filters, activation: .relu),
        normalizedConvolution(filters, activation: .relu), MaxPool2D(size: 2))
    }
    scores = filters.map { _ in Conv2D(filters: classes, size: 1) }
    enlargements = filters.map { _ in
      ConvTranspose2D(filters: classes, size: 4, stride: 2, padding: 1)
    }
  }

  func callAsFunction(_ image: Tensor) -> Tensor {
    var maps = image
    var sum: [Tensor] = []
    for (stage, score) in zip(stages, scores) {
      maps = stage(maps)
      sum.append(score(maps))
    }
    while let coarse = sum.popLast() {
      let enlarged = enlargements[sum.count](coarse)
      guard let fine = sum.popLast() else { return enlarged }
      sum.append(fine + enlarged)
    }
    return maps
  }
}

extension Samples {
  static let fcn = Sample(
    "fcn", "a fully convolutional network that finds the nuclei of cells (2015)",
    .ofNuclei(FCN(filters: [16, 32, 64], classes: 2)))
}
