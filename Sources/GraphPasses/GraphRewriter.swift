import GraphIR

/// What becomes of a node when a graph is rebuilt.
enum Rewrite {
  /// It stays, on the rebuilt operands.
  case keep
  /// Other values, already in the new graph, take the place of its results.
  case replace([Value])
  /// It goes; nothing that stays reads it.
  case drop
}

extension Graph {
  /// Rebuilds the graph node by node, with its name, inputs, donations and outputs.
  ///
  /// - Parameter rewrite: decides about a node, whose operands are values of the new graph, and may append to it;
  ///   what it appends gets the node's location.
  /// - Returns: whether any node was rewritten.
  mutating func rebuild(
    _ rewrite: (inout GraphBuilder, Node) throws(Diagnostic) -> Rewrite
  ) throws(Diagnostic) -> Bool {
    var builder = GraphBuilder(name: name)
    builder.reserveCapacity(valueCount)
    var values: [Value] = inputs.map {
      builder.input($0.name, $0.type, donatedTo: $0.donatedTo, location: $0.location)
    }
    values.reserveCapacity(valueCount)
    var changed = false
    for original in nodes {
      var node = original
      node.operands = original.operands.map { values[Int($0.index)] }
      builder.location = node.location
      switch try rewrite(&builder, node) {
      case .keep:
        // Operands of the same types give results of the same types.
        let isTyped = zip(original.operands, node.operands).allSatisfy {
          type(of: $0) == builder.type(of: $1)
        }
        values += isTyped ? builder.appendTyped(node) : try builder.append(node)
      case .replace(let replacements):
        values += replacements
        changed = true
      case .drop:
        // Nobody reads these; they keep the numbering.
        values += node.results
        changed = true
      }
    }
    guard changed else { return false }
    self = try builder.finish(outputs.map { Output($0.name, values[Int($0.value.index)]) })
    return true
  }
}

extension GraphBuilder {
  /// Appends a node of another graph whose operands are already this one's.
  mutating func append(_ node: Node) throws(Diagnostic) -> [Value] {
    try append(
      node.operation, node.operands, bodies: node.bodies, literal: node.literal,
      at: node.location)
  }

  /// Appends a node of another graph whose operands are already this one's, and of the types that its own are for.
  fileprivate mutating func appendTyped(_ node: Node) -> [Value] {
    var node = node
    node.firstResult = Value(graph.valueCount)
    graph.definingNode += node.types.map { _ in Int32(graph.nodes.count) }
    graph.nodes.append(node)
    return node.results
  }
}
