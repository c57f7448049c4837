import Compiler
import Differentiation
import GraphIR
import Martlet
import Runtime
import Testing

/// Losses against PyTorch: the loss of each example, and gradients.
@Suite struct LossReferenceTests {
  @Test(arguments: ReferenceCase.all("losses") as [ReferenceCase])
  func losses(_ reference: ReferenceCase) throws {
    let weights = [0.5, 2.0, 1.25]
    // The loss, and the label where it is not an input.
    let losses: [String: (loss: Loss, label: String?)] = [
      "meanSquaredError": (.meanSquaredError, nil), "halfSquaredError": (.halfSquaredError, nil),
      "l2": (.l2, nil), "meanAbsoluteError": (.meanAbsoluteError, nil), "l1": (.l1, nil),
      "huber": (.huber(delta: 0.7), nil), "logCosh": (.logCosh, nil),
      "binaryCrossEntropy": (.binaryCrossEntropy, "bits"),
      "binaryCrossEntropyOfProbabilities": (.binaryCrossEntropy(.probabilities), "bits"),
      "binaryCrossEntropy at extremes": (.binaryCrossEntropy, "bits"),
      "binaryCrossEntropy smoothing weights": (
        .binaryCrossEntropy(.logits, smoothing: 0.2, weights: [0.5, 2]), "bits"
      ),
      "binaryCrossEntropyOfProbabilities smoothing weights": (
        .binaryCrossEntropy(.probabilities, smoothing: 0.2, weights: [0.5, 2]), "bits"
      ),
      "binaryFocal": (.binaryFocal(), "bits"),
      "binaryFocal gamma 0.5": (.binaryFocal(gamma: 0.5, alpha: nil), "bits"),
      "hinge": (.hinge, "bits"),
      "softmaxCrossEntropy": (.softmaxCrossEntropy, "labels"),
      "softmaxCrossEntropy of places": (.softmaxCrossEntropy, "places"),
      "maskedSoftmaxCrossEntropy": (.maskedSoftmaxCrossEntropy, "masked"),
      "crossEntropy of places": (.crossEntropy(), "places"),
      "crossEntropy one-hot": (.crossEntropy(), "onehot"),
      "crossEntropy one-hot smoothing weights": (
        .crossEntropy(smoothing: 0.1, weights: weights), "onehot"
      ),
      "crossEntropy smoothing weights": (
        .crossEntropy(smoothing: 0.1, weights: weights), "labels"
      ),
      "crossEntropy probabilities": (.crossEntropy(.probabilities, weights: weights), "labels"),
      "focal": (.focal(weights: weights), "labels"),
      "focal gamma 0.5 one-hot": (.focal(gamma: 0.5, weights: weights), "onehot"),
      "focal probabilities": (.focal(.probabilities, weights: weights), "labels"),
      "kullbackLeibler": (.kullbackLeibler(), "soft"),
      "kullbackLeibler probabilities": (.kullbackLeibler(.probabilities), "soft"),
    ]
    let (loss, label) = try #require(losses[reference.name], "no loss for \(reference.name)")
    let constants = try #require(reference.constants)
    try reference.expect { inputs in
      guard let label else { return loss(inputs[0], inputs[1], reduction: .none) }
      let isFloat = label == "onehot" || label == "soft"
      let value = constants[label]?.literal(isFloat ? inputs[0].dtype : .i32)
      return loss(inputs[0], value.map { Tensor($0) } ?? inputs[0], reduction: .none)
    }
  }

  /// Where a sigmoid or a softmax has underflowed or is 1, losses and gradients are numbers.
  @Test(arguments: [DType.f32, .f64])
  func probabilitiesMayBe0And1(dtype: DType) throws {
    let binary: [Loss] = [
      .binaryCrossEntropy(.probabilities), .binaryFocal(gamma: 0.5), .binaryFocal(gamma: 0),
    ]
    let classes: [Loss] = [
      .crossEntropy(.probabilities), .focal(.probabilities, gamma: 0.5), .focal(gamma: 0.5),
      .focal(gamma: 0), .kullbackLeibler(.probabilities),
    ]
    let outputs = Literal(TensorType(dtype, [4, 2]), doubles: [0, 1, 1, 0, 0, 1, 1, 0])
    let labels = Literal(TensorType(dtype, [4, 2]), doubles: [0, 1, 0, 1, 1, 0, 1, 0])
    for (loss, factor) in binary.map({ ($0, 1.0) }) + classes.map({ ($0, 1.0) })
      + [(.binaryCrossEntropy, 400), (.binaryFocal(gamma: 0.5), 400), (.focal(gamma: 0.5), 400)]
    {
      let forward = try trace("g", ["x": outputs.type]) {
        ["loss": loss($0["x"] * factor, Tensor(labels))]
      }
      let graph = try gradient(of: forward, output: "loss", withRespectTo: ["x"])
      for backend in [InterpreterBackend() as any Backend, defaultBackend()] {
        var session = try Session(try backend.prepare(graph))
        session.inputs[0].write(outputs)
        try session.run()
        for output in session.outputs {
          let values = output.literal().doubles()
          #expect(values.allSatisfy { $0.isFinite }, "\(loss.name) on \(backend): \(values)")
        }
      }
    }
  }

  @Test func numbersThatMakeNoSenseAreRefused() {
    let losses: [Loss] = [
      .huber(delta: 0), .huber(delta: .nan), .binaryFocal(gamma: -1), .binaryFocal(alpha: 2),
      .binaryCrossEntropy(.logits, smoothing: 1.5), .binaryCrossEntropy(.logits, weights: [1]),
      .binaryCrossEntropy(.logits, weights: [1, .nan]), .crossEntropy(smoothing: -0.1),
      .crossEntropy(weights: [1, 1, -1]), .crossEntropy(weights: [1, 1]), .focal(gamma: .nan),
      .focal(weights: [1, .infinity, 1]),
    ]
    let type = TensorType(.f32, [2, 3])
    for loss in losses {
      #expect(problems([type, type]) { loss($0[0], $0[1]) }.count == 1, "\(loss.name)")
    }
  }

  @Test func reductions() throws {
    let y = f32([2, 2], [1, 2, 3, 4])
    let zeros = f32([2, 2], [0, 0, 0, 0])
    func value(_ reduction: Loss.Reduction) throws -> [Double] {
      try evaluate([y, zeros]) { Loss.l2($0[0], $0[1], reduction: reduction) }.doubles()
    }
    #expect(try value(.none) == [5, 25])
    #expect(try value(.sum) == [30])
    #expect(try value(.mean) == [15])
  }
}
