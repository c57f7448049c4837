extension Graph {
  /// Checks every invariant of a graph, and of the bodies in it.
  ///
  /// * Input i is value i; the nodes' results have the following numbers, in order.
  /// * `definingNode` says for each value which input or node defines it.
  /// * Operands are inputs or results of earlier nodes.
  /// * Each node's types are those that inference gives for its operands, bodies and literal, so
  ///   that its attributes are valid, only a constant has a literal and only a composite a body.
  /// * Names are well-formed; those of inputs are unique, and those of outputs.
  /// * Outputs give values that exist.
  /// * An input is donated to an output of its own type, and no two inputs to the same.
  /// * All of this holds for bodies; they donate nothing, and nest no deeper than `maximumNesting`.
  ///
  /// - Throws: every violation found, with the location of its node.
  public func verify() throws(Diagnostics) {
    let problems = violations(nesting: 0)
    if !problems.isEmpty { throw Diagnostics(problems) }
  }

  private func violations(nesting: Int) -> [Diagnostic] {
    guard nesting <= Graph.maximumNesting else {
      return [Diagnostic(.malformedGraph, "graph \(name) nests too deeply")]
    }
    // Whatever reads a type below relies on the numbering; without it nothing else is checked.
    if let problem = numberingProblem() { return [problem] }
    var problems: [Diagnostic] = []
    do {
      try checkInterface()
    } catch {
      problems.append(error)
    }
    for node in nodes {
      let inside = node.bodies.flatMap { $0.violations(nesting: nesting + 1) }
      problems += inside
      // Inference reads the bodies' types.
      guard inside.isEmpty else { continue }
      if let problem = problem(of: node) { problems.append(problem) }
    }
    return problems
  }

  /// What is wrong with the numbers of values.
  private func numberingProblem() -> Diagnostic? {
    var next = inputs.count
    var expected = inputs.indices.map { ~Int32($0) }
    for (position, node) in nodes.enumerated() {
      guard Int(node.firstResult.index) == next else {
        return Diagnostic(
          .malformedGraph,
          "the results of node \(position) (\(node.operation.mnemonic)) begin at value "
            + "\(node.firstResult.index) instead of \(next)", at: node.location)
      }
      if let operand = node.operands.first(where: { Int($0.index) >= next }) {
        return Diagnostic(
          .malformedGraph,
          "node \(position) (\(node.operation.mnemonic)) reads value \(operand.index), which is "
            + "defined later or not at all", at: node.location,
          hint: "nodes are in topological order")
      }
      next += node.types.count
      expected += node.types.map { _ in Int32(position) }
    }
    guard definingNode == expected else {
      return Diagnostic(
        .malformedGraph, "the table of definitions of graph \(name) does not fit its nodes")
    }
    return nil
  }

  private func problem(of node: Node) -> Diagnostic? {
    do {
      let types = try node.operation.inferTypes(
        node.operands.map { type(of: $0) }, bodies: node.bodies, literal: node.literal)
      guard types != node.types else { return nil }
      return Diagnostic(
        .typeMismatch, "\(node.operation.mnemonic) gives \(types), but is noted as \(node.types)",
        at: node.location)
    } catch {
      return error.located(at: node.location)
    }
  }
}
