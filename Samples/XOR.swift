import Martlet

/// Two layers learn XOR, which no single neuron can: the hidden neurons give the output neuron new inputs.
///
/// The points where exactly one bit is 1 cannot be parted from the others by a line, but each hidden neuron draws a line of
/// its own, and the output neuron takes what lies between two of them. Gradients of the error reach the hidden weights by
/// the chain rule: XOR is the first example of Rumelhart, Hinton and Williams ("Learning internal representations by
/// error propagation", 1986), who used two sigmoid neurons. Eight neurons seldom get stuck where two do.
struct XORNetwork: Layer {
  let hidden = Dense(8, .tanh)
  let output = Dense(1)

  func callAsFunction(_ bits: Tensor) -> Tensor {
    output(hidden(bits))
  }
}

extension Samples {
  static let xor = Sample(
    "xor", "a hidden layer of eight neurons learns XOR (1986)",
    Recipe(
      data: .truthTable([0, 1, 1, 0]), model: XORNetwork(), loss: .binaryCrossEntropy,
      optimizer: Adam(learningRate: 0.05), epochs: 200, batch: 4)
  ) { outcome throws(Diagnostics) in
    let rows = try outcome.truthTable().map { row in
      row.bits.map { $0.formatted(digits: 0) }
        + [row.right.formatted(digits: 0), row.output.formatted(digits: 3)]
    }
    return Sample.table(["a", "b", "a xor b", "probability of 1"], rows)
  }
}
