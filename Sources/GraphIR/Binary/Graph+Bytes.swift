extension Graph {
  /// All of the graph as bytes, locations included: graphs of equal bytes are equal, as far as the digests of their large
  /// constants tell.
  ///
  /// - Parameter limit: the most bytes of a constant that is written as it is.
  /// - Returns: nil when an attribute has no text.
  package func bytes(withConstantsUpTo limit: Int) -> [UInt8]? {
    var encoder = GraphEncoder(limit: limit)
    encoder.add(self)
    return encoder.isComplete ? encoder.writer.bytes : nil
  }
}

/// Writes graphs as bytes.
private struct GraphEncoder {
  var writer = ByteWriter()
  /// Whether all of the graph could be written.
  var isComplete = true
  private let limit: Int
  /// The operations that have been written, by their numbers: most occur more than once.
  private var numbers: [Operation: Int] = [:]

  init(limit: Int) { self.limit = limit }

  mutating func add(_ graph: Graph) {
    writer.add(graph.name)
    writer.add(graph.inputs) { writer, input in
      writer.add(input.name)
      writer.add(input.type)
      writer.add(input.donatedTo)
      writer.add(input.location)
    }
    writer.add(graph.nodes.count)
    for node in graph.nodes {
      add(node.operation)
      writer.add(node.operands) { $0.add(Int($1.index)) }
      writer.add(node.types) { $0.add($1) }
      writer.add(node.bodies.count)
      for body in node.bodies { add(body) }
      writer.add(node.literal?.type.byteCount)
      if let literal = node.literal { add(literal) }
      writer.add(node.location)
    }
    writer.add(graph.outputs) { writer, output in
      writer.add(output.name)
      writer.add(Int(output.value.index))
    }
  }

  private mutating func add(_ operation: Operation) {
    if let number = numbers[operation] { return writer.add(number) }
    writer.add(numbers.count)
    numbers[operation] = numbers.count
    writer.add(operation.kind.rawValue)
    guard let attributes = try? AttributeEncoder.encode(operation.attributes) else {
      isComplete = false
      return
    }
    writer.add(attributes.text)
  }

  private mutating func add(_ literal: Literal) {
    writer.add(literal.type)
    guard literal.bytes.count > limit else { return writer.add(data: literal.bytes) }
    let digest = literal.digest
    writer.add(data: (0..<16).map { UInt8(truncatingIfNeeded: digest >> (8 * $0)) })
  }
}
