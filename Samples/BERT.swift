import Martlet

/// A reader of language: some words of a text are hidden, and it tells them from the words on both sides.
///
/// Every position sees all others, so the model cannot be asked for the next word, which it sees; instead 15 % of the
/// tokens are hidden and only these are judged (Devlin, Chang, Lee and Toutanova, "BERT: pre-training of deep
/// bidirectional transformers for language understanding", NAACL 2019). The 1,000 tokens are the mask, characters and
/// frequent pieces of words, learned from the part of the novel that is trained on.
extension Samples {
  static let bert = Sample(
    "bert", "a transformer that tells the hidden words of a novel (2018)",
    recipe(
      Transformer.Size(vocabulary: 1000, length: 128, features: 384, heads: 12, blocks: 6),
      batch: 8))

  /// The same code, small enough for the interpreter.
  static let smallBERT = Sample(
    "bert-small", "a small transformer that sees both sides",
    recipe(
      Transformer.Size(vocabulary: 120, length: 12, features: 16, heads: 2, blocks: 2), batch: 4))

  private static func recipe(_ size: Transformer.Size, batch: Int) -> Recipe {
    let data = ExampleSource(example: size.example) { () throws(Diagnostic) in
      let text = try emma()
      // The last token is the mask.
      let pieces = try BytePairs(
        learning: Array(text.dropLast(text.count / 10)),
        isLetter: Text.characters.map { $0.first?.isLetter == true }, count: size.vocabulary - 1)
      return splitAtEnd(
        try Sequences.masked(
          try pieces.tokens(of: text), length: size.length, mask: Int32(size.vocabulary - 1),
          vocabulary: size.vocabulary))
    }
    return Recipe(
      data: data, model: Transformer(size, causal: false), loss: .maskedSoftmaxCrossEntropy,
      optimizer: Adam(learningRate: 0.0005), epochs: 4, batch: batch)
  }
}
