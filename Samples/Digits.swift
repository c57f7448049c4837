import Martlet

/// Handwritten digits, which most samples learn.
extension ExampleSource {
  /// Digits of 8x8 pixels: 1,438 to train on and 359 to judge with (UCI, as scikit-learn ships them).
  static func smallDigits(channels: Int = 1) -> ExampleSource {
    ExampleSource(example: digit(side: 8, channels: channels), classNames: Digits.classNames) {
      () throws(Diagnostic) in
      try Digits.csv(
        DataFolder.path(of: "digits8x8/digits.csv.gz"), height: 8, width: 8, maximum: 16,
        channels: channels
      ).split(test: 0.2)
    }
  }

  /// Digits of 28x28 pixels, with a border around them: 4,000 to train on and 1,000 to judge with (of MNIST).
  static func digits(padding: Int = 0, channels: Int = 1) -> ExampleSource {
    ExampleSource(
      example: digit(side: 28 + 2 * padding, channels: channels), classNames: Digits.classNames
    ) { () throws(Diagnostic) in
      func part(_ name: String) throws(Diagnostic) -> Dataset {
        try Digits.idx(
          images: DataFolder.path(of: "mnist5k/\(name)-images-idx3-ubyte.gz"),
          labels: DataFolder.path(of: "mnist5k/\(name)-labels-idx1-ubyte.gz"),
          padding: padding, channels: channels)
      }
      return DataSplit(train: try part("train"), test: try part("t10k"))
    }
  }

  /// The same digits as other hands might write them: in training, turned, enlarged and moved a little, each time anew.
  static func variedDigits(padding: Int = 0) -> ExampleSource {
    digits(padding: padding).augmented(
      by: .affine(degrees: -10...10, rows: -2...2, columns: -2...2, scale: 0.9...1.1))
  }

  /// What a digit of the given side looks like to a model.
  static func digit(side: Int, channels: Int) -> ExampleSignature {
    ExampleSignature(
      inputName: "image", input: TensorType(.f32, [side, side, channels]),
      label: TensorType(.i32, []))
  }
}
