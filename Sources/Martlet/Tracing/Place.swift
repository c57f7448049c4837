import GraphIR

/// An object whose only property is to be itself: what copies of a layer or a parameter have in common.
final class Token: Sendable {}

/// A layer's place in the user's program: its identity, and the line that made it.
///
/// A copy of a layer has the same place, so it *is* the same layer: using it twice ties its parameters. A layer
/// that keeps a place and does its work in `enter` gives its nodes the line on which it was made and its path
/// in the model (`head.0`).
public struct Place: Sendable {
  let token = Token()
  /// The line of the program that made the layer.
  public let location: Location

  /// Makes a new place for a layer that is made on the given line.
  public init(file: String = #fileID, line: Int = #line) {
    location = Location(file: file, line: line)
  }

  /// Runs the layer's computation: all nodes made by it get this place's line and the layer's path.
  ///
  /// Outside of a trace the body just runs; its tensors say what is wrong.
  public func enter(_ layer: some Layer, _ body: () -> Tensor) -> Tensor {
    guard let context = TraceContext.current else { return body() }
    let path = context.path(of: layer, at: self)
    let output = context.pinned(
      at: Location(file: location.file, line: location.line, path: path), body)
    context.keep(output, of: path)
    return output
  }
}

/// The line of a call in the user's program; operators have none.
struct Caller {
  var file: String?
  var line: Int

  init(_ file: String, _ line: Int) {
    self.file = file
    self.line = line
  }

  private init() {
    file = nil
    line = 0
  }

  /// The caller of an operator, which Swift does not tell.
  static let unknown = Caller()
}
