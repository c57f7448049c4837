/// Attention that is written out in a graph node by node, as the composite that computes the same.
package struct WrittenAttention: Sendable {
  /// An operand, and the order in which attention takes its dimensions: those of the batch, then the two of the matrix.
  package struct Side: Hashable, Sendable {
    /// The value in the graph.
    package var value: Value
    /// Dimension d of the operand is dimension `permutation[d]` of the value.
    package var permutation: [Int]
  }

  /// Queries, keys and values.
  package let sides: [Side]
  /// What else the body takes: masks, say.
  package let others: [Value]
  /// The product of queries and keys, in the graph.
  package let scores: Value
  /// The weights, in the graph.
  package let weights: Value
  /// The body: its first inputs are queries, keys and values, then come the others.
  package let body: Graph

  /// So many nodes may lie between scores and weights, and between them and what makes a mask.
  private static let mostNodes = 64

  /// Attention whose last product is a node on values of a graph; nil when the node is anything else.
  package init?(_ node: Node, in graph: Graph) {
    guard case .dot(let last) = node.operation, let rank = node.types.first?.shape.rank, rank >= 2,
      case let weights = node.operands[0], graph.type(of: weights).dtype.isFloat,
      last.lhsBatch == Array(0..<rank - 2), last.lhsContracting == [rank - 1],
      let values = Side(
        node.operands[1], last.rhsBatch, last.rhsContracting, freeLast: true, graph),
      let logits = graph.softmaxOperand(weights),
      let scores = graph.scores(below: logits, isScores: { $0.isProductOfMatrices(in: graph) }),
      let dot = graph.definition(of: scores), case .dot(let first) = dot.operation,
      let queries = Side(
        dot.operands[0], first.lhsBatch, first.lhsContracting, freeLast: false, graph),
      let keys = Side(dot.operands[1], first.rhsBatch, first.rhsContracting, freeLast: false, graph)
    else { return nil }
    sides = [queries, keys, values]
    self.scores = scores
    self.weights = weights
    var writer = BodyCopier(graph, scores: scores, location: node.location)
    guard let body = try? writer.copy(sides, weights: weights), AttentionForm(body) != nil else {
      return nil
    }
    self.body = body
    others = writer.others
  }

  /// Copies what computes the weights into a body.
  private struct BodyCopier {
    let graph: Graph
    let scores: Value
    var builder = GraphBuilder(name: AttentionForm.name)
    var copies: [Value: Value] = [:]
    var others: [Value] = []
    var count = 0

    init(_ graph: Graph, scores: Value, location: Location) {
      self.graph = graph
      self.scores = scores
      builder.location = location
    }

    mutating func copy(_ sides: [Side], weights: Value) throws(Diagnostic) -> Graph? {
      let inputs = sides.map { side in
        let type = graph.type(of: side.value)
        let extents = side.permutation.map { type.shape[$0] }
        return builder.input("x\(count(up: 1))", TensorType(type.dtype, Shape(extents)))
      }
      let rank = sides[0].permutation.count
      let batch = Array(0..<rank - 2)
      copies[scores] = try builder.dot(
        inputs[0], inputs[1], batch: [batch, batch], contracting: [[rank - 1], [rank - 1]])
      guard let nodes = nodes(to: weights) else { return nil }
      for node in nodes {
        var operands: [Value] = []
        for operand in node.operands { operands.append(try leaf(operand, 0)) }
        try append(node, operands)
      }
      guard let weights = copies[weights] else { return nil }
      let result = try builder.dot(
        weights, inputs[2], batch: [batch, batch], contracting: [[rank - 1], [rank - 2]])
      return try builder.finish([result])
    }

    private mutating func count(up step: Int) -> Int {
      defer { count += step }
      return count
    }

    private mutating func append(_ node: Node, _ operands: [Value]) throws(Diagnostic) {
      let results = try builder.append(
        node.operation, operands, bodies: node.bodies, literal: node.literal, at: node.location)
      for (old, new) in zip(node.results, results) { copies[old] = new }
    }

    /// The nodes between the scores and a value, in order.
    private func nodes(to value: Value) -> [Node]? {
      guard let first = graph.definingNodeIndex(of: scores),
        let last = graph.definingNodeIndex(of: value)
      else { return nil }
      var depends: Set<Value> = [scores]
      var needed: Set<Value> = [value]
      for node in graph.nodes[first...last].reversed() where !needed.isDisjoint(with: node.results)
      {
        needed.formUnion(node.operands)
      }
      var found: [Node] = []
      for node in graph.nodes[first...last].dropFirst()
      where !depends.isDisjoint(with: node.operands) && !needed.isDisjoint(with: node.results) {
        depends.formUnion(node.results)
        found.append(node)
      }
      return found.count <= WrittenAttention.mostNodes ? found : nil
    }

    /// A value beside the scores: what needs no memory is computed in the body.
    private mutating func leaf(_ value: Value, _ depth: Int) throws(Diagnostic) -> Value {
      if let copy = copies[value] { return copy }
      if let node = graph.definition(of: value), depth < 16, node.isRepetition || isClosed(value, 0)
      {
        var operands: [Value] = []
        for operand in node.operands { operands.append(try leaf(operand, depth + 1)) }
        try append(node, operands)
        if let copy = copies[value] { return copy }
      }
      let input = builder.input("x\(count(up: 1))", graph.type(of: value))
      others.append(value)
      copies[value] = input
      return input
    }

    /// Whether a value is made of counters and scalars alone.
    private func isClosed(_ value: Value, _ depth: Int) -> Bool {
      guard depth < 8, let node = graph.definition(of: value),
        node.isElementwise || node.isRepetition || node.isCounter
      else { return false }
      return node.operands.allSatisfy { isClosed($0, depth + 1) }
    }
  }
}

extension WrittenAttention.Side {
  /// An operand of a dot with one contracted and one free dimension; nil when there are more.
  fileprivate init?(
    _ value: Value, _ batch: [Int], _ contracting: [Int], freeLast: Bool, _ graph: Graph
  ) {
    let used = batch + contracting
    let free = graph.type(of: value).shape.extents.indices.filter { !used.contains($0) }
    guard contracting.count == 1, free.count == 1 else { return nil }
    self.value = value
    permutation = batch + (freeLast ? contracting + free : free + contracting)
  }
}

extension Node {
  /// Whether the node is a product of matrices, one for each point of a batch.
  fileprivate func isProductOfMatrices(in graph: Graph) -> Bool {
    guard case .dot(let op) = operation, op.lhsContracting.count == 1 else { return false }
    return operands.allSatisfy {
      graph.type(of: $0).shape.rank == op.lhsBatch.count + 2
    }
  }

  /// Whether the node repeats its operand, or shows it under another shape.
  fileprivate var isRepetition: Bool {
    switch operation {
    case .broadcast, .reshape: true
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .iota, .transpose, .slice,
      .pad, .concatenate, .reverse, .dot, .convolution, .reduce, .argReduce, .reduceWindow,
      .reduceWindowGradient, .gather, .scatter, .random, .composite:
      false
    }
  }

  /// Whether the node is a counter or a scalar.
  fileprivate var isCounter: Bool {
    switch operation {
    case .iota: true
    case .constant(let op): op.shape.isEmpty
    case .unary, .binary, .compare, .select, .clamp, .convert, .reshape, .broadcast, .transpose,
      .slice, .pad, .concatenate, .reverse, .dot, .convolution, .reduce, .argReduce, .reduceWindow,
      .reduceWindowGradient, .gather, .scatter, .random, .composite:
      false
    }
  }
}
