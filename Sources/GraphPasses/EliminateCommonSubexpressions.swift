import GraphIR

/// Computes equal expressions once: nodes that agree in all but their location.
///
/// The first of them stays, with its location. Operands of commutative functions may stand in either order.
public struct EliminateCommonSubexpressions: GraphPass {
  /// The name in pipelines.
  public let name = "cse"
  /// What the pass does.
  public let summary = "compute equal expressions once"

  /// Makes the pass.
  public init() {}

  /// All that makes two nodes compute the same.
  private struct Expression: Hashable {
    var operation: Operation
    var operands: [Value]
    var types: [TensorType]
    var bodies: [Graph]
    var literal: Literal?

    /// The types follow from the rest, and literals are long.
    func hash(into hasher: inout Hasher) {
      hasher.combine(operation)
      hasher.combine(operands)
      hasher.combine(types.first?.dtype)
    }
  }

  /// Rewrites the graph.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    var known = [Expression: [Value]](minimumCapacity: graph.nodes.count)
    return try graph.rebuild { builder, node throws(Diagnostic) in
      let expression = Expression(
        operation: node.operation,
        operands: node.operation.isCommutative ? node.operands.sorted() : node.operands,
        types: node.types, bodies: node.bodies,
        literal: context.fault == .cseIgnoresLiterals ? nil : node.literal)
      if let results = known[expression] { return .replace(results) }
      // The node is appended as it is, so that its results are the next values.
      let next = builder.graph.valueCount
      known[expression] = node.types.indices.map { Value(next + $0) }
      return .keep
    }
  }
}

extension Operation {
  /// Whether two operands can be exchanged; the bits of a NaN are of no account.
  fileprivate var isCommutative: Bool {
    switch self {
    case .binary(let op):
      switch op.function {
      case .add, .multiply, .maximum, .minimum, .and, .or, .xor: true
      case .subtract, .divide, .remainder, .power, .shiftLeft, .shiftRightArithmetic,
        .shiftRightLogical:
        false
      }
    case .compare(let op):
      switch op.function {
      case .equal, .notEqual: true
      case .less, .lessEqual, .greater, .greaterEqual: false
      }
    case .unary, .select, .clamp, .convert, .constant, .iota, .reshape, .broadcast, .transpose,
      .slice, .pad, .concatenate, .reverse, .dot, .convolution, .reduce, .argReduce, .reduceWindow,
      .reduceWindowGradient, .gather, .scatter, .random, .composite:
      false
    }
  }
}
