import Martlet

/// Cells under a microscope, in which segmentation finds the nuclei.
extension ExampleSource {
  /// Tiles of 64x64 pixels with a label for each: 52 to train on and 12 to judge with, always the same.
  static let nuclei = ExampleSource(
    example: ExampleSignature(
      inputName: "image", input: TensorType(.f32, [64, 64, 1]), labelName: "mask",
      label: TensorType(.i32, [64, 64])),
    classNames: ["background", "nucleus"]
  ) { () throws(Diagnostic) in
    func tiles(_ name: String) throws(Diagnostic) -> Literal {
      try IDX.read(DataFolder.path(of: "nuclei/\(name)-idx3-ubyte.gz"))
    }
    let (images, masks) = (try tiles("images"), try tiles("masks"))
    let pixels = TensorType(.f32, Shape(images.type.shape.extents + [1]))
    return try Dataset(
      inputs: Literal(pixels, doubles: images.doubles().map { $0 / 255 }),
      labels: Literal(TensorType(.i32, masks.type.shape), doubles: masks.doubles()),
      inputName: "image", labelName: "mask", classNames: ["background", "nucleus"]
    ).split(test: 12.0 / 64)
  }
}

extension Recipe {
  /// What networks share that give each pixel of a tile a class.
  static func ofNuclei(
    _ model: @autoclosure @escaping @Sendable () -> any Layer, file: String = #fileID,
    line: Int = #line
  ) -> Recipe {
    Recipe(
      data: .nuclei, model: model(), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.005), schedule: .oneCycle(),
      metrics: [.accuracy, .dice, .meanIoU], epochs: 40, batch: 4, file: file, line: line)
  }
}
