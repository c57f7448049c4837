import Martlet

/// A model of language: from the characters so far it tells the next, and by that alone it learns spelling and grammar.
///
/// A causal transformer reads 128 characters of a novel and at each position gives the probabilities of the character
/// that follows; no position sees the ones after it, so that all 128 are exercises at once (Radford et al., "Improving
/// language understanding by generative pre-training", 2018). The vocabulary is the newline and the 95 printable
/// characters of ASCII.
extension Samples {
  static let gpt = Sample(
    "gpt", "a causal transformer that tells the next character of a novel (2018)",
    recipe(
      Transformer.Size(
        vocabulary: Text.characters.count, length: 128, features: 256, heads: 8, blocks: 4),
      batch: 16))

  /// The same code, small enough for the interpreter.
  static let smallGPT = Sample(
    "gpt-small", "a small causal transformer",
    recipe(
      Transformer.Size(
        vocabulary: Text.characters.count, length: 12, features: 16, heads: 2, blocks: 2),
      batch: 4))

  private static func recipe(_ size: Transformer.Size, batch: Int) -> Recipe {
    let data = ExampleSource(example: size.example, classNames: Text.characters) {
      () throws(Diagnostic) in
      splitAtEnd(
        try Sequences.nextToken(of: try emma(), length: size.length, classNames: Text.characters))
    }
    return Recipe(
      data: data, model: Transformer(size, causal: true), loss: .softmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.001), epochs: 1, batch: batch)
  }
}
