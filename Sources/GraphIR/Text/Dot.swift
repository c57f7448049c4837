extension Graph {
  /// The graph as a drawing in Graphviz's language: operations are boxes, values are edges with
  /// their type.
  public func dot() -> String {
    var drawing = Drawing()
    drawing.draw(self, prefix: "")
    return "digraph \(Text.quoted(name)) {\n"
      + "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f4f4\", fontname=Helvetica];\n"
      + "  edge [fontname=Helvetica, fontsize=10];\n"
      + drawing.lines.map { "  \($0)\n" }.joined() + "}\n"
  }
}

private struct Drawing {
  var lines: [String] = []

  /// Draws a graph whose nodes' identities begin with a prefix.
  mutating func draw(_ graph: Graph, prefix: String) {
    for (position, input) in graph.inputs.enumerated() {
      let label = Text.quoted("%\(input.name)")
      lines.append(
        "\"\(prefix)i\(position)\" [label=\(label), shape=ellipse, fillcolor=\"#dde8f8\"];")
    }
    for (position, node) in graph.nodes.enumerated() {
      let identity = "\(prefix)n\(position)"
      lines.append("\"\(identity)\" [label=\(label(node)), tooltip=\(tooltip(node))];")
      for operand in node.operands { edge(from: operand, to: identity, graph, prefix) }
      for (number, body) in node.bodies.enumerated() {
        lines.append("subgraph \"cluster_\(identity)_\(number)\" {")
        lines.append("label=\(Text.quoted(body.name)); style=dashed;")
        draw(body, prefix: "\(identity)_\(number)_")
        lines.append("}")
      }
    }
    for (position, output) in graph.outputs.enumerated() {
      let identity = "\(prefix)o\(position)"
      let label = Text.quoted(output.name)
      lines.append("\"\(identity)\" [label=\(label), shape=ellipse, fillcolor=\"#dff2df\"];")
      edge(from: output.value, to: identity, graph, prefix)
    }
  }

  private mutating func edge(
    from value: Value, to identity: String, _ graph: Graph, _ prefix: String
  ) {
    let source =
      graph.inputIndex(of: value).map { "i\($0)" }
      ?? graph.definingNodeIndex(of: value).map { "n\($0)" } ?? ""
    let label = Text.quoted("\(graph.type(of: value))")
    lines.append("\"\(prefix)\(source)\" -> \"\(identity)\" [label=\(label)];")
  }

  private func label(_ node: Node) -> String {
    var label = node.operation.mnemonic
    if case .composite(let op) = node.operation { label += " @\(op.name)" }
    let attributes = node.operation.attributeText(node.types.first)
    if !attributes.isEmpty { label += "\n\(attributes)" }
    if let literal = node.literal, literal.type.shape.elementCount <= 4 {
      label += "\n\(LiteralText.text(literal))"
    }
    return Text.quoted(label)
  }

  private func tooltip(_ node: Node) -> String { Text.quoted("\(node.location)") }
}
