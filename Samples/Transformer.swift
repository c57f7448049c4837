import Martlet

/// A transformer: tokens become vectors, which look at one another and then each think for themselves, block by block.
///
/// Vaswani et al. ("Attention is all you need", NIPS 2017) replaced recurrence by attention, so that all positions of
/// a sequence are computed at once. Here the normalization stands before each part, which lets deep stacks learn
/// without a warm-up (Xiong et al., "On layer normalization in the transformer architecture", ICML 2020). At the end
/// each position has a score for each token of the vocabulary.
struct Transformer: Layer {
  /// How large a transformer is.
  struct Size {
    var vocabulary: Int
    var length: Int
    var features: Int
    var heads: Int
    var blocks: Int
  }

  let tokens: Embedding
  let positions = PositionEmbedding()
  let blocks: [TransformerBlock]
  let norm = LayerNorm()
  let scores: Dense

  /// Makes a transformer; in a causal one no position sees those after it.
  init(_ size: Size, causal: Bool) {
    tokens = Embedding(size.vocabulary, features: size.features)
    blocks = (0..<size.blocks).map { _ in
      TransformerBlock(features: size.features, heads: size.heads, causal: causal)
    }
    scores = Dense(size.vocabulary)
  }

  func callAsFunction(_ sequence: Tensor) -> Tensor {
    scores(norm(blocks.reduce(positions(tokens(sequence))) { $1($0) }))
  }
}

/// Attention among the positions, then two dense layers for each of them; both only add to what comes in.
struct TransformerBlock: Layer {
  let attention: Residual
  let feedForward: Residual

  init(features: Int, heads: Int, causal: Bool) {
    attention = Residual(
      LayerNorm(), MultiHeadAttention(features: features, heads: heads, causal: causal))
    feedForward = Residual(LayerNorm(), Dense(4 * features, .gelu), Dense(features))
  }

  func callAsFunction(_ sequence: Tensor) -> Tensor { feedForward(attention(sequence)) }
}

extension Transformer.Size {
  /// What one example looks like: tokens, and a label for each.
  var example: ExampleSignature {
    ExampleSignature(
      inputName: "tokens", input: TensorType(.i32, [length]), label: TensorType(.i32, [length]))
  }
}

extension Samples {
  /// Jane Austen's "Emma", of 1815, as the numbers of its characters.
  static func emma() throws(Diagnostic) -> [Int32] {
    try Text.read(DataFolder.path(of: "austen/emma.txt.gz"))
  }

  /// The last tenth of a text's pieces to judge with, the others to train on.
  static func splitAtEnd(_ pieces: Dataset) -> DataSplit {
    let count = pieces.count - pieces.count / 10
    return DataSplit(train: pieces[0..<count], test: pieces[count..<pieces.count])
  }
}
