import Martlet

/// Rosenblatt's perceptron on functions of two bits: it learns AND and OR, and cannot learn XOR.
///
/// The neuron fires when the weighed sum of its inputs is above 0. After each example that it gets wrong, Rosenblatt's rule
/// adds the input to the weights, or subtracts it ("The perceptron", 1958); where some line parts the ones from the
/// zeros, this ends with such a line after finitely many errors (Novikoff, "On convergence proofs on perceptrons", 1962).
/// No line parts the ones of XOR from its zeros (Minsky and Papert, "Perceptrons", 1969): the weights go in circles.
/// The sample `xor` shows what a hidden layer changes.
struct PerceptronGate: Layer {
  let neuron = Dense(1, weights: .zeros)

  func callAsFunction(_ bits: Tensor) -> Tensor {
    neuron(bits)
  }
}

extension Loss {
  /// A loss whose gradient is Rosenblatt's error: 1 where the neuron fires and should not, -1 where it should and does
  /// not, else 0.
  ///
  /// That it fires is a step of the sum, through which no gradient flows.
  static let rosenblatt = Loss("Rosenblatt's error") { sum, target in
    let fires = sum.isGreater(than: 0).converted(to: .f32)
    return ((fires - target) * sum).sum(1)
  }
}

extension ExampleSource {
  /// The pairs of bits 00, 01, 10 and 11, with what a function makes of each.
  static func truthTable(_ values: [Float]) -> ExampleSource {
    ExampleSource(
      inputs: Literal([4, 2], [0, 0, 0, 1, 1, 0, 1, 1] as [Float]),
      labels: Literal([4, 1], values), inputName: "bits")
  }
}

extension Recipe.Outcome {
  /// A row for each pair of bits: the pair, what is right, and what the model gives.
  func truthTable() throws(Diagnostics) -> [(bits: [Double], right: Double, output: Double)] {
    let (bits, right) = try Diagnostics.collecting { () throws(Diagnostic) in
      try data.test.batch(data.test.count)
    }
    let pairs = bits.doubles()
    let outputs = zip(right.doubles(), try trainer.predict(bits).doubles())
    return outputs.enumerated().map { index, values in
      (Array(pairs[2 * index..<2 * index + 2]), values.0, values.1)
    }
  }
}

extension Samples {
  static let perceptronGates = Sample(
    "perceptron-gates", "Rosenblatt's perceptron learns AND and OR, and fails on XOR (1958)",
    comparing: [
      gate("and", [0, 0, 0, 1]), gate("or", [0, 1, 1, 1]), gate("xor", [0, 1, 1, 0]),
    ]
  ) { outcomes throws(Diagnostics) in
    var rows: [[String]] = []
    for outcome in outcomes {
      let table = try outcome.truthTable()
      let wrong = table.count { ($0.output > 0) != ($0.right > 0) }
      rows.append(
        [outcome.recipe.name] + table.map { $0.output > 0 ? "1" : "0" }
          + [wrong == 0 ? "learned" : "\(wrong) of 4 wrong"])
    }
    return Sample.table(["", "00", "01", "10", "11", ""], rows)
  }

  private static func gate(_ name: String, _ values: [Float]) -> Recipe {
    Recipe(
      name, data: .truthTable(values), model: PerceptronGate(), loss: .rosenblatt,
      optimizer: GradientDescent(learningRate: 1), metrics: [.accuracy], epochs: 20, batch: 1)
  }
}
