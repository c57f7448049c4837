extension Graph {
  /// The graph as text that `Graph.parse` reads back to an equal graph.
  ///
  /// - Parameter locations: whether nodes and inputs show where they come from.
  public func text(locations: Bool = true) -> String {
    var printer = Printer(locations: locations)
    printer.print(self)
    return printer.text + "\n"
  }

  /// The graph as text with its large constants apart, as they are kept beside a file.
  public func textWithLiterals(
    locations: Bool = true
  ) -> (text: String, literals: [(name: String, literal: Literal)]) {
    var printer = Printer(locations: locations)
    printer.literals = []
    printer.print(self)
    return (printer.text + "\n", printer.literals ?? [])
  }
}

extension Graph: CustomStringConvertible {
  /// The text without locations.
  public var description: String { text(locations: false) }
}

/// Writes graphs; the syntax is in `IR/README.md`.
private struct Printer {
  var text = ""
  /// The large constants taken out of the text; nil when they stay in it.
  var literals: [(name: String, literal: Literal)]?
  private let locations: Bool
  private var indentation = ""

  init(locations: Bool) { self.locations = locations }

  /// Writes a graph from where the line stands; the line does not end behind its brace.
  mutating func print(_ graph: Graph) {
    text += "\(header(graph)) {\n"
    indentation += "  "
    for node in graph.nodes { print(node, of: graph) }
    let returned = names(graph.outputs.map(\.value), in: graph)
    text += "\(indentation)return\(returned.isEmpty ? "" : " ")\(returned)\n"
    indentation.removeLast(2)
    text += "\(indentation)}"
  }

  private func header(_ graph: Graph) -> String {
    let inputs = graph.inputs.map { input in
      let receiver = input.donatedTo.flatMap {
        graph.outputs.indices.contains($0) ? graph.outputs[$0].name : nil
      }
      let donation = receiver.map { " donates \($0)" } ?? ""
      return "%\(input.name): \(input.type)\(donation)\(suffix(input.location))"
    }
    let outputs = graph.outputs.enumerated().map { position, output in
      let type = graph.type(of: output.value)
      return output.name == Output.defaultName(position) ? "\(type)" : "\(output.name): \(type)"
    }
    let head = "graph @\(graph.name)"
    let width = head.count + (inputs + outputs).reduce(0) { $0 + $1.count + 2 }
    let alone = outputs.count == 1 && graph.outputs[0].name == Output.defaultName(0)
    let results = alone ? outputs[0] : listed(outputs, wrapping: width > 100)
    return "\(head)\(listed(inputs, wrapping: width > 100)) -> \(results)"
  }

  /// `(a, b)`, or a line for each where the line would be long.
  private func listed(_ entries: [String], wrapping: Bool) -> String {
    guard wrapping, entries.count > 1 else { return "(\(entries.joined(separator: ", ")))" }
    return "(" + entries.map { "\n\(indentation)    \($0)" }.joined(separator: ",") + ")"
  }

  private mutating func print(_ node: Node, of graph: Graph) {
    var line = indentation
    if !node.types.isEmpty { line += names(node.results, in: graph) + " = " }
    line += node.operation.mnemonic
    if case .composite(let op) = node.operation { line += " @\(op.name)" }
    if !node.operands.isEmpty { line += " " + names(node.operands, in: graph) }
    let attributes = node.operation.attributeText(node.types.first)
    if !attributes.isEmpty { line += " " + attributes }
    if let literal = node.literal { line += " " + data(literal) }
    text += line
    for body in node.bodies {
      text += " "
      print(body)
    }
    let types = node.types.map(\.description).joined(separator: ", ")
    text += " : \(node.types.count == 1 ? types : "(\(types))")\(suffix(node.location))\n"
  }

  private mutating func data(_ literal: Literal) -> String {
    guard let count = literals?.count, LiteralText.isLarge(literal) else {
      return LiteralText.text(literal)
    }
    let name = "constant\(count)"
    literals?.append((name, literal))
    return "@\(name)"
  }

  private func names(_ values: [Value], in graph: Graph) -> String {
    values.map { value in
      graph.input(of: value).map { "%\($0.name)" }
        ?? "%\(Int(value.index) - graph.inputs.count)"
    }.joined(separator: ", ")
  }

  private func suffix(_ location: Location) -> String {
    guard locations, location != .unknown else { return "" }
    let path = location.path.isEmpty ? "" : Text.quoted(location.path)
    let file = location.file.map { Text.quoted($0) } ?? (location.line == 0 ? nil : "unknown")
    let place = file.map { "\($0):\(location.line)" }
    return " loc(" + [path, place ?? ""].filter { !$0.isEmpty }.joined(separator: " ") + ")"
  }
}
