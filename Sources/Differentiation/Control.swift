import GraphIR

/// What is known of the derivative of a composite beyond its body.
private enum CompositeRule: String {
  /// A softmax along the dimensions of the body's one sum: `dx = y * (g - sum of g * y)`.
  case softmax
  /// Does not change when all inputs along an axis grow by one number: the body's maximum only keeps
  /// exponentials in range, and no gradient need flow through it.
  case logSoftmax = "log_softmax"
  /// As `log_softmax`.
  case softmaxCrossEntropy = "softmax_cross_entropy"
  /// The gradient is a composite of its own.
  case attention
  /// The identity, with a gradient of zero.
  case stopGradient = "stop_gradient"
}

extension Differentiator {
  /// Writes the body out and differentiates that, unless there is a rule for the name.
  mutating func visit(_ op: Composite) throws(Diagnostic) -> VectorJacobianProduct {
    guard let body = bodies.first else { return .notDifferentiable("it has no body") }
    switch CompositeRule(rawValue: op.name) {
    case nil: return try pullBackThroughBody(body, severingMaximum: false)
    case .attention:
      if let gradients = try gradientOfAttention(body) { return gradients }
      return try pullBackThroughBody(body, severingMaximum: false)
    case .stopGradient: return .gradients(operands.map { _ in nil })
    case .logSoftmax, .softmaxCrossEntropy:
      return try pullBackThroughBody(body, severingMaximum: true)
    case .softmax:
      guard let dimensions = body.dimensionsOfOnlySum, operands.count == 1 else {
        return try pullBackThroughBody(body, severingMaximum: false)
      }
      let (y, g) = (result, gradient)
      let whole = shape(of: y)
      let kept = (0..<whole.rank).filter { !dimensions.contains($0) }
      let mean = try broadcast(
        reduce(.sum, multiply(g, y), dimensions), to: whole, dimensions: kept)
      return .gradients([try multiply(y, subtract(g, mean))])
    }
  }

  private mutating func pullBackThroughBody(
    _ body: Graph, severingMaximum: Bool
  ) throws(Diagnostic) -> VectorJacobianProduct {
    let first = builder.graph.nodes.count
    let results = try inline(body)
    let nodes = first..<builder.graph.nodes.count
    let severed = severingMaximum ? Set(nodes.filter { builder.graph.nodes[$0].isMaximum }) : []
    var seeds: [Value: Value] = [:]
    for (result, gradient) in zip(results, resultGradients) {
      guard let gradient else { continue }
      if let sum = seeds[result] {
        seeds[result] = try add(sum, gradient)
      } else {
        seeds[result] = gradient
      }
    }
    // A value that is several operands gets its whole gradient as the first of them.
    var wantedOnce: [Value] = []
    for (position, operand) in operands.enumerated()
    where wants(position) && !wantedOnce.contains(operand) {
      wantedOnce.append(operand)
    }
    let totals = try pullBack(seeds, through: nodes, severed: severed, to: wantedOnce)
    var gradients = [Value?](repeating: nil, count: operands.count)
    for (operand, total) in zip(wantedOnce, totals) {
      if let position = operands.firstIndex(of: operand) { gradients[position] = total }
    }
    return .gradients(gradients)
  }

  /// Appends a body's nodes with the operands for its inputs, and gives its outputs' values.
  private mutating func inline(_ body: Graph) throws(Diagnostic) -> [Value] {
    var values = operands
    for inner in body.nodes {
      values += try builder.append(
        inner.operation, inner.operands.map { values[Int($0.index)] }, bodies: inner.bodies,
        literal: inner.literal, at: inner.location == .unknown ? location : inner.location)
    }
    return body.outputs.map { values[Int($0.value.index)] }
  }
}

extension Node {
  fileprivate var isMaximum: Bool {
    if case .reduce(let op) = operation { op.function == .max } else { false }
  }
}

extension Graph {
  /// The dimensions of the sum, when there is exactly one, of one input to one output.
  fileprivate var dimensionsOfOnlySum: [Int]? {
    var found: [[Int]] = []
    for node in nodes {
      if case .reduce(let op) = node.operation, op.function == .sum { found.append(op.dimensions) }
    }
    return found.count == 1 && inputs.count == 1 && outputs.count == 1 ? found[0] : nil
  }
}
