/// The type of every value in a graph: an element type and a static shape.
public struct TensorType: Hashable, Sendable {
  /// The element type.
  public var dtype: DType
  /// The extents.
  public var shape: Shape

  /// Makes a tensor type.
  public init(_ dtype: DType, _ shape: Shape) {
    self.dtype = dtype
    self.shape = shape
  }

  /// The size of a dense tensor of this type, in bytes.
  public var byteCount: Int { shape.elementCount * dtype.byteCount }
}

extension TensorType: CustomStringConvertible {
  /// The type as the textual IR writes it: `f32[64,10]`, and `f32` for a scalar.
  public var description: String { shape.rank == 0 ? "\(dtype)" : "\(dtype)\(shape)" }
}
