extension Graph {
  /// How deep composites may nest.
  package static let maximumNesting = 64

  /// How deep the bodies nest: 0 when no node has one.
  ///
  /// Deeper than `maximumNesting` is not counted.
  package func nesting(limit: Int = Graph.maximumNesting) -> Int {
    var deepest = 0
    for node in nodes {
      for body in node.bodies {
        guard limit > 0 else { return 1 }
        deepest = max(deepest, 1 + body.nesting(limit: limit - 1))
      }
    }
    return deepest
  }
}

extension Composite {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// A composite's types are its body's, so that it has none without one.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try inferTypes(operands, bodies: [])
  }

  /// The types of the body's outputs.
  func inferTypes(_ operands: [TensorType], bodies: [Graph]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: operands.count)
    guard Self.isName(name) else {
      throw refusal(
        .name, "cannot be named \"\(name)\"",
        hint: "the name is a letter or `_` followed by letters, digits, `_` and `.`")
    }
    guard bodies.count == 1 else {
      throw refusal(.wrongCount, "\(name) has exactly one body, not \(bodies.count)")
    }
    let body = bodies[0]
    let inputs = body.inputs.map(\.type)
    guard inputs == operands else {
      throw refusal(
        inputs.count == operands.count ? .typeMismatch : .wrongCount,
        "\(name) is applied to (\(list(operands))), but its body takes (\(list(inputs)))",
        hint: "operands and the body's inputs have the same types")
    }
    guard body.inputs.allSatisfy({ $0.donatedTo == nil }) else {
      throw refusal(
        .malformedGraph, "\(name) has a body that donates an input",
        hint: "only the inputs of a whole graph can be donated")
    }
    guard body.nesting() < Graph.maximumNesting else {
      throw refusal(
        .malformedGraph, "\(name) nests bodies too deeply",
        hint: "at most \(Graph.maximumNesting) levels are possible")
    }
    return body.outputs.map { body.type(of: $0.value) }
  }

  /// Whether a composite can have a name.
  static func isName(_ name: String) -> Bool {
    name.utf8.first?.isNameStart == true
      && name.utf8.allSatisfy {
        $0.isNameByte && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "/")
      }
  }

  private func list(_ types: [TensorType]) -> String {
    types.map(\.description).joined(separator: ", ")
  }
}
