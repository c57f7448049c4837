import Martlet

/// Pictures of the size for which the large networks were made: a few digits, enlarged.
///
/// They are too few to learn from. They show that a network compiles at its full size, what memory it takes and how
/// long a step is. Labels are 0 to 9, the first of the 1,000 classes of ImageNet (Russakovsky et al., "ImageNet large
/// scale visual recognition challenge", IJCV 115, 2015).
extension ExampleSource {
  /// Digits of `side` times `side` pixels and three equal channels: 8 to train on and 4 to judge with.
  static func enlargedDigits(side: Int) -> ExampleSource {
    ExampleSource(example: digit(side: side, channels: 3)) { () throws(Diagnostic) in
      let digits = try ExampleSource.digits(channels: 3).load()
      return DataSplit(
        train: try digits.train.enlarged(count: 8, side: side),
        test: try digits.test.enlarged(count: 4, side: side))
    }
  }
}

extension Dataset {
  /// The first `count` images `[height, width, channels]`, each pixel as a square of several.
  fileprivate func enlarged(count: Int, side: Int) throws(Diagnostic) -> Dataset {
    let extents = signature.input.shape.extents
    let (height, width, channels) = (extents[0], extents[1], extents[2])
    var pixels: [Double] = []
    var labels: [Double] = []
    for index in 0..<count {
      let (input, label) = try example(index)
      let image = input.doubles()
      for row in 0..<side {
        for column in 0..<side {
          let start = (row * height / side * width + column * width / side) * channels
          pixels += image[start..<start + channels]
        }
      }
      labels += label.doubles()
    }
    return try Dataset(
      inputs: Literal(TensorType(.f32, [count, side, side, channels]), doubles: pixels),
      labels: Literal(TensorType(.i32, [count]), doubles: labels),
      inputName: signature.inputName, labelName: signature.labelName)
  }
}
