/// Layers whose result is added to their input (He et al., "Deep residual learning for image recognition", CVPR 2016):
/// `x + body(x)`, or `shortcut(x) + body(x)`.
///
/// The body's parameters are named by position, the shortcut's by name: `block.0.filter`, `block.shortcut.0.filter`.
///
/// ```swift
/// let feedForward = Residual(LayerNorm(), Dense(1024, .gelu), Dense(256))
/// ```
public struct Residual: Layer, CustomReflectable {
  /// The layers of the body, in order.
  public let layers: [any Layer]
  /// What makes the input fit the body's result; nil adds the input itself.
  public let shortcut: (any Layer)?
  /// The layer's identity and line.
  public let place: Place

  /// Makes a residual connection around the layers given.
  public init(
    _ layers: any Layer..., shortcut: (any Layer)? = nil, file: String = #fileID, line: Int = #line
  ) {
    self.layers = layers
    self.shortcut = shortcut
    place = Place(file: file, line: line)
  }

  /// The sum of the body's result and the input, or of the shortcut's result.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      let found = layers.reduce(input) { $1($0) }
      return found + (shortcut.map { $0(input) } ?? input)
    }
  }

  /// The layers as unlabeled children, the shortcut as a labeled one.
  public var customMirror: Mirror {
    var children: [Mirror.Child] = layers.map { (label: nil, value: $0) }
    if let shortcut { children.append((label: "shortcut", value: shortcut)) }
    children.append((label: "place", value: place))
    return Mirror(self, children: children)
  }
}
