import Martlet

/// The models that come with Martlet, from the simplest to the latest.
public enum Samples {
  /// All samples.
  public static let all: [Sample] = [
    perceptron, softmaxRegression, mlp, leNet, resNet18, gpt, bert,
  ]

  /// All of the samples' code in models that the interpreter can follow: the large ones stand here in a small size.
  package static let quick: [Sample] = [
    perceptron, softmaxRegression, mlp, leNet, smallResNet, smallGPT, smallBERT,
  ]

  /// The sample of a name; nil when there is none.
  public static func named(_ name: String) -> Sample? { all.first { $0.name == name } }

  /// Digits of 8x8 pixels: 1,438 to train on and 359 to judge with.
  static func smallDigits() throws(Diagnostic) -> DataSplit { try smallDigits(channels: 1) }

  static func smallDigits(channels: Int) throws(Diagnostic) -> DataSplit {
    try Digits.csv(
      DataFolder.path(of: "digits8x8/digits.csv.gz"), height: 8, width: 8, maximum: 16,
      channels: channels
    ).split(test: 0.2)
  }

  /// Digits of 28x28 pixels: 4,000 to train on and 1,000 to judge with.
  static func digits() throws(Diagnostic) -> DataSplit { try digits(padding: 0, channels: 1) }

  static func digits(padding: Int, channels: Int) throws(Diagnostic) -> DataSplit {
    func part(_ name: String) throws(Diagnostic) -> Dataset {
      try Digits.idx(
        images: DataFolder.path(of: "mnist5k/\(name)-images-idx3-ubyte.gz"),
        labels: DataFolder.path(of: "mnist5k/\(name)-labels-idx1-ubyte.gz"),
        padding: padding, channels: channels)
    }
    return DataSplit(train: try part("train"), test: try part("t10k"))
  }

  /// What a digit of the given side looks like to a model.
  static func digit(side: Int, channels: Int = 1) -> ExampleSignature {
    ExampleSignature(
      inputName: "image", input: TensorType(.f32, [side, side, channels]),
      label: TensorType(.i32, []))
  }
}
