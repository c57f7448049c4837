import GraphIR

/// Lets each position of a sequence look at the others, in several ways at once (Vaswani et al., "Attention is all you
/// need", NIPS 2017).
///
/// Maps `[n, positions, features]` to its own type. One product makes the queries, keys and values of all heads
/// (`queriesKeysValues`, `[features, 3 * features]`), and another mixes what the heads found (`output`). Each head
/// has `features / heads` of the features.
public struct MultiHeadAttention: Layer {
  /// The number of heads.
  public let heads: Int
  /// Whether a position sees only itself and those before it.
  public let isCausal: Bool
  /// The layer's identity and line.
  public let place: Place
  let queriesKeysValues: Dense
  let output: Dense

  /// Makes a layer for inputs of a number of features.
  public init(
    features: Int, heads: Int, causal: Bool = false, weights: Initializer = .xavier,
    file: String = #fileID, line: Int = #line
  ) {
    self.heads = heads
    isCausal = causal
    place = Place(file: file, line: line)
    // More features than any tensor has are refused with the input, not here.
    queriesKeysValues = Dense(3 &* features, weights: weights, file: file, line: line)
    output = Dense(features, weights: weights, file: file, line: line)
  }

  /// What the positions found, for an input `[n, positions, features]`.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    let features = output.units
    return place.enter(self) {
      input.checked(
        "MultiHeadAttention of \(heads) heads takes floats [n, positions, \(features)]"
      ) {
        $0.shape.rank == 3 && $0.shape[2] == features && $0.dtype.isFloat
          && heads >= 1 && features % heads == 0
      } then: {
        let all = queriesKeysValues(input)
        let split = (0..<3).map { part in
          all.sliced(part * features..<(part + 1) * features, axis: 2)
            .reshaped(to: [input.shape[0], input.shape[1], heads, features / heads])
            .transposed([0, 2, 1, 3])
        }
        let found = split[0].attention(keys: split[1], values: split[2], causal: isCausal)
        return output(found.transposed([0, 2, 1, 3]).reshaped(to: input.shape.extents))
      }
    }
  }
}

extension Tensor {
  /// For each of these queries `[..., q, d]` the mean of the values `[..., k, v]`, weighted by how well the keys
  /// `[..., k, d]` answer it: `softmax(queries keys^T / sqrt(d) + mask) values`, which is `[..., q, v]`.
  ///
  /// - Parameter causal: Whether query i sees only keys 0...i: the mask is -infinity for the others.
  public func attention(
    keys: Tensor, values: Tensor, causal: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    let operands = [self, keys, values]
    return Tensor.apply(operands, "'attention' is used", Caller(file, line)) { context, location in
      let shapes = operands.map(\.shape.extents)
      let leading = shapes.map { $0.dropLast(2) }
      guard rank >= 2, keys.rank == rank, values.rank == rank, Set(leading).count == 1,
        shapes[0].last == shapes[1].last, shapes[1][rank - 2] == shapes[2][rank - 2],
        dtype.isFloat
      else {
        return context.fail(
          Diagnostic(
            .shapeMismatch,
            "attention: queries \(describedType), keys \(keys.describedType) and values "
              + "\(values.describedType) do not fit", at: location,
            notes: [
              context.note("the queries", self), context.note("the keys", keys),
              context.note("the values", values),
            ], hint: "queries are floats [..., q, d], keys [..., k, d], values [..., k, v]"))
      }
      return Tensor.composite("attention", operands, Caller(file, line)) { operands in
        let factor = 1 / Double(operands[0].shape[-1]).squareRoot()
        let batch = Array(0..<rank - 2)
        let dot = Dot(batch: [batch, batch], contracting: [[rank - 1], [rank - 1]])
        var scores = Tensor.apply(.dot(dot), [operands[0], operands[1]], .unknown) * factor
        if causal {
          let positions = Array(scores.shape.extents.suffix(2))
          let isSeen = Tensor.iota(positions, axis: 1).isAtMost(.iota(positions, axis: 0))
          scores = scores + isSeen.select(Tensor(0, dtype), otherwise: Tensor(-.infinity, dtype))
        }
        return scores.softmax().matmul(operands[2])
      }
    }
  }
}
