/// The weights of attention in a graph: `softmax(logits)` along the last dimension, with logits made element by element
/// of the scores `queries keys^T`.
///
/// Scores and logits are floats of one dtype: a kernel of attention has one.
package struct AttentionWeights: Hashable, Sendable {
  /// `[..., q, d]`.
  package var queries: Value
  /// `[..., k, d]`.
  package var keys: Value
  /// The dot, `[..., q, k]`.
  package var scores: Value
  /// What the softmax is taken of, `[..., q, k]`.
  package var logits: Value
  /// The softmax, `[..., q, k]`.
  package var weights: Value

  /// The weights that a value of a graph is; nil when it is none.
  package init?(_ weights: Value, in graph: Graph) {
    guard let logits = graph.softmaxOperand(weights),
      let scores = graph.scores(
        below: logits,
        isScores: { node in
          node.results.contains { graph.product($0, contracting: [.last, .last]) != nil }
        }),
      let dot = graph.definition(of: scores),
      case let dtype = graph.type(of: scores).dtype, dtype.isFloat,
      graph.type(of: logits).dtype == dtype
    else { return nil }
    self.weights = weights
    self.logits = logits
    self.scores = scores
    queries = dot.operands[0]
    keys = dot.operands[1]
  }
}

/// Attention as the body of a composite named `attention`: `weights values`.
package struct AttentionForm: Hashable, Sendable {
  /// The composite's name.
  package static let name = "attention"
  /// The weights.
  package var weights: AttentionWeights
  /// `[..., k, v]`.
  package var values: Value

  /// The form of a body; nil when it computes anything else.
  package init?(_ body: Graph) {
    guard body.outputs.count == 1,
      let (weights, values) = body.product(body.outputs[0].value, contracting: [.last, .rows]),
      let found = AttentionWeights(weights, in: body), body.hasSeveral(found, values)
    else { return nil }
    self.weights = found
    self.values = values
  }
}

/// The gradient of attention as the body of a composite named `attention_gradient`, whose results are the gradients of
/// queries, keys and values.
///
/// With weights P, values V and the gradient G of the result: `dV = P^T G`, `dP = G V^T`, and the gradient of the
/// logits is `P * (dP - sum of dP * P)`.
package struct AttentionGradientForm: Hashable, Sendable {
  /// The composite's name.
  package static let name = "attention_gradient"
  /// The weights.
  package var weights: AttentionWeights
  /// `[..., k, v]`.
  package var values: Value
  /// The gradient of the result, `[..., q, v]`.
  package var gradient: Value
  /// The gradient of the logits, `[..., q, k]`.
  package var logitGradient: Value
  /// The gradient of the scores, `[..., q, k]`.
  package var scoreGradient: Value

  /// The form of a body; nil when it computes anything else.
  package init?(_ body: Graph) {
    let results = body.outputs.map(\.value)
    guard results.count == 3,
      let (scoreGradient, keys) = body.product(results[0], contracting: [.last, .rows]),
      let (same, queries) = body.product(results[1], contracting: [.rows, .rows]),
      let (weights, gradient) = body.product(results[2], contracting: [.rows, .rows]),
      same == scoreGradient, let found = AttentionWeights(weights, in: body),
      found.queries == queries, found.keys == keys,
      let logitGradient = body.logitGradient(weights: weights, gradient: gradient)
    else { return nil }
    self.weights = found
    self.gradient = gradient
    self.logitGradient = logitGradient.value
    self.scoreGradient = scoreGradient
    values = logitGradient.values
    guard body.isElementwise(from: logitGradient.value, to: scoreGradient),
      body.hasSeveral(found, values)
    else { return nil }
  }
}

extension Node {
  /// Whether the node is attention or its gradient in a form that is computed as a whole, without its matrices in
  /// memory.
  package var isWholeAttention: Bool {
    guard case .composite(let op) = operation, let body = bodies.first else { return false }
    return switch op.name {
    case AttentionForm.name: AttentionForm(body) != nil
    case AttentionGradientForm.name: AttentionGradientForm(body) != nil
    default: false
    }
  }
}

/// A dimension of a matrix that a product sums over.
private enum MatrixDimension {
  case rows
  case last
}

extension Graph {
  /// The operands of a product of matrices `[..., m, n]`, of which all dimensions before are batch dimensions in order.
  fileprivate func product(
    _ value: Value, contracting: [MatrixDimension]
  ) -> (Value, Value)? {
    guard let node = definition(of: value), case .dot(let op) = node.operation,
      case let rank = type(of: node.operands[0]).shape.rank, rank >= 2,
      type(of: node.operands[1]).shape.rank == rank,
      op.lhsBatch == Array(0..<rank - 2), op.rhsBatch == op.lhsBatch,
      op.contracting == contracting.map({ [$0 == .last ? rank - 1 : rank - 2] })
    else { return nil }
    return (node.operands[0], node.operands[1])
  }

  /// Whether there are several queries, keys and columns: else attention is no product of matrices.
  fileprivate func hasSeveral(_ weights: AttentionWeights, _ values: Value) -> Bool {
    [weights.queries, weights.keys, values].allSatisfy { value in
      let extents = type(of: value).shape.extents
      return extents.suffix(2).allSatisfy { $0 > 1 } && extents.allSatisfy { $0 > 0 }
    }
  }

  // MARK: Softmax

  /// What a value is the softmax of along its last dimension, written out or as a composite.
  func softmaxOperand(_ value: Value) -> Value? {
    guard let node = definition(of: value) else { return nil }
    if case .composite(let op) = node.operation, op.name != "stop_gradient",
      let body = node.bodies.first, node.operands.count == 1,
      body.outputs.count == 1, let inner = body.softmaxOperand(body.outputs[0].value),
      body.inputIndex(of: inner) == 0
    {
      return node.operands[0]
    }
    guard let (exponential, total) = binary(.divide, value),
      isRowStatistic(total, .sum, of: exponential),
      let exp = definition(of: exponential), exp.operation == .unary(Unary(.exp)),
      let (logits, maximum) = binary(.subtract, exp.operands[0]),
      isRowStatistic(maximum, .max, of: logits)
    else { return nil }
    return logits
  }

  private func binary(_ function: BinaryFunction, _ value: Value) -> (Value, Value)? {
    guard let node = definition(of: value), node.operation == .binary(Binary(function)) else {
      return nil
    }
    return (node.operands[0], node.operands[1])
  }

  /// Whether a value repeats, along the last dimension, what a matrix's rows are reduced to.
  private func isRowStatistic(
    _ value: Value, _ function: ReduceFunction, of matrix: Value
  ) -> Bool {
    let whole = type(of: matrix).shape
    let rows = whole.extents.dropLast()
    guard let node = definition(of: value), case .broadcast(let op) = node.operation,
      op.shape == whole.extents
    else { return false }
    var source = node.operands[0]
    if op.dimensions == Array(0..<whole.rank) {
      guard type(of: source).shape.extents == rows + [1] else { return false }
      while let inner = definition(of: source), inner.isPlain,
        type(of: source).shape.rank > rows.count
      {
        source = inner.operands[0]
      }
    } else if op.dimensions != Array(0..<rows.count) {
      return false
    }
    while let inner = definition(of: source), case .composite(let op) = inner.operation,
      op.name == "stop_gradient", inner.operands.count == 1
    {
      source = inner.operands[0]
    }
    guard type(of: source).shape.extents == Array(rows), let reduce = definition(of: source) else {
      return false
    }
    return reduce.operation == .reduce(Reduce(function, dimensions: [whole.rank - 1]))
      && reduce.operands[0] == matrix
  }

  /// The gradient of logits that follows from that of the result: `P * (dP - sum of dP * P)` with `dP = G V^T`.
  fileprivate func logitGradient(
    weights: Value, gradient: Value
  ) -> (value: Value, values: Value)? {
    for node in nodes {
      guard let value = node.results.first, let (first, difference) = binary(.multiply, value),
        first == weights, let (change, mean) = binary(.subtract, difference),
        let (left, values) = product(change, contracting: [.last, .last]), left == gradient,
        let weighted = nodes.lazy.compactMap(\.results.first).first(where: { candidate in
          binary(.multiply, candidate).map { $0 == (change, weights) } ?? false
        }), isRowStatistic(mean, .sum, of: weighted)
      else { continue }
      return (value, values)
    }
    return nil
  }

  // MARK: Element by element

  /// The one product of matrices of which a value is made element by element.
  func scores(below logits: Value, isScores: (Node) -> Bool) -> Value? {
    var pending = [logits]
    var seen: Set<Value> = []
    var found: Value?
    while let value = pending.popLast() {
      guard seen.insert(value).inserted, let node = definition(of: value),
        type(of: value).shape == type(of: logits).shape
      else { continue }
      if isScores(node) {
        if found != nil { return nil }
        found = value
      } else if node.isElementwise {
        pending += node.operands
      }
    }
    return found.flatMap { isElementwise(from: $0, to: logits) ? $0 : nil }
  }

  /// Whether all ways from one value to another go through computations element by element, on tensors of its shape.
  fileprivate func isElementwise(from source: Value, to result: Value) -> Bool {
    var depends: Set<Value> = [source]
    var onWay: Set<Value> = [result]
    for node in nodes.reversed() where node.results.contains(where: onWay.contains) {
      onWay.formUnion(node.operands)
    }
    for node in nodes where node.operands.contains(where: depends.contains) {
      depends.formUnion(node.results)
      guard node.results.contains(where: onWay.contains) else { continue }
      guard node.isElementwise, node.types[0].shape == type(of: source).shape else { return false }
    }
    return depends.contains(result)
  }
}

extension Node {
  /// Whether elements of the result are computed from those at the same place.
  package var isElementwise: Bool {
    switch operation {
    case .unary, .binary, .compare, .select, .clamp, .convert: true
    case .constant, .iota, .reshape, .broadcast, .transpose, .slice, .pad, .concatenate, .reverse,
      .dot, .convolution, .reduce, .argReduce, .reduceWindow, .reduceWindowGradient, .gather,
      .scatter, .random, .composite:
      false
    }
  }

  /// Whether the node is its operand under another shape, or without a gradient.
  fileprivate var isPlain: Bool {
    switch operation {
    case .reshape: true
    case .composite(let op): op.name == "stop_gradient" && operands.count == 1
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .iota, .broadcast,
      .transpose, .slice, .pad, .concatenate, .reverse, .dot, .convolution, .reduce, .argReduce,
      .reduceWindow, .reduceWindowGradient, .gather, .scatter, .random:
      false
    }
  }
}
