/// Joins all dimensions but the first: `[n, ...]` becomes `[n, m]`.
public struct Flatten: Layer {
  /// The layer's identity and line.
  public let place: Place

  /// Makes a layer.
  public init(file: String = #fileID, line: Int = #line) { place = Place(file: file, line: line) }

  /// The same elements as `[n, m]`.
  public func callAsFunction(_ input: Tensor) -> Tensor { place.enter(self) { input.flattened() } }
}
