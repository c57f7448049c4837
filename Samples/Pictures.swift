import Martlet

/// What a trained network looks for, and which pixels of a picture make it decide.
///
/// LeNet learns the digits; then four questions are asked of it, and pictures answer. *What do its filters look for?* Their
/// weights, and what each makes of a digit: its feature map. *What does it need to see?* A grey square is laid on one place
/// after the other; where the probability of the digit falls, the network looked (Zeiler and Fergus, "Visualizing and
/// understanding convolutional networks", ECCV 2014). *Which pixels push the score?* The gradient of the score with respect
/// to the picture, by the backward pass that trains (Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks",
/// 2013). *What does it take for the best 3?* A picture that follows this gradient uphill from nothing. It is a poor 3 for
/// us: the network has learned what tells a 3 from nine other digits, and nobody asked it what a 3 looks like.
struct PicturesOfDigits {
  /// A network that has learned the digits.
  let trainer: Trainer
  /// The first test image of each digit, `[28, 28, 1]`.
  let digits: [Literal]

  private static let side = 28

  init(_ outcome: Recipe.Outcome) throws(Diagnostics) {
    trainer = outcome.trainer
    let test = outcome.data.test
    var found: [Int: Literal] = [:]
    for index in 0..<test.count where found.count < 10 {
      do {
        let (image, label) = try test.example(index)
        let digit = Int(label.doubles().first ?? 0)
        if found[digit] == nil { found[digit] = image }
      } catch {
        throw Diagnostics([error])
      }
    }
    digits = found.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The images side by side as one batch.
  private func batch(_ images: [[Float]]) -> Literal {
    Literal([images.count, Self.side, Self.side, 1], images.flatMap { $0 })
  }

  private func pixels(_ image: Literal) -> [Float] { image.doubles().map { Float($0) } }

  /// The part of a batch `[n, height, width, channels]` that is one channel of one example.
  private func channel(_ channel: Int, of example: Int, in batch: Literal) -> Literal {
    let extents = batch.type.shape.extents
    let (size, channels) = (extents[1] * extents[2], extents[3])
    let values = batch.doubles()
    return Literal(
      [extents[1], extents[2]],
      (0..<size).map { Float(values[(example * size + $0) * channels + channel]) })
  }

  // MARK: What filters look for

  /// The filters of the first layer, and the feature maps of both for three digits.
  func features() throws(Diagnostics) -> [PictureSheet] {
    let shown = [2, 4, 8].filter { digits.indices.contains($0) }
    let outputs = try trainer.layerOutputs(for: batch(shown.map { pixels(digits[$0]) }))
    let filters = trainer.value(of: "conv1.filter").map { Picture.filters($0, of: []) } ?? []
    let sheets = [
      PictureSheet(
        "filters", title: "Filters",
        explanation:
          "The 5x5 weights of the first layer: red where a bright pixel counts for, blue against.",
        columns: 6, filters.enumerated().map { .init("filter \($0)", $1) })
    ]
    let maps = ["conv1", "conv2"].compactMap { name -> PictureSheet? in
      guard let output = outputs.first(where: { $0.path == name })?.output else { return nil }
      let channels = output.type.shape.extents[3]
      var figures: [PictureSheet.Figure] = []
      for (row, digit) in shown.enumerated() {
        if let picture = Picture(digits[digit]) { figures.append(.init("\(digit)", picture)) }
        for index in 0..<channels {
          let map = channel(index, of: row, in: output)
          // As large as the digit beside it.
          let scale = Self.side / map.type.shape[0]
          if let picture = Picture(stretching: map) {
            figures.append(.init("", picture.enlarged(scale)))
          }
        }
      }
      return PictureSheet(
        "maps-\(name)", title: "Feature maps of \(name)",
        explanation: "A digit, and what each filter makes of it; white is the most.",
        columns: channels + 1, figures)
    }
    return sheets + maps
  }

  // MARK: What it needs to see

  /// For each digit, how much of its probability goes when a square of 7x7 is covered.
  func occlusion() throws(Diagnostics) -> PictureSheet {
    var maps: [PictureSheet.Figure] = []
    for (digit, image) in digits.enumerated() {
      let image = pixels(image)
      let centres = stride(from: 0, to: Self.side, by: 2)
      let covered = centres.flatMap { row in centres.map { cover(image, row, $0) } }
      let probabilities = try trainer.predict(batch([image] + covered)).doubles()
      let own = (0...covered.count).map { probabilities[$0 * 10 + digit] }
      let falls = own.dropFirst().map { Float(own[0] - $0) }
      let map = Literal([Self.side / 2, Self.side / 2], falls)
      if let picture = Picture(signed: map, limit: 1) {
        maps.append(.init("\(Int((100 * own[0]).rounded())) %", picture.enlarged(2)))
      }
    }
    return besides(
      "occlusion", "Occlusion",
      "Red where covering the place makes the digit less probable than it is, blue where more.",
      maps)
  }

  /// An image with a grey square of 7x7 around a place.
  private func cover(_ image: [Float], _ row: Int, _ column: Int) -> [Float] {
    image.indices.map { place in
      let isNear = abs(place / Self.side - row) <= 3 && abs(place % Self.side - column) <= 3
      return isNear ? 0.5 : image[place]
    }
  }

  // MARK: Which pixels push the score

  /// The gradient of each digit's score with respect to its pixels.
  func saliency() throws(Diagnostics) -> PictureSheet {
    let images = batch(digits.map(pixels))
    let gradient = try ownScore(for: images)(images).gradient
    let maps = digits.indices.compactMap { index in
      Picture(signed: channel(0, of: index, in: gradient)).map { PictureSheet.Figure("", $0) }
    }
    return besides(
      "saliency", "Saliency",
      "Red where a brighter pixel raises the score of the digit, blue where it lowers it.", maps)
  }

  /// The sum of the scores of example 0 for digit 0, example 1 for digit 1 and so on, with its gradient.
  private func ownScore(for images: Literal) throws(Diagnostics) -> InputGradient {
    let count = images.type.shape[0]
    let isOwn = (0..<count * 10).map { Float($0 / 10 == $0 % 10 ? 1 : 0) }
    return try trainer.inputGradient(for: images.type) {
      ($0 * Tensor(Literal([count, 10], isOwn))).sum()
    }
  }

  /// The digits in a row, and a picture below each.
  private func besides(
    _ name: String, _ title: String, _ explanation: String, _ below: [PictureSheet.Figure]
  ) -> PictureSheet {
    let above = digits.enumerated().compactMap { digit, image in
      Picture(image).map { PictureSheet.Figure("\(digit)", $0) }
    }
    return PictureSheet(
      name, title: title, explanation: explanation, columns: digits.count, above + below)
  }

  // MARK: What it takes for the best

  /// Images that begin dark and follow the gradient of a digit's score for a hundred steps.
  ///
  /// Each step moves as far as the last, however flat the score is there. Large numbers decay and neighbours are mixed,
  /// so that single pixels do not win (Yosinski et al., "Understanding neural networks through deep visualization", 2015).
  func best() throws(Diagnostics) -> PictureSheet {
    var images = [[Float]](
      repeating: [Float](repeating: 0.1, count: Self.side * Self.side), count: 10)
    let begin = images[0]
    let score = try ownScore(for: batch(images))
    for _ in 0..<100 {
      let gradient = try score(batch(images)).gradient
      for digit in images.indices {
        let push = pixels(channel(0, of: digit, in: gradient))
        let length = push.map { $0 * $0 }.reduce(0, +).squareRoot()
        guard length > 0 else { continue }
        let moved = zip(images[digit], push).map { 0.98 * ($0 + 1.5 * $1 / length) }
        images[digit] = mixed(moved).map { min(max($0, 0), 1) }
      }
    }
    let probabilities = try trainer.predict(batch(images)).doubles()
    var figures = (0..<10).compactMap { digit in
      Picture(Literal([Self.side, Self.side, 1], begin)).map { PictureSheet.Figure("", $0) }
    }
    figures += images.enumerated().compactMap { digit, image in
      let sure = Int((100 * probabilities[digit * 11]).rounded())
      return Picture(Literal([Self.side, Self.side, 1], image)).map {
        PictureSheet.Figure("\(digit): \(sure) %", $0)
      }
    }
    return PictureSheet(
      "best", title: "What the network likes best",
      explanation:
        "From a dark picture uphill along the gradient of a digit's score, and how sure it then is.",
      columns: 10, figures)
  }

  /// An image with a tenth of each pixel's four neighbours mixed in.
  private func mixed(_ image: [Float]) -> [Float] {
    image.indices.map { place in
      let (row, column) = (place / Self.side, place % Self.side)
      let neighbours = [(-1, 0), (1, 0), (0, -1), (0, 1)].map { (row + $0.0, column + $0.1) }
      let inside = neighbours.filter {
        (0..<Self.side).contains($0.0) && (0..<Self.side).contains($0.1)
      }
      let sum = inside.map { image[$0.0 * Self.side + $0.1] }.reduce(0, +)
      return 0.9 * image[place] + 0.1 * sum / Float(inside.count)
    }
  }
}

extension Samples {
  static let pictures = Sample(
    "pictures", "LeNet's filters, feature maps, occlusion, saliency and favourite digits, drawn",
    Recipe(
      data: .digits(), model: LeNet(), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.002), epochs: 15, batch: 64),
    pictures: { outcome throws(Diagnostics) in
      let look = try PicturesOfDigits(outcome)
      return try look.features() + [look.occlusion(), look.saliency(), look.best()]
    })
}
