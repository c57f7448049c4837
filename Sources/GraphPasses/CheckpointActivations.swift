import GraphIR

/// Computes values of the forward pass again in the backward pass, instead of keeping them all until then.
///
/// The nodes up to the graph's first output, the loss, are cut into segments. What a segment hands on is kept; what the
/// backward pass reads of its inside is computed again right before, from what was handed on to it (Chen, Xu, Zhang and
/// Guestrin, "Training deep nets with sublinear memory cost", 2016). The last segment stays as it is, since the
/// backward pass begins with it. The segments are chosen by their bytes: see `ForwardPass`.
///
/// The copies read the kept values through a composite `recompute`, the identity: equal nodes would else become one again.
public struct CheckpointActivations: GraphPass {
  /// The name in pipelines.
  public let name = "checkpoint"
  /// What the pass does.
  public let summary = "compute activations again in the backward pass instead of keeping them"

  /// Makes the pass.
  public init() {}

  /// Rewrites the graph; one whose first output is no scalar has no loss, and stays.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    guard let forward = ForwardPass(graph) else { return false }
    let segments = Recomputation.segments(of: forward, in: graph)
    guard segments.contains(where: { !$0.nodes.isEmpty }) else { return false }
    graph = try rewritten(graph, forward, segments)
    return true
  }

  private func rewritten(
    _ graph: Graph, _ forward: ForwardPass, _ segments: [Recomputation]
  ) throws(Diagnostic) -> Graph {
    var builder = GraphBuilder(name: graph.name)
    var values = graph.inputs.map {
      builder.input($0.name, $0.type, donatedTo: $0.donatedTo, location: $0.location)
    }
    // What the backward pass reads in the place of a value of the forward pass.
    var again: [Value: Value] = [:]
    var isComputed = [Bool](repeating: false, count: segments.count)
    for (index, original) in graph.nodes.enumerated() {
      var node = original
      if index >= forward.end {
        for operand in original.operands {
          guard let segment = segments.firstIndex(where: { $0.results.contains(operand) }),
            !isComputed[segment]
          else { continue }
          isComputed[segment] = true
          builder.location = original.location
          let copies = try segments[segment].append(to: &builder, from: graph, values)
          again.merge(copies) { first, _ in first }
        }
      }
      node.operands = original.operands.map { operand in
        let copy = index >= forward.end ? again[operand] : nil
        return copy ?? values[Int(operand.index)]
      }
      values += try builder.append(node)
    }
    return try builder.finish(graph.outputs.map { Output($0.name, values[Int($0.value.index)]) })
  }
}

/// What of one segment is computed again.
private struct Recomputation {
  /// The nodes, in order.
  var nodes: [Int] = []
  /// The kept values and inputs of the graph that they read.
  var sources: [Value] = []
  /// The values that the backward pass reads.
  var results: Set<Value> = []

  /// For each segment but the last what the backward pass needs of it.
  ///
  /// What one segment reads of an earlier one is kept, and then not computed again either.
  static func segments(of forward: ForwardPass, in graph: Graph) -> [Recomputation] {
    var wanted = [Set<Value>](repeating: [], count: forward.segments.count)
    for node in graph.nodes[forward.end...] {
      for operand in node.operands {
        guard let root = forward.root(of: operand) else { continue }
        wanted[forward.segment(of: root)].insert(operand)
      }
    }
    var kept = Set<Value>()
    var found: [Recomputation] = []
    for segment in forward.segments.indices.dropLast().reversed() {
      var recomputation = Recomputation()
      var seen = Set<Value>()
      for value in wanted[segment].sorted() {
        guard let root = forward.rootValue(of: value), !kept.contains(root) else { continue }
        recomputation.results.insert(value)
        recomputation.add(value, of: segment, forward, graph, kept, &seen)
      }
      recomputation.nodes = Set(recomputation.nodes).sorted()
      recomputation.sources.sort()
      kept.formUnion(recomputation.sources)
      found.append(recomputation)
    }
    return found
  }

  /// Adds the nodes that give a value from what is kept.
  private mutating func add(
    _ value: Value, of segment: Int, _ forward: ForwardPass, _ graph: Graph, _ kept: Set<Value>,
    _ seen: inout Set<Value>
  ) {
    // A chain of nodes may be long: no recursion.
    var pending = [value]
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      guard let index = graph.definingNodeIndex(of: value) else {
        sources.append(value)
        continue
      }
      let node = graph.nodes[index]
      if node.operands.isEmpty { continue }
      if !node.onlyMoves, kept.contains(value) || forward.segment(of: index) != segment {
        sources.append(value)
        continue
      }
      nodes.append(index)
      pending += node.operands
    }
  }

  /// Appends the nodes once more; gives for each value the new one.
  func append(
    to builder: inout GraphBuilder, from graph: Graph, _ values: [Value]
  ) throws(Diagnostic) -> [Value: Value] {
    let operands = sources.map { values[Int($0.index)] }
    // What follows from constants alone is computed once, anyway.
    let held =
      operands.isEmpty
      ? [] : try builder.composite(Composite.recomputation, operands) { _, inputs in inputs }
    var copies = Dictionary(uniqueKeysWithValues: zip(sources, held))
    for index in nodes {
      var node = graph.nodes[index]
      node.operands = node.operands.map { copies[$0] ?? values[Int($0.index)] }
      for (old, new) in zip(node.results, try builder.append(node)) { copies[old] = new }
    }
    return copies.filter { results.contains($0.key) }
  }
}
