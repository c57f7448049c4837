import GraphIR
import LoopIR

/// Nodes that one kernel computes, whatever else fusion finds.
struct Cluster: Hashable, Sendable {
  /// What tells clusters apart.
  var id: Int
  /// How many dimensions, the first ones, all nodes share.
  var outerRank: Int
}

/// Attention as nodes of one cluster.
///
/// Sums, and what is between them, are in f32 for f16 and bf16. The weights are not divided by the sum of their row: the
/// result is.
extension Lowerer {
  /// The nodes of a composite that is attention or its gradient; nil when it is anything else.
  mutating func attention(
    _ op: Composite, _ body: Graph
  ) throws(Diagnostic) -> [Int]? {
    let inputs = Dictionary(uniqueKeysWithValues: operands.enumerated().map { (Value($0), $1) })
    defer { cluster = nil }
    if op.name == AttentionForm.name, let form = AttentionForm(body) {
      var parts = try AttentionParts(
        self, body, inputs, form.weights, form.values, sharesRows: true)
      defer { self = parts.lowerer }
      return [try parts.result()]
    }
    if op.name == AttentionGradientForm.name, let form = AttentionGradientForm(body) {
      var parts = try AttentionParts(
        self, body, inputs, form.weights, form.values, sharesRows: false)
      defer { self = parts.lowerer }
      return try parts.gradients(form)
    }
    return nil
  }
}

/// Builds the nodes of attention, from a body's operands up.
private struct AttentionParts {
  var lowerer: Lowerer
  let body: Graph
  /// The nodes of the body's values so far.
  var known: [Value: Int]
  let form: AttentionWeights
  let cluster: Cluster
  /// The extents of the batch, of queries, keys, features and the values' columns.
  let batch: [Int]
  let (queries, keys, features, columns): (Int, Int, Int, Int)
  let dtype: DType
  let wide: DType
  private var query = 0
  private var key = 0
  private var value = 0

  init(
    _ lowerer: Lowerer, _ body: Graph, _ inputs: [Value: Int], _ form: AttentionWeights,
    _ values: Value, sharesRows: Bool
  ) throws(Diagnostic) {
    self.lowerer = lowerer
    self.body = body
    self.form = form
    known = inputs
    let (left, right) = (body.type(of: form.queries), body.type(of: values))
    batch = Array(left.shape.extents.dropLast(2))
    queries = left.shape[batch.count]
    features = left.shape[batch.count + 1]
    keys = right.shape[batch.count]
    columns = right.shape[batch.count + 1]
    dtype = left.dtype
    wide = dtype == .f16 || dtype == .bf16 ? .f32 : dtype
    cluster = Cluster(
      id: lowerer.graph.nodes.count, outerRank: batch.count + (sharesRows ? 1 : 0))
    query = try lower(form.queries)
    key = try lower(form.keys)
    value = try lower(values)
    self.lowerer.cluster = cluster
    self.lowerer.clusterNames = batchNames + ["i", "j"]
  }

  // MARK: Results

  mutating func result() throws(Diagnostic) -> Int {
    let logits = try logits()
    let maximum = fold(.max, logits, label: "reduce_max")
    let exponential = exponential(logits, maximum)
    let sum = fold(.sum, exponential, label: "reduce_sum")
    let product = contraction(
      exponential, [.query, .key], value, [.key, .column], over: .key, [.query, .column],
      label: AttentionForm.name)
    let quotient = Term.apply(
      .binary(.divide),
      [.read(operand: 0, counters([0, 1])), .read(operand: 1, counters([0]))], wide)
    return map([product, sum], narrowed(quotient), [.query, .column], dtype, "divide")
  }

  mutating func gradients(_ form: AttentionGradientForm) throws(Diagnostic) -> [Int] {
    lowerer.cluster = nil
    let gradient = try lower(form.gradient)
    lowerer.cluster = cluster
    let logits = try logits()
    let maximum = fold(.max, logits, label: "reduce_max")
    let exponential = exponential(logits, maximum)
    let sum = fold(.sum, exponential, label: "reduce_sum")
    let one = Term.constant(wide.bits(of: 1), wide)
    let inverse = map(
      [sum], .apply(.binary(.divide), [one, .read(operand: 0, counters([0]))], wide), [.query],
      wide, "divide")
    let change = contraction(
      gradient, [.query, .column], value, [.key, .column], over: .column, [.query, .key],
      label: "dot")
    let both = counters([0, 1])
    let weights = map(
      [exponential, inverse],
      .apply(
        .binary(.multiply), [.read(operand: 0, both), .read(operand: 1, counters([0]))], wide),
      [.query, .key], wide, "multiply")
    let mean = add(
      FusionNode(
        kind: .fold(.sum), type: type([.query], wide), operands: [weights, change],
        folded: [keys],
        term: .apply(
          .binary(.multiply), [.read(operand: 0, both), .read(operand: 1, both)], wide),
        names: names([.query, .key])), "reduce_sum")
    let difference = Term.apply(
      .binary(.subtract), [.read(operand: 1, both), .read(operand: 2, counters([0]))], wide)
    let product = Term.apply(.binary(.multiply), [.read(operand: 0, both), difference], wide)
    known[form.logitGradient] = lowerer.add(
      FusionNode(
        kind: .map, type: type([.query, .key], dtype), operands: [weights, change, mean],
        term: narrowed(product)), label: "multiply")
    let scoreGradient = widened(try lower(form.scoreGradient), "multiply")
    let results = [
      contraction(
        scoreGradient, [.query, .key], key, [.key, .feature], over: .key, [.query, .feature],
        label: "dot"),
      contraction(
        scoreGradient, [.query, .key], query, [.query, .feature], over: .query, [.key, .feature],
        label: "dot"),
      contraction(
        weights, [.query, .key], gradient, [.query, .column], over: .query, [.key, .column],
        label: AttentionGradientForm.name),
    ]
    if wide == dtype { return results }
    let sides: [[Side]] = [[.query, .feature], [.key, .feature], [.key, .column]]
    return zip(results, sides).map {
      map([$0], narrowed(.read(operand: 0, both)), $1, dtype, "convert")
    }
  }

  // MARK: Nodes

  /// A dimension beside the batch.
  private enum Side: String {
    case query = "i"
    case key = "j"
    case feature = "d"
    case column = "c"
  }

  private func extent(_ side: Side) -> Int {
    switch side {
    case .query: queries
    case .key: keys
    case .feature: features
    case .column: columns
    }
  }

  private var batchNames: [String] {
    batch.count <= 2 ? Array(["n", "h"].prefix(batch.count)) : batch.indices.map { "n\($0)" }
  }

  private func names(_ sides: [Side]) -> [String] { batchNames + sides.map(\.rawValue) }

  private func type(_ sides: [Side], _ dtype: DType) -> TensorType {
    TensorType(dtype, Shape(batch + sides.map(extent)))
  }

  /// The counters of the batch, then those of dimensions counted after them.
  private func counters(_ places: [Int]) -> [IndexExpression] {
    (batch.indices + places.map { batch.count + $0 }).map { .dimension(DimensionID($0)) }
  }

  /// The node of a value of the body.
  private mutating func lower(_ value: Value) throws(Diagnostic) -> Int {
    try lowerer.lower(value, of: body, &known)
  }

  /// Adds a node that is computed once and kept, by the cluster's kernel.
  private mutating func add(_ node: FusionNode, _ label: String) -> Int {
    var node = node
    node.cluster = cluster
    node.isClusterStage = true
    return lowerer.add(node, label: label)
  }

  private mutating func map(
    _ operands: [Int], _ term: Term, _ sides: [Side], _ dtype: DType, _ label: String
  ) -> Int {
    add(
      FusionNode(
        kind: .map, type: type(sides, dtype), operands: operands, term: term, names: names(sides)),
      label)
  }

  /// A term of the wide dtype, rounded to the operands'.
  private func narrowed(_ term: Term) -> Term {
    wide == dtype ? term : .apply(.convert, [term], dtype)
  }

  /// A matrix of the operands' dtype, kept in the wide one.
  private mutating func widened(_ matrix: Int, _ label: String) -> Int {
    if lowerer.graph.nodes[matrix].isClusterStage { return matrix }
    let read = Term.read(operand: 0, counters([0, 1]))
    return map(
      [matrix], wide == dtype ? read : .apply(.convert, [read], wide), [.query, .key], wide, label)
  }

  /// The scores and what they become before the softmax.
  private mutating func logits() throws(Diagnostic) -> Int {
    let scores = contraction(
      query, [.query, .feature], key, [.key, .feature], over: .feature, [.query, .key],
      label: "scores")
    known[form.scores] =
      wide == dtype
      ? scores
      : lowerer.add(
        FusionNode(
          kind: .map, type: type([.query, .key], dtype), operands: [scores],
          term: narrowed(.read(operand: 0, counters([0, 1])))), label: "convert")
    return widened(try lower(form.logits), "logits")
  }

  private mutating func fold(_ function: ReduceFunction, _ matrix: Int, label: String) -> Int {
    add(
      FusionNode(
        kind: .fold(function), type: type([.query], wide), operands: [matrix], folded: [keys],
        term: .read(operand: 0, counters([0, 1])), names: names([.query, .key])), label)
  }

  private mutating func exponential(_ logits: Int, _ maximum: Int) -> Int {
    let difference = Term.apply(
      .binary(.subtract),
      [.read(operand: 0, counters([0, 1])), .read(operand: 1, counters([0]))], wide)
    return map(
      [logits, maximum], .apply(.unary(.exp), [difference], wide), [.query, .key], wide, "exp")
  }

  /// The sum over a dimension of products of two operands, which have the batch and the given dimensions.
  private mutating func contraction(
    _ left: Int, _ leftSides: [Side], _ right: Int, _ rightSides: [Side], over folded: Side,
    _ sides: [Side], label: String
  ) -> Int {
    let all = sides + [folded]
    func factor(_ place: Int, _ node: Int, _ sides: [Side]) -> Term {
      let read = Term.read(
        operand: place, counters(sides.map { all.firstIndex(of: $0) ?? 0 }))
      return lowerer.graph.nodes[node].type.dtype == wide
        ? read : .apply(.convert, [read], wide)
    }
    let product = Term.apply(
      .binary(.multiply), [factor(0, left, leftSides), factor(1, right, rightSides)], wide)
    return add(
      FusionNode(
        kind: .contraction, type: type(sides, wide), operands: [left, right],
        folded: [extent(folded)], term: product, names: names(all)), label)
  }
}

extension Lowerer {
  /// The node of one value of a nested graph, given those of other values; what it is made of is lowered where needed.
  fileprivate mutating func lower(
    _ value: Value, of body: Graph, _ known: inout [Value: Int]
  ) throws(Diagnostic) -> Int {
    if let node = known[value] { return node }
    guard let definition = body.definition(of: value) else {
      throw Diagnostic(.internalError, "a body's input has no operand", at: node.location)
    }
    var sources: [Int] = []
    for operand in definition.operands { sources.append(try lower(operand, of: body, &known)) }
    let outer = (node, operands, origin)
    defer { (node, operands, origin) = outer }
    (node, operands) = (definition, sources)
    if definition.location != .unknown { origin.location = definition.location }
    for (result, place) in zip(definition.results, try definition.operation.accept(&self)) {
      known[result] = place
    }
    guard let node = known[value] else {
      throw Diagnostic(.internalError, "a node without the result asked for", at: node.location)
    }
    return node
  }
}
