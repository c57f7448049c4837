import Martlet

/// A model of language: from the characters so far it tells the next, and by that alone it learns spelling and grammar.
///
/// A causal transformer reads 128 characters of a novel and at each position gives the probabilities of the character
/// that follows; no position sees the ones after it, so that all 128 are exercises at once (Radford et al., "Improving
/// language understanding by generative pre-training", 2018). The vocabulary is the newline and the 95 printable
/// characters of ASCII.
extension Samples {
  static let gpt = gptSample(
    "gpt", "a causal transformer that tells the next character of a novel (2018)", batch: 16,
    Transformer.Size(
      vocabulary: Text.characters.count, length: 128, features: 256, heads: 8, blocks: 4))

  /// The same code, small enough for the interpreter.
  static let smallGPT = gptSample(
    "gpt-small", "a small causal transformer", batch: 4,
    Transformer.Size(
      vocabulary: Text.characters.count, length: 12, features: 16, heads: 2, blocks: 2))

  private static func gptSample(
    _ name: String, _ summary: String, batch: Int, _ size: Transformer.Size
  ) -> Sample {
    Sample(
      name: name, summary: summary, epochs: 1, batch: batch, learningRate: 0.001,
      example: size.example, classNames: Text.characters,
      data: { () throws(Diagnostic) in
        splitAtEnd(
          try Sequences.nextToken(
            of: try emma(), length: size.length, classNames: Text.characters))
      },
      trainer: { options throws(Diagnostics) in
        try Trainer(
          Transformer(size, causal: true), loss: .softmaxCrossEntropy,
          optimizer: Adam(learningRate: options.learningRate),
          seed: options.seed, backend: options.backend)
      })
  }
}
