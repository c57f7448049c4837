import GraphIR

/// Finds attention that is written out, `softmax(q k^T * scale + mask) v` in any order of dimensions, and makes it the
/// composite `attention`.
///
/// Computed whole, it needs no memory for the scores. Where the weights are needed for something else, they are
/// computed anyway, and the nodes stay.
public struct RecognizeAttention: GraphPass {
  /// The name in pipelines.
  public let name = "attention"
  /// What the pass does.
  public let summary = "make attention that is written out a composite"

  /// Makes the pass.
  public init() {}

  /// Rewrites the graph.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    let uses = graph.useCounts()
    let nodes = graph.nodes
    var index = -1
    return try graph.rebuild { builder, node throws(Diagnostic) in
      index += 1
      guard case .dot = node.operation, uses[Int(nodes[index].operands[0].index)] == 1,
        let written = WrittenAttention(node, in: builder.graph)
      else { return .keep }
      var operands: [Value] = []
      for side in written.sides {
        let isInPlace = side.permutation == Array(side.permutation.indices)
        operands.append(
          isInPlace ? side.value : try builder.transpose(side.value, side.permutation))
      }
      return .replace(
        try builder.append(
          .composite(Composite(AttentionForm.name)), operands + written.others,
          bodies: [written.body]))
    }
  }
}
