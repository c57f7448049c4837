import GraphIR

extension Differentiator {
  /// The gradient of attention as one composite, which computes the weights again: nothing of their size is kept.
  ///
  /// Nil when the body is not attention of three inputs, or other gradients than theirs are wanted.
  mutating func gradientOfAttention(
    _ body: Graph
  ) throws(Diagnostic) -> VectorJacobianProduct? {
    guard let form = AttentionForm(body) else { return nil }
    let places = [form.weights.queries, form.weights.keys, form.values].compactMap {
      body.inputIndex(of: $0)
    }
    guard Set(places).count == 3,
      operands.indices.allSatisfy({ places.contains($0) || !wants($0) })
    else { return nil }
    guard let results = try gradients(of: body, form, operands) else { return nil }
    var gradients = [Value?](repeating: nil, count: operands.count)
    for (place, result) in zip(places, results) where wants(place) { gradients[place] = result }
    return .gradients(gradients)
  }

  /// The same for attention that is written out, of which the node at hand is the last product.
  mutating func gradientOfWrittenAttention() throws(Diagnostic) -> VectorJacobianProduct? {
    guard let node, let written = WrittenAttention(node, in: builder.graph),
      let form = AttentionForm(written.body), !written.others.contains(where: isActive),
      // What lies between the scores and the result gets no gradient.
      areRootsBefore(written.scores)
    else { return nil }
    var operands: [Value] = []
    for side in written.sides { operands.append(try transpose(side.value, side.permutation)) }
    guard let results = try gradients(of: written.body, form, operands + written.others) else {
      return nil
    }
    var found: [(value: Value, gradient: Value)] = []
    for (side, result) in zip(written.sides, results) where isActive(side.value) {
      var back = side.permutation
      for (place, dimension) in side.permutation.enumerated() { back[dimension] = place }
      found.append((side.value, try transpose(result, back)))
    }
    return .gradientsFurtherBack(found)
  }

  /// The gradients of queries, keys and values, by a composite; nil when there is none.
  private mutating func gradients(
    of body: Graph, _ form: AttentionForm, _ operands: [Value]
  ) throws(Diagnostic) -> [Value]? {
    let inner = try attentionGradientBody(body, form)
    // What is on the way from the logits to the scores may be of another form than this computation has.
    guard AttentionGradientForm(inner) != nil else { return nil }
    return try builder.append(
      .composite(Composite(AttentionGradientForm.name)), operands + [gradient], bodies: [inner],
      at: location)
  }

  private func attentionGradientBody(
    _ body: Graph, _ form: AttentionForm
  ) throws(Diagnostic) -> Graph {
    var inner = GraphBuilder(name: AttentionGradientForm.name)
    for input in body.inputs { _ = inner.input(input.name, input.type) }
    let g = inner.input("g", body.type(of: body.outputs[0].value))
    // The inputs come first, with the gradient behind them: the body's nodes move by one.
    func moved(_ value: Value) -> Value {
      body.inputIndex(of: value) == nil ? Value(Int(value.index) + 1) : value
    }
    let last = body.definingNodeIndex(of: form.weights.weights) ?? 0
    for node in body.nodes[...last] {
      try inner.append(
        node.operation, node.operands.map(moved), bodies: node.bodies, literal: node.literal,
        at: node.location == .unknown ? location : node.location)
    }
    let (weights, values) = (moved(form.weights.weights), moved(form.values))
    let scoreNodes = firstNodes(of: body, from: form.weights)
    var rules = Differentiator(inner)
    rules.location = location
    let rank = body.type(of: form.weights.queries).shape.rank
    let batch = Array(0..<rank - 2)
    func dot(_ left: Int, _ right: Int) -> Operation {
      .dot(Dot(batch: [batch, batch], contracting: [[left], [right]]))
    }
    let change = try rules.append(dot(rank - 1, rank - 1), g, values)
    let mean = try rules.broadcast(
      rules.reduce(.sum, rules.multiply(change, weights), [rank - 1]),
      to: rules.shape(of: weights), dimensions: Array(0..<rank - 1))
    let logits = try rules.multiply(weights, rules.subtract(change, mean))
    let pulled = try rules.pullBack(
      [moved(form.weights.logits): logits], through: scoreNodes, to: [moved(form.weights.scores)])
    let scores: Value
    if let gradient = pulled[0] {
      scores = gradient
    } else {
      scores = try rules.constant(0, like: logits)
    }
    let results = [
      try rules.append(dot(rank - 1, rank - 2), scores, moved(form.weights.keys)),
      try rules.append(dot(rank - 2, rank - 2), scores, moved(form.weights.queries)),
      try rules.append(dot(rank - 2, rank - 2), weights, g),
    ]
    return try rules.builder.finish(results)
  }

  /// The nodes after the scores, up to the logits.
  private func firstNodes(of body: Graph, from weights: AttentionWeights) -> Range<Int> {
    let first = (body.definingNodeIndex(of: weights.scores) ?? 0) + 1
    let last = (body.definingNodeIndex(of: weights.logits) ?? 0) + 1
    return min(first, last)..<last
  }
}
