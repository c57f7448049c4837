import GraphIR
import Interpreter

/// Computes nodes whose operands are constants, as the interpreter does.
///
/// Results of more than 64 KiB are left to the compiled program, and so are broadcasts, since a repeated
/// value is best repeated where it is read. For the same reason a constant whose elements are all the same
/// becomes a repeated scalar.
public struct FoldConstants: GraphPass {
  /// The name in pipelines.
  public let name = "fold"
  /// What the pass does.
  public let summary = "compute nodes whose operands are constants"

  /// The size of the largest result that is computed.
  static let maximumByteCount = 64 << 10

  /// Makes the pass.
  public init() {}

  /// Rewrites the graph.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    try graph.rebuild { builder, node throws(Diagnostic) in
      if let literal = node.literal {
        let kept = context.fault == .foldRounds ? literal.roundedToEightBits : literal
        if kept.type.shape.rank > 0, let scalar = kept.repeatedElement {
          let value = try builder.constant(scalar)
          return .replace([
            try builder.broadcast(value, to: kept.type.shape, dimensions: [])
          ])
        }
        return kept == literal ? .keep : .replace([try builder.constant(kept)])
      }
      guard let results = try fold(node, in: builder.graph) else { return .keep }
      var values: [Value] = []
      for literal in results { values.append(try builder.constant(literal)) }
      return .replace(values)
    }
  }

  /// The results of a node, when they are worth having as constants.
  private func fold(_ node: Node, in graph: Graph) throws(Diagnostic) -> [Literal]? {
    var operands: [Literal] = []
    for operand in node.operands {
      guard let literal = graph.definition(of: operand)?.literal else { return nil }
      operands.append(literal)
    }
    // Without operands there is nothing to compute: iota is best counted where it is read.
    guard !operands.isEmpty, !node.operation.isBroadcast else { return nil }
    // The same bytes: no size is too large.
    if case .reshape = node.operation, let same = Literal(node.types[0], bytes: operands[0].bytes) {
      return [same]
    }
    guard node.types.allSatisfy({ $0.byteCount <= Self.maximumByteCount }) else { return nil }
    return try evaluate(node, in: graph, operands)
  }
}

extension Operation {
  fileprivate var isBroadcast: Bool {
    if case .broadcast = self { true } else { false }
  }
}

extension Literal {
  /// Floats with the precision of bf16.
  fileprivate var roundedToEightBits: Literal {
    guard type.dtype.isFloat else { return self }
    let rounded = Literal(TensorType(.bf16, type.shape), doubles: doubles())
    return Literal(type, doubles: rounded.doubles())
  }
}
