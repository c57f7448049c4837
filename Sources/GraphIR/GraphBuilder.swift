/// Makes a graph node by node; an ill-typed node is refused with a diagnostic.
public struct GraphBuilder: Sendable {
  package var graph: Graph
  /// The location given to nodes that are appended without one.
  public var location = Location.unknown

  /// Starts an empty graph.
  public init(name: String) { graph = Graph(name: name) }

  /// Adds an input; it may come after nodes, `finish` then numbers the inputs first.
  public mutating func input(
    _ name: String, _ type: TensorType, donatedTo: Int? = nil, location: Location? = nil
  ) -> Value {
    graph.definingNode.append(~Int32(graph.inputs.count))
    graph.inputs.append(
      Input(name, type, donatedTo: donatedTo, location: location ?? self.location))
    return Value(graph.definingNode.count - 1)
  }

  /// Makes room for a number of nodes.
  package mutating func reserveCapacity(_ nodes: Int) {
    graph.nodes.reserveCapacity(nodes)
    graph.definingNode.reserveCapacity(nodes)
  }

  /// The type of a value defined so far.
  public func type(of value: Value) -> TensorType { graph.type(of: value) }

  /// Appends a node and gives its results.
  ///
  /// - Throws: a diagnostic with the operand types and the location when the node is ill-typed.
  @discardableResult
  public mutating func append(
    _ operation: Operation, _ operands: [Value], bodies: [Graph] = [], literal: Literal? = nil,
    at location: Location? = nil
  ) throws(Diagnostic) -> [Value] {
    let location = location ?? self.location
    let types: [TensorType]
    try check(operands)
    do {
      types = try operation.inferTypes(
        operands.map { graph.type(of: $0) }, bodies: bodies, literal: literal)
    } catch {
      throw error.located(at: location).noting(operands.map { graph.origin(of: $0) })
    }
    let first = graph.definingNode.count
    graph.definingNode += types.map { _ in Int32(graph.nodes.count) }
    graph.nodes.append(
      Node(
        operation: operation, operands: operands, firstResult: Value(first), types: types,
        bodies: bodies, literal: literal, location: location))
    return types.indices.map { Value(first + $0) }
  }

  /// Checks that operands are values of this graph.
  func check(_ operands: [Value]) throws(Diagnostic) {
    guard let stranger = operands.first(where: { Int($0.index) >= graph.valueCount }) else {
      return
    }
    throw Diagnostic(
      .malformedGraph, "value \(stranger.index) is not defined in graph \(graph.name)",
      at: location, hint: "operands are values that this builder has given")
  }

  /// Ends the graph with its outputs.
  ///
  /// - Throws: a diagnostic when names repeat or a donation does not fit its output's type.
  public consuming func finish(_ outputs: [Output]) throws(Diagnostic) -> Graph {
    graph.outputs = outputs
    try graph.checkInterface()
    graph.numberInputsFirst()
    return graph
  }
}

extension Diagnostic {
  /// The same diagnostic with a note for each operand of which the origin is known.
  fileprivate func noting(_ origins: [String?]) -> Diagnostic {
    var copy = self
    for (position, origin) in origins.enumerated() {
      if let origin { copy.notes.append("operand \(position) is \(origin)") }
    }
    return copy
  }
}

extension Graph {
  /// The type and the place of a value's definition; nil when the place is unknown.
  fileprivate func origin(of value: Value) -> String? {
    let location = definition(of: value)?.location ?? input(of: value)?.location ?? .unknown
    return location == .unknown ? nil : "\(type(of: value)) from \(location)"
  }

  /// Renumbers the values so that input i is value i and the nodes' results follow in order.
  fileprivate mutating func numberInputsFirst() {
    guard definingNode[..<inputs.count].contains(where: { $0 >= 0 }) else { return }
    var next = inputs.count
    let renumbered = definingNode.map { definition in
      if definition < 0 { return Value(Int(~definition)) }
      defer { next += 1 }
      return Value(next)
    }
    for index in nodes.indices {
      nodes[index].operands = nodes[index].operands.map { renumbered[Int($0.index)] }
      nodes[index].firstResult = renumbered[Int(nodes[index].firstResult.index)]
    }
    outputs = outputs.map { Output($0.name, renumbered[Int($0.value.index)]) }
    definingNode = inputs.indices.map { ~Int32($0) } + definingNode.filter { $0 >= 0 }
  }
}
