import GraphIR

/// Layers side by side on one input, whose results are joined along the channels (Szegedy et al., "Going deeper with
/// convolutions", CVPR 2015).
///
/// Maps `[n, ..., channels]` to `[n, ..., sum of the branches' channels]`. The branches' parameters are named by position.
///
/// ```swift
/// let mixed = Branches(
///   Conv2D(filters: 64, size: 1),
///   Sequential(Conv2D(filters: 96, size: 1), Conv2D(filters: 128, size: 3, padding: .same)))
/// ```
public struct Branches: Layer, CustomReflectable {
  /// The branches, in the order of their channels.
  public let branches: [any Layer]
  /// The layer's identity and line.
  public let place: Place

  /// Makes branches of the layers given.
  public init(_ branches: any Layer..., file: String = #fileID, line: Int = #line) {
    self.branches = branches
    place = Place(file: file, line: line)
  }

  /// The branches' results, joined along the last dimension.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) { Tensor.concatenated(branches.map { $0(input) }, axis: -1) }
  }

  /// The branches as unlabeled children, the place as a labeled one.
  public var customMirror: Mirror { Mirror(self, parts: branches, place) }
}

/// Layers each of which sees the results of all before it: each one's result is joined to its input along the channels
/// (Huang et al., "Densely connected convolutional networks", CVPR 2017).
///
/// Maps `[n, ..., channels]` to `[n, ..., channels + sum of the layers' channels]`. The layers' parameters are named by
/// position.
public struct DenselyConnected: Layer, CustomReflectable {
  /// The layers in order.
  public let layers: [any Layer]
  /// The layer's identity and line.
  public let place: Place

  /// Makes a block of the layers given.
  public init(_ layers: [any Layer], file: String = #fileID, line: Int = #line) {
    self.layers = layers
    place = Place(file: file, line: line)
  }

  /// The input and all results, joined along the last dimension.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    place.enter(self) {
      layers.reduce(input) { Tensor.concatenated([$0, $1($0)], axis: -1) }
    }
  }

  /// The layers as unlabeled children, the place as a labeled one.
  public var customMirror: Mirror { Mirror(self, parts: layers, place) }
}

extension Mirror {
  /// The layers of a combinator as unlabeled children, which gives their parameters names by position, and its place.
  fileprivate init(_ layer: some CustomReflectable, parts: [any Layer], _ place: Place) {
    let children: [Mirror.Child] = parts.map { (label: nil, value: $0) }
    self.init(layer, children: children + [(label: "place", value: place)])
  }
}
