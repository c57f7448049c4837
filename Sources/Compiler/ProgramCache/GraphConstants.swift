import GraphIR

/// The large constants of a graph: an image of its program names them, since whoever has the graph has their data.
struct GraphConstants {
  /// Constants with no more bytes are part of an image.
  static let smallBytes = 64 << 10

  /// The constants, those of bodies included, in the order of the nodes.
  private(set) var literals: [Literal] = []

  /// Finds the constants.
  init(_ graph: Graph) { add(graph) }

  private mutating func add(_ graph: Graph) {
    for node in graph.nodes {
      if let literal = node.literal, literal.bytes.count > GraphConstants.smallBytes {
        literals.append(literal)
      }
      for body in node.bodies { add(body) }
    }
  }

  /// The first constant of the same bytes; its shape may be another one.
  func place(of literal: Literal) -> Int? {
    literals.firstIndex { $0.bytes == literal.bytes }
  }
}
