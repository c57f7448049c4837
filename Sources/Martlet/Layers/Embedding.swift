import GraphIR

/// A vector for each of a number of tokens, looked up by its index.
///
/// Maps integers `[...]` (i32 or i64), clamped into `0 ..< count`, to floats `[..., features]`. Parameter: `weight`
/// `[count, features]`.
public struct Embedding: Layer {
  /// The number of tokens.
  public let count: Int
  /// The length of a token's vector.
  public let features: Int
  /// The vectors' dtype.
  public let dtype: DType
  /// The layer's identity and line.
  public let place: Place
  let weight: Parameter

  /// Makes a layer; `weights` draws the vectors.
  public init(
    _ count: Int, features: Int, dtype: DType = .f32,
    weights: Initializer = .gaussian(standardDeviation: 0.02), file: String = #fileID,
    line: Int = #line
  ) {
    self.count = count
    self.features = features
    self.dtype = dtype
    place = Place(file: file, line: line)
    weight = Parameter(weights)
  }

  /// The vectors of tokens.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("Embedding of \(count) tokens in \(features) features takes i32 or i64 [...]") {
        count >= 1 && features >= 1 && ($0.dtype == .i32 || $0.dtype == .i64)
      } then: {
        weight([count, features], dtype).gathered(at: input)
      }
    }
  }
}

/// Adds to each position of a sequence a vector of its own.
///
/// Maps `[n, positions, features]` to its own type. Parameter: `weight` `[positions, features]`.
public struct PositionEmbedding: Layer {
  /// The layer's identity and line.
  public let place: Place
  let weight: Parameter

  /// Makes a layer; `weights` draws the vectors.
  public init(
    weights: Initializer = .gaussian(standardDeviation: 0.02), file: String = #fileID,
    line: Int = #line
  ) {
    place = Place(file: file, line: line)
    weight = Parameter(weights)
  }

  /// The input with the positions' vectors added.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      input.checked("PositionEmbedding takes floats [n, positions, features]") {
        $0.shape.rank == 3 && $0.dtype.isFloat
      } then: {
        input + weight([input.shape[1], input.shape[2]], input.dtype)
      }
    }
  }
}
