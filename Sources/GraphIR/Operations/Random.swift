/// Uniformly distributed numbers from the counter-based generator Philox4x32-10 (Salmon et al.,
/// "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
///
/// Operand: the state, u64[2] = (seed, step).
///
/// Block b is `philox(counter: (b, stream, low(step), high(step)), key: (low(seed), high(seed)))`,
/// four words of 32 bits. A dtype of up to 32 bits takes one word w an element (element i: word i %
/// 4 of block i / 4); a 64-bit dtype takes two, w = second << 32 | first (element i: words 2 (i %
/// 2) and 2 (i % 2) + 1 of block i / 2), with i the row-major index. Floats are uniform in [0, 1):
/// f32 (w >> 8) 2^-24, f64 (w >> 11) 2^-53, f16 (w >> 21) 2^-11, bf16 (w >> 24) 2^-8. Integers are
/// w's low bits; bool is w's lowest bit.
public struct Random: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.random
  /// The element type.
  public var dtype: DType
  /// The extents; at most 2^33 elements.
  public var shape: [Int]
  /// What tells this stream from others with the same state: 0 ..< 2^32.
  public var stream: Int
  /// Makes the operation.
  public init(_ type: TensorType, stream: Int) {
    dtype = type.dtype
    shape = type.shape.extents
    self.stream = stream
  }
}
