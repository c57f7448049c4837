import GraphIR
import Martlet
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
      "binaryCrossEntropyOfProbabilities": (.binaryCrossEntropyOfProbabilities, "bits"),
      "binaryFocal": (.binaryFocal(), "bits"), "hinge": (.hinge, "bits"),
      "softmaxCrossEntropy": (.softmaxCrossEntropy, "labels"),
      "crossEntropy one-hot": (.crossEntropy(), "onehot"),
      "crossEntropy smoothing weights": (
        .crossEntropy(smoothing: 0.1, weights: weights), "labels"
      ),
      "crossEntropy probabilities": (.crossEntropy(.probabilities, weights: weights), "labels"),
      "focal": (.focal(weights: weights), "labels"),
      "focal probabilities": (.focal(.probabilities, weights: weights), "labels"),
      "kullbackLeibler": (.kullbackLeibler(), "soft"),
      "kullbackLeibler probabilities": (.kullbackLeibler(.probabilities), "soft"),
    ]
    let (loss, label) = try #require(losses[reference.name], "no loss for \(reference.name)")
    let constants = try #require(reference.constants)
    try reference.expect { inputs in
      guard let label else { return loss(inputs[0], inputs[1], reduction: .none) }
      let isInteger = label == "bits" || label == "labels"
      let value = constants[label]?.literal(isInteger ? .i32 : inputs[0].dtype)
      return loss(inputs[0], value.map { Tensor($0) } ?? inputs[0], reduction: .none)
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
