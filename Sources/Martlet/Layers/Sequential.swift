/// Layers one after the other: each takes the output of the one before.
///
/// Their parameters are named by position: `head.0.weight`.
///
/// ```swift
/// let head = Sequential(Dense(120, .sigmoid), Dense(84, .sigmoid), Dense(10))
/// let tail = Sequential {
///   Dense(64, .relu)
///   Dropout(0.5)
///   Dense(10)
/// }
/// ```
public struct Sequential: Layer, CustomReflectable {
  /// The layers in order.
  public let layers: [any Layer]
  private let place: Place

  /// Makes a chain of the layers given.
  public init(_ layers: any Layer..., file: String = #fileID, line: Int = #line) {
    self.init(layers, file: file, line: line)
  }

  /// Makes a chain of an array of layers.
  public init(_ layers: [any Layer], file: String = #fileID, line: Int = #line) {
    self.layers = layers
    place = Place(file: file, line: line)
  }

  /// Makes a chain of the layers listed in a block.
  public init(
    file: String = #fileID, line: Int = #line, @SequentialBuilder _ layers: () -> [any Layer]
  ) {
    self.init(layers(), file: file, line: line)
  }

  /// The output of the last layer for an input of the first.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    layers.reduce(input) { tensor, layer in
      TraceContext.current?.proceed(from: place.location)
      return layer(tensor)
    }
  }

  /// The layers as unlabeled children, which gives their parameters names by position.
  public var customMirror: Mirror { Mirror(self, unlabeledChildren: layers) }
}

/// Collects the layers of a block for `Sequential`; loops and conditions may stand in it.
@resultBuilder
public enum SequentialBuilder {
  /// One layer.
  public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
  /// Layers one after the other.
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  /// The layers of all rounds of a loop.
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
  /// The layers of an `if` without `else`.
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  /// The layers of an `if`.
  public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
  /// The layers of an `else`.
  public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
}
