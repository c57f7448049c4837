import GraphIR

/// Writes the bodies of composites out in their place, and what is nested in them.
///
/// Attention and its gradient stay whole where lowering computes them so.
///
/// A body's nodes keep their own locations, or take the composite's where they have none.
public struct InlineComposites: GraphPass {
  /// The name in pipelines.
  public let name = "inline"
  /// What the pass does.
  public let summary = "write the bodies of composites out in their place"
  /// Names of composites that stay whole.
  public let kept: Set<String>

  /// Makes the pass; composites with the given names stay whole.
  public init(keeping kept: Set<String> = [Composite.recomputation]) { self.kept = kept }

  /// Rewrites the graph.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    try graph.rebuild { builder, node throws(Diagnostic) in
      guard let body = body(of: node) else { return .keep }
      return .replace(try inline(body, node.operands, &builder))
    }
  }

  /// The body to write out in place of a node.
  private func body(of node: Node) -> Graph? {
    guard case .composite(let op) = node.operation, !kept.contains(op.name),
      !node.isWholeAttention
    else { return nil }
    return node.bodies.first
  }

  private func inline(
    _ body: Graph, _ operands: [Value], _ builder: inout GraphBuilder
  ) throws(Diagnostic) -> [Value] {
    let outer = builder.location
    defer { builder.location = outer }
    var values = operands
    for original in body.nodes {
      var node = original
      node.operands = original.operands.map { values[Int($0.index)] }
      if node.location == .unknown { node.location = outer }
      builder.location = node.location
      if let nested = self.body(of: node) {
        values += try inline(nested, node.operands, &builder)
      } else {
        values += try builder.append(node)
      }
    }
    return body.outputs.map { values[Int($0.value.index)] }
  }
}
