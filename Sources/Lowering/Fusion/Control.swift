import GraphIR
import LoopIR

extension Lowerer {
  /// The body in place of the composite, but for those that have nodes of their own; the results of a recomputation's
  /// stay apart.
  mutating func visit(_ op: Composite) throws(Diagnostic) -> [Int] {
    guard let body = node.bodies.first else {
      throw Diagnostic(.internalError, "a composite without a body", at: node.location)
    }
    if let whole = try attention(op, body) { return whole }
    let results = try lower(body, inputs: operands, inside: origin.location)
    guard op.name == Composite.recomputation else { return results }
    barriers += 1
    return results.map { keep($0, number: barriers) }
  }

  /// Adds a view of a node that nothing is computed across.
  private mutating func keep(_ source: Int, number: Int) -> Int {
    let type = graph.nodes[source].type
    let view = FusionNode(
      kind: .map, type: type, operands: [source], term: .read(operand: 0, type.shape.counters),
      isReshape: true, barrier: number)
    return add(view, label: Composite.recomputation)
  }
}
