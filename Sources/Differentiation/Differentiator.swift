import GraphIR

/// What the rule of an operation gives: the gradient with respect to each operand.
enum VectorJacobianProduct {
  /// For each operand its gradient; nil where it is zero, or where it was not wanted.
  case gradients([Value?])
  /// The gradients of values further back: those between them and the result get none by way of it.
  case gradientsFurtherBack([(value: Value, gradient: Value)])
  /// The operation has no gradient, and why.
  case notDifferentiable(String)
}

/// Reverse-mode differentiation: one rule per operation.
///
/// A rule is called for a node with the gradient of its results and appends nodes that compute the
/// gradients of its operands. It handles only operations between floats: gradients flow neither
/// through integers nor through truth values.
struct Differentiator: OperationVisitor {
  typealias Result = VectorJacobianProduct
  typealias Failure = Diagnostic

  /// The graph that is differentiated and that receives the gradients' nodes.
  var builder: GraphBuilder
  /// The location given to the nodes that are appended.
  var location = Location.unknown
  /// The node that is being differentiated.
  private var frame = Frame()

  /// What a rule knows of the node that is being differentiated.
  private struct Frame {
    var operands: [Value] = []
    var results: [Value] = []
    var bodies: [Graph] = []
    var gradient = Value(0)
    var resultGradients: [Value?] = []
    var wanted: [Bool] = []
    var node: Node?
    var active: Set<Value> = []
    var roots: [Value] = []
  }

  init(_ builder: GraphBuilder) { self.builder = builder }

  /// The gradients of the wanted values that follow from the gradients of the seeds.
  ///
  /// - Parameters:
  ///   - seeds: gradients of values, each an input or the result of a node.
  ///   - nodes: indices of the nodes through which gradients flow.
  ///   - severed: indices of nodes through which no gradient flows.
  ///   - joinsFunctions: whether nodes that are one function of one value, element by element, get one rule.
  /// - Returns: for each wanted value its gradient; nil where it is zero.
  mutating func pullBack(
    _ seeds: [Value: Value], through nodes: Range<Int>, severed: Set<Int> = [],
    to wantedValues: [Value], joinsFunctions: Bool = true
  ) throws(Diagnostic) -> [Value?] {
    let active = activeValues(nodes, severed: severed, from: wantedValues)
    var gradients = seeds
    let outer = (frame, location)
    defer { (frame, location) = outer }
    for index in nodes.reversed() {
      let node = builder.graph.nodes[index]
      // Results outside of `active` cannot reach a wanted value.
      let results = node.results.map { active.contains($0) ? gradients[$0] : nil }
      let wanted = node.operands.map { active.contains($0) }
      guard wanted.contains(true), let first = results.lazy.compactMap({ $0 }).first else {
        continue
      }
      frame = Frame(
        operands: node.operands, results: node.results, bodies: node.bodies, gradient: first,
        resultGradients: results, wanted: wanted, node: node, active: active,
        roots: wantedValues)
      if node.location != .unknown { location = node.location }
      if joinsFunctions, let function = scalarFunction(endingAt: index) {
        guard let gradient = try pullBack(function, first) else { continue }
        try contribute(gradient, to: function.argument, &gradients)
      } else {
        try accumulate(node, &gradients)
      }
    }
    return wantedValues.map { gradients[$0] }
  }

  /// Adds a node's contributions to its operands' gradients.
  private mutating func accumulate(
    _ node: Node, _ gradients: inout [Value: Value]
  ) throws(Diagnostic) {
    switch try node.operation.accept(&self) {
    case .notDifferentiable(let reason):
      throw Diagnostic(
        .notDifferentiable, "\(node.operation.mnemonic) has no gradient: \(reason)",
        at: node.location)
    case .gradients(let contributions):
      for (position, operand) in node.operands.enumerated() where wants(position) {
        guard let contribution = contributions[position] else { continue }
        try contribute(contribution, to: operand, &gradients)
      }
    case .gradientsFurtherBack(let contributions):
      for (value, gradient) in contributions { try contribute(gradient, to: value, &gradients) }
    }
  }

  private mutating func contribute(
    _ gradient: Value, to value: Value, _ gradients: inout [Value: Value]
  ) throws(Diagnostic) {
    if let sum = gradients[value] {
      gradients[value] = try add(sum, gradient)
    } else {
      gradients[value] = gradient
    }
  }

  /// The floating-point values that depend on a wanted value by way of the given nodes.
  private func activeValues(
    _ nodes: Range<Int>, severed: Set<Int>, from wantedValues: [Value]
  ) -> Set<Value> {
    var active = Set(wantedValues)
    for index in nodes where !severed.contains(index) {
      let node = builder.graph.nodes[index]
      guard node.operands.contains(where: { active.contains($0) }) else { continue }
      for (value, type) in zip(node.results, node.types) where type.dtype.isFloat {
        active.insert(value)
      }
    }
    return active
  }

  /// The node's operands.
  var operands: [Value] { frame.operands }

  /// The node's nested graphs.
  var bodies: [Graph] { frame.bodies }

  /// The result of a node that has one.
  var result: Value { frame.results[0] }

  /// The gradient of the result of a node that has one.
  var gradient: Value { frame.gradient }

  /// For each result of the node its gradient; nil where it is zero.
  var resultGradients: [Value?] { frame.resultGradients }

  /// The node that is being differentiated.
  var node: Node? { frame.node }

  /// Whether a wanted value is on the way to a value.
  func isActive(_ value: Value) -> Bool { frame.active.contains(value) }

  /// Whether the gradient of a value is asked for.
  func isWanted(_ value: Value) -> Bool { frame.roots.contains(value) }

  /// Whether every value whose gradient is asked for was known before another one was computed.
  func areRootsBefore(_ value: Value) -> Bool {
    guard let node = builder.graph.definingNodeIndex(of: value) else { return false }
    return frame.roots.allSatisfy { root in
      builder.graph.definingNodeIndex(of: root).map { $0 < node } ?? true
    }
  }

  /// Whether an operand's gradient is wanted.
  func wants(_ position: Int) -> Bool { frame.wanted[position] }

  /// The type of a value.
  func type(of value: Value) -> TensorType { builder.type(of: value) }

  /// The extents of a value.
  func shape(of value: Value) -> Shape { builder.type(of: value).shape }
}
