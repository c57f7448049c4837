import GraphIR
import LoopIR

/// Which nodes are computed once and kept, in memory or in a local; the others are computed where they are read.
struct KeptNodes: Sendable {
  let graph: FusionGraph
  /// Whether a node has an effect on the outputs.
  private(set) var isLive: [Bool]
  /// Whether a node's elements are kept.
  var isKept: [Bool]
  /// What follows from constants alone.
  var constants: ConstantNodes
  /// Whether a kept node could as well be computed where it is read.
  private(set) var isOptional: [Bool]
  /// The nodes that are outputs.
  let outputs: Set<Int>
  /// The cost of computing an element from nodes that cannot be computed where they are read.
  private var cost: [Int]

  /// A kept node that reads another one, by one way through index work; with two sinks an element is computed twice.
  private struct Sink: Hashable {
    var node: Int
    var way: Int
  }

  init(_ graph: FusionGraph, outputs: [Int]) {
    self.graph = graph
    constants = ConstantNodes(graph)
    self.outputs = Set(outputs)
    let count = graph.nodes.count
    isLive = [Bool](repeating: false, count: count)
    isKept = graph.nodes.map { !$0.isInlinable || $0.identity != 0 || $0.isClusterStage }
    isOptional = [Bool](repeating: false, count: count)
    cost = [Int](repeating: 0, count: count)
    for output in outputs {
      isLive[output] = true
      isKept[output] = true
    }
    // What is computed again begins with what is in memory.
    for node in graph.nodes where node.barrier != 0 {
      for operand in node.operands { isKept[operand] = true }
    }
    keepWhatIsConstant()
    cutLargeFormulas()
    keepWhatClustersGive()
    keepWhatIsReadTwice()
  }

  /// Keeps a cluster's result in the one order of its dimensions in which it is read: its kernel may as well write that,
  /// as long as rows stay whole.
  private mutating func keepWhatClustersGive() {
    var readers = [Int](repeating: 0, count: graph.nodes.count)
    for node in graph.nodes { for operand in Set(node.operands) { readers[operand] += 1 } }
    for (place, node) in graph.nodes.enumerated() {
      guard node.kind == .map, node.coordinates.isEmpty, let read = node.term.asRead,
        case let source = node.operands[read.operand], graph.nodes[source].isClusterStage,
        readers[source] == 1, !outputs.contains(source),
        case let order = read.index.compactMap({ $0.asDimension?.index }),
        order.sorted() == Array(node.type.shape.extents.indices), order.count == read.index.count,
        order.last == order.count - 1
      else { continue }
      isKept[place] = true
    }
  }

  private mutating func cutLargeFormulas() {
    var depth = [Int](repeating: 0, count: graph.nodes.count)
    for (place, node) in graph.nodes.enumerated() where node.kind == .map {
      var total = FusionCost.own(node.term)
      for coordinate in node.coordinates { total += FusionCost.own(coordinate.term) + 2 }
      func add(_ operand: Int) {
        let source = node.operands[operand]
        if isKept[source] { return }
        total += cost[source]
        depth[place] = max(depth[place], depth[source] + 1)
      }
      node.term.forEachRead(add)
      for coordinate in node.coordinates { coordinate.term.forEachRead(add) }
      cost[place] = total
      if total > FusionCost.largestFormula || depth[place] > FusionCost.deepestFormula {
        isKept[place] = true
      }
    }
  }

  private mutating func keepWhatIsReadTwice() {
    let count = graph.nodes.count
    var sinks = [Set<Sink>](repeating: [], count: count)
    // Whether a kept or dear reader takes an element more than once.
    var isRepeated = [Bool](repeating: false, count: count)
    let isCounted = countedNodes()
    // What is made of counters, and a cluster reads: a mask, say. Its kernel is to know what it hides.
    var isMask = [Bool](repeating: false, count: count)
    for place in graph.nodes.indices.reversed() where isLive[place] {
      let node = graph.nodes[place]
      let computes = node.kind == .map && (!node.isIndexWork || !node.coordinates.isEmpty)
      if isMask[place] || node.cluster != nil {
        for operand in node.operands where isCounted[operand] { isMask[operand] = true }
      }
      if computes && !isKept[place] && !isMask[place] {
        if isRepeated[place] && cost[place] >= FusionCost.dear {
          isKept[place] = true
        } else if !node.coordinates.isEmpty && !graph.nodes[node.operands[0]].isGiven {
          // What is picked is small; its source can then stay in the kernel that computes it.
          isKept[place] = true
        } else if sinks[place].count > 1 && FusionCost.own(node.term) > 0 && !isCheaplyRemade(node)
        {
          isKept[place] = true
          isOptional[place] = true
        }
      }
      if node.kind == .contraction { keepContractionOperands(place) }
      for (slot, operand) in node.operands.enumerated() {
        isLive[operand] = true
        if node.pointCount > graph.nodes[operand].type.shape.elementCount
          || node.isIndexWork && !isKept[place] && isRepeated[place]
        {
          isRepeated[operand] = true
        }
        let moves = node.term.index(ofOperand: slot) != node.type.shape.counters
        let way = moves ? place &* 64 &+ slot &+ 1 : 0
        if isKept[place] {
          sinks[operand].insert(Sink(node: place, way: way))
        } else {
          for sink in sinks[place] {
            let combined = moves ? sink.way &* 31 &+ way : sink.way
            sinks[operand].insert(Sink(node: sink.node, way: combined))
          }
        }
      }
    }
  }

  /// Whether readers may as well compute a node from the one tensor that it is a simple function of.
  ///
  /// Then that one is kept in its place: once, where several such functions of it are read.
  private func isCheaplyRemade(_ node: FusionNode) -> Bool {
    guard FusionCost.own(node.term) <= FusionCost.cheap, node.coordinates.isEmpty else {
      return false
    }
    var tensors = 0
    for (slot, operand) in node.operands.enumerated() {
      if isUniform(operand) { continue }
      guard node.term.index(ofOperand: slot) == node.type.shape.counters else { return false }
      tensors += 1
    }
    return tensors == 1
  }

  /// Whether all elements of a node are one scalar.
  private func isUniform(_ place: Int) -> Bool {
    let node = graph.nodes[place]
    if node.type.shape.elementCount == 1 { return true }
    return node.kind == .map && FusionCost.own(node.term) == 0 && node.coordinates.isEmpty
      && node.operands.allSatisfy { graph.nodes[$0].type.shape.elementCount == 1 }
  }

  /// The nodes that are made of counters and constants in a few steps.
  private func countedNodes() -> [Bool] {
    var isCounted = [Bool](repeating: false, count: graph.nodes.count)
    for (place, node) in graph.nodes.enumerated() {
      isCounted[place] =
        node.kind == .map && !isKept[place] && node.coordinates.isEmpty
        && cost[place] <= 2 * FusionCost.dear && node.operands.allSatisfy { isCounted[$0] }
    }
    return isCounted
  }

  /// A contraction reads each element many times, at affine places, from memory.
  private mutating func keepContractionOperands(_ place: Int) {
    let node = graph.nodes[place]
    for (slot, operand) in node.operands.enumerated() {
      guard let index = node.term.index(ofOperand: slot) else { continue }
      if let base = affineBase(of: operand, at: index, extents: node.extents) {
        var kept = base.node
        if let inner = base.index, let source = windowSource(of: kept, node, inner) {
          kept = source
        }
        isKept[kept] = true
        isOptional[kept] = false
      } else {
        isKept[operand] = true
        isOptional[operand] = false
      }
    }
  }

  /// The node in memory that a contraction may read under guards, instead of a padded copy; nil where the copy serves.
  ///
  /// Each element is then read for the steps of a window alone, or for the results of a filter that are these, not for
  /// many channels, and few windows reach beyond the tensor's ends.
  private func windowSource(
    of pad: Int, _ reader: FusionNode, _ index: [IndexExpression]
  ) -> Int? {
    let node = graph.nodes[pad]
    guard !isKept[pad], case .guarded(let term, let guards, _) = node.term, node.kind == .map,
      let read = term.asRead, read.operand == 0, guards.allSatisfy({ $0.expression.isAffine })
    else { return nil }
    let source = node.operands[0]
    let shapes = (graph.nodes[source].type.shape, node.type.shape)
    var padded: Set<Int> = []
    for place in node.type.shape.extents.indices where shapes.0[place] != shapes.1[place] {
      let surplus = shapes.1[place] - shapes.0[place]
      guard (1...NestPlan.mostBorder).contains(surplus), 3 * surplus <= shapes.0[place] else {
        return nil
      }
      padded.insert(place)
    }
    func isRead(_ places: some Sequence<Int>, along dimension: Int) -> Bool {
      places.contains { index[$0].dependence(on: DimensionID(dimension)) != .affine(0) }
    }
    // The taps are folded over all, or are results beside which there are no others for the same element.
    let rank = reader.type.shape.rank
    let results = (0..<rank).filter { reader.extents[$0] > 1 }
    let steps = (rank..<reader.extents.count).filter { reader.extents[$0] > 1 }
    let isFolded = steps.allSatisfy { isRead(padded, along: $0) }
    let windows = isFolded ? steps : results.filter { isRead(padded, along: $0) }
    let taps = windows.reduce(1) { $0 * reader.extents[$1] }
    let bounds = IndexBounds(extents: reader.extents)
    let inner = read.index.map { $0.substituting(index, in: bounds) }
    let base = affineBase(of: source, at: inner, extents: reader.extents)
    if let base, let place = base.index, copiesRows(of: reader, place) { return base.node }
    // Where a fold walks over the image, each row at whose ends a guard may fail is dear.
    let hasFewEnds = taps <= 16 && padded.allSatisfy { 5 * shapes.1[$0] <= 6 * shapes.0[$0] }
    let hasChannels =
      windows.count < results.count && results.allSatisfy { isRead(index.indices, along: $0) }
    guard isFolded || hasChannels && hasFewEnds, taps <= 32,
      reader.pointCount <= 2 * taps * node.type.shape.elementCount
    else { return nil }
    return base?.node
  }

  /// Whether a contraction copies its rows in any case, all steps of a point in pieces that lie together: what a guard
  /// hides then costs no step anything.
  private func copiesRows(of reader: FusionNode, _ index: [IndexExpression]) -> Bool {
    let rank = reader.type.shape.rank
    guard let piece = index.last?.asDimension, piece.index >= rank,
      index.dropLast().allSatisfy({ $0.dependence(on: piece) == .affine(0) })
    else { return false }
    let steps = reader.extents[rank...].reduce(1, *)
    var (rows, columns) = (1, 1)
    for id in 0..<rank {
      if index.allSatisfy({ $0.dependence(on: DimensionID(id)) == .affine(0) }) {
        columns *= reader.extents[id]
      } else {
        rows *= reader.extents[id]
      }
    }
    return steps >= 1024 && reader.extents[piece.index] >= 64 && rows >= 32 && columns >= 64
  }

  /// The node below index work of which an operand's elements are affine reads, perhaps under another shape, with the
  /// index there where it is affine; nil when there is none.
  private func affineBase(
    of operand: Int, at index: [IndexExpression], extents: [Int]
  ) -> (node: Int, index: [IndexExpression]?)? {
    let bounds = IndexBounds(extents: extents)
    var (node, index) = (operand, index)
    var hasView = false
    // What the last such chain on the way is a view of: in memory itself, it could be read so.
    var viewed: Int?
    while !graph.nodes[node].isGiven, !graph.nodes[node].isClusterStage {
      let current = graph.nodes[node]
      guard current.kind == .map, current.coordinates.isEmpty, let read = current.term.asRead else {
        break
      }
      // As in `BodyWriter`, a chain of reshapes at the bottom is read as a view of the memory.
      hasView = current.isReshape && (hasView || index.allSatisfy(\.isAffine))
      index = read.index.map { $0.substituting(index, in: bounds) }
      node = current.operands[read.operand]
      if hasView { viewed = node }
    }
    if hasView || index.allSatisfy({ $0.isAffine(overPartsIn: bounds) }) {
      return (node, index.allSatisfy(\.isAffine) ? index : nil)
    }
    return viewed.map { ($0, nil) }
  }
}

extension Term {
  /// The index at which an operand is read first.
  fileprivate func index(ofOperand slot: Int) -> [IndexExpression]? {
    switch self {
    case .read(let operand, let index): operand == slot ? index : nil
    case .guarded(let term, _, let otherwise):
      term.index(ofOperand: slot) ?? otherwise.index(ofOperand: slot)
    case .constant, .index: nil
    case .apply(_, let terms, _), .random(_, _, let terms, _):
      terms.lazy.compactMap { $0.index(ofOperand: slot) }.first
    }
  }
}

extension IndexExpression {
  /// Whether every term is a multiple of a dimension's counter, or of the number of one of the equal parts that the
  /// dimension is divided into: schedules make a dimension of those.
  fileprivate func isAffine(overPartsIn bounds: IndexBounds) -> Bool {
    terms.allSatisfy { term in
      switch term.atom {
      case .dimension: true
      case .instruction, .remainder: false
      case .quotient(let inner, let divisor):
        inner.asDimension.map { bounds.extents[$0.index] % divisor == 0 } ?? false
      }
    }
  }
}
