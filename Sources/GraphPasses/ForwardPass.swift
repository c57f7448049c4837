import GraphIR

/// The nodes of a training step up to its loss, in segments.
///
/// A cut costs the bytes that cross it, which are kept; a segment costs the bytes that the backward pass reads of its
/// inside. Both are in memory when the backward pass works on the segment, so the cuts are those with the least sum of
/// all that is kept and the largest inside: for each of several bounds on the insides the cheapest cuts are found by
/// dynamic programming, and the best of these are taken. For equal layers that makes about sqrt(n) segments.
struct ForwardPass {
  /// The number of nodes up to the loss, that one included.
  let end: Int
  /// The segments of 0..<end, in order.
  private(set) var segments: [Range<Int>] = []
  /// For each value the node that computes it, when it is not only moved from elsewhere; nil for what comes from
  /// inputs and constants.
  private let roots: [Value?]
  private let graph: Graph

  /// Finds the segments; nil when the graph's first output is not the scalar result of a node.
  init?(_ graph: Graph) {
    guard let loss = graph.outputs.first?.value, graph.type(of: loss).shape.rank == 0,
      let index = graph.definingNodeIndex(of: loss)
    else { return nil }
    self.graph = graph
    end = index + 1
    var roots = [Value?](repeating: nil, count: graph.valueCount)
    for node in graph.nodes {
      for result in node.results {
        if node.operands.isEmpty { continue }
        roots[Int(result.index)] = node.onlyMoves ? roots[Int(node.operands[0].index)] : result
      }
    }
    self.roots = roots
    segments = SegmentChoice(graph, end: end, roots: roots).best()
  }

  /// The value of the forward pass that another one only moves about: itself, in most cases.
  func rootValue(of value: Value) -> Value? {
    guard let root = roots[Int(value.index)], let node = graph.definingNodeIndex(of: root),
      node < end
    else { return nil }
    return root
  }

  /// The node that computes a value of the forward pass.
  func root(of value: Value) -> Int? {
    rootValue(of: value).flatMap { graph.definingNodeIndex(of: $0) }
  }

  /// The segment of a node.
  func segment(of node: Int) -> Int {
    segments.firstIndex { $0.contains(node) } ?? segments.count - 1
  }
}

extension Node {
  /// Whether the elements are only put in other places, which fusion does without memory.
  var onlyMoves: Bool {
    switch operation {
    case .reshape, .broadcast, .transpose, .slice, .reverse: true
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .iota, .pad,
      .concatenate, .dot, .convolution, .reduce, .argReduce, .reduceWindow, .reduceWindowGradient,
      .gather, .scatter, .random, .composite:
      false
    }
  }
}

/// Weighs the cuts of a forward pass.
private struct SegmentChoice {
  /// For each node the bytes of its results, the last forward node that reads them (itself when none does), and the
  /// bytes that the backward pass reads.
  private var bytes: [Int]
  private var lastUse: [Int]
  private var saved: [Int]
  /// Where cuts may be: 0, some places, the end.
  private var places: [Int] = []

  /// The most places that are weighed: the work grows with their square.
  private static let mostPlaces = 400
  /// The most segments that are aimed at.
  private static let mostSegments = 48

  init(_ graph: Graph, end: Int, roots: [Value?]) {
    bytes = [Int](repeating: 0, count: end)
    lastUse = Array(0..<end)
    saved = bytes
    var isRead = Set<Value>()
    for (index, node) in graph.nodes.enumerated() {
      for operand in node.operands {
        guard let root = roots[Int(operand.index)], let source = graph.definingNodeIndex(of: root),
          source < end
        else { continue }
        if index < end {
          lastUse[source] = index
        } else if isRead.insert(root).inserted {
          saved[source] += graph.type(of: root).byteCount
        }
      }
      if index < end, !node.onlyMoves, !node.operands.isEmpty {
        bytes[index] = node.types.reduce(0) { $0 + $1.byteCount }
      }
    }
    places = cheapestPlaces()
  }

  /// The places at which the fewest bytes cross, in order.
  private func cheapestPlaces() -> [Int] {
    var change = [Int](repeating: 0, count: bytes.count + 1)
    for node in bytes.indices {
      change[node + 1] += bytes[node]
      if lastUse[node] + 1 <= bytes.count { change[lastUse[node] + 1] -= bytes[node] }
    }
    var crossing: [(place: Int, bytes: Int)] = []
    var sum = 0
    for place in 1..<max(bytes.count, 1) {
      sum += change[place]
      if bytes[place - 1] > 0 { crossing.append((place, sum)) }
    }
    let chosen = crossing.sorted { ($0.bytes, $0.place) < ($1.bytes, $1.place) }
      .prefix(SegmentChoice.mostPlaces).map(\.place)
    return [0] + chosen.sorted() + [bytes.count]
  }

  /// What a segment from one place to another keeps, and what the backward pass reads of its inside.
  private struct Cost {
    var kept = 0
    var inside = 0
  }

  /// The costs of the segments from a place to each later one.
  private func costs(from first: Int) -> [Cost] {
    var cost = Cost()
    var found: [Cost] = []
    var leaving = [Cost](repeating: Cost(), count: bytes.count)
    var node = places[first]
    for place in places[(first + 1)...] {
      while node < place {
        cost.kept += bytes[node]
        leaving[lastUse[node]].kept += bytes[node]
        leaving[lastUse[node]].inside += saved[node]
        // What is read up to here is no longer handed on.
        cost.kept -= leaving[node].kept
        cost.inside += leaving[node].inside
        node += 1
      }
      found.append(cost)
    }
    return found
  }

  /// The segments with the least sum of what is kept and the largest inside.
  func best() -> [Range<Int>] {
    let costs = places.indices.dropLast().map { self.costs(from: $0) }
    let all = saved.reduce(0, +)
    var best: (bytes: Int, cuts: [Int])?
    for count in 1...SegmentChoice.mostSegments {
      guard let (bytes, cuts) = cheapest(costs, insideAtMost: all / count) else { break }
      if best.map({ bytes < $0.bytes }) ?? true { best = (bytes, cuts) }
    }
    let cuts = best?.cuts ?? [0, bytes.count]
    return zip(cuts, cuts.dropFirst()).map { $0..<$1 }
  }

  /// The cuts that keep the least, with segments of bounded insides; nil when one node alone has more.
  private func cheapest(
    _ costs: [[Cost]], insideAtMost bound: Int
  ) -> (bytes: Int, cuts: [Int])? {
    var least = [(kept: Int, from: Int)?](repeating: nil, count: places.count)
    least[0] = (0, 0)
    for from in costs.indices {
      guard let before = least[from] else { continue }
      for (offset, cost) in costs[from].enumerated() where cost.inside <= bound {
        let to = from + offset + 1
        let kept = before.kept + cost.kept
        if least[to].map({ kept < $0.kept }) ?? true { least[to] = (kept, from) }
      }
    }
    guard let last = least[places.count - 1] else { return nil }
    var cuts = [places.count - 1]
    var largest = 0
    while let to = cuts.last, to > 0, let from = least[to]?.from {
      largest = max(largest, costs[from][to - from - 1].inside)
      cuts.append(from)
    }
    return (last.kept + largest, cuts.reversed().map { places[$0] })
  }
}
