import GraphIR
import LoopIR

/// The kept nodes that one kernel computes.
struct FusionGroup: Sendable {
  /// The nodes, in order.
  var members: [Int]
  /// The extents of the dimensions that all members share; none is 1.
  var outer: [Int]
  /// For each member and dimension of its result the outer dimension that it is; nil: a dimension of its own.
  var alignment: [Int: [Int?]]
}

/// Gathers kept nodes in groups: each starts alone, and groups merge along what one reads of the other.
///
/// Groups merge when
/// * no path between them goes through a third one;
/// * what is computed once from constants stays apart from what depends on inputs;
/// * every dimension that stays outer is read at its own counter; what a member reads of another at one outer point is
///   all computed there;
/// * a contraction keeps all dimensions of its result outer, is alone of its kind, and reads only memory;
/// * dimensions leave the outer ones only for a fold over rows: they are the last ones, and what is kept for a row is
///   small.
struct FusionGroups: Sendable {
  let graph: FusionGraph
  let outputs: Set<Int>
  private let constants: ConstantNodes
  /// The readers of each kept node, before cheap ones are dropped.
  private var readersBefore: [Int: [Int]] = [:]
  /// Whether a node's elements are kept.
  var isKept: [Bool]
  /// The groups; empty when merged into another one.
  var groups: [FusionGroup] = []
  /// The group of each kept node.
  var groupOf: [Int?]
  /// The group that each cluster begins as.
  private var groupOfCluster: [Int: Int] = [:]
  /// The formula of each kept node, down to other ones; those of a group are written as they are here.
  private(set) var formulas: [BodyWriter.Formula]
  /// What each kept node reads of other ones.
  private(set) var reads: [[Read]]

  /// A load of a kept node.
  struct Read: Hashable, Sendable {
    /// The kept node.
    var source: Int
    /// The index, in the reader's dimensions; nil when the memory is seen under another shape.
    var index: [IndexExpression]?
    /// Whether a guard decides if it is read.
    var isGuarded: Bool
  }

  init(_ graph: FusionGraph, _ kept: KeptNodes) {
    self.graph = graph
    outputs = kept.outputs
    constants = kept.constants
    isKept = kept.isKept
    groupOf = graph.nodes.map { _ in nil }
    formulas = graph.nodes.map { _ in BodyWriter.Formula() }
    reads = graph.nodes.map { _ in [] }
    for (place, node) in graph.nodes.enumerated()
    where kept.isLive[place] && isKept[place] && !node.isGiven {
      addGroup(of: place)
    }
    readersBefore = readers()
    for place in graph.nodes.indices where groupOf[place] != nil {
      mergeWithSources(of: place)
    }
    keepWhatIsGathered()
    mergeSiblings()
    dropWhatIsCheap(kept)
  }

  mutating func addGroup(of place: Int) {
    let node = graph.nodes[place]
    writeFormula(of: place)
    var outer: [Int] = []
    // Where a scatter writes is known only at run time: no two points may run at the same time.
    var isScatter = false
    if case .scatter = node.kind { isScatter = true }
    let shared = node.cluster?.outerRank ?? node.type.shape.rank
    let alignment = node.type.shape.extents.enumerated().map { dimension, extent -> Int? in
      if extent == 1 || isScatter || dimension >= shared { return nil }
      outer.append(extent)
      return outer.count - 1
    }
    if let id = node.cluster?.id, let group = groupOfCluster[id] {
      groupOf[place] = group
      groups[group].members.append(place)
      groups[group].alignment[place] = alignment
      return
    }
    if let id = node.cluster?.id { groupOfCluster[id] = groups.count }
    groupOf[place] = groups.count
    groups.append(
      FusionGroup(members: [place], outer: outer, alignment: [place: alignment]))
  }

  /// Writes the formula of a kept node, as what is kept now asks for.
  mutating func writeFormula(of place: Int) {
    formulas[place] = BodyWriter.write(place, in: graph, isKept: isKept)
    reads[place] = graph.reads(of: place, formulas[place], isKept: isKept)
  }

  /// Takes away the formula of a node that is no longer kept.
  mutating func removeFormula(of place: Int) {
    formulas[place] = BodyWriter.Formula()
    reads[place] = []
  }

  /// The kept nodes that a kept node reads, each once.
  func sources(ofNode place: Int) -> [Int] {
    var sources: [Int] = []
    for read in reads[place] where !sources.contains(read.source) { sources.append(read.source) }
    return sources
  }

  // MARK: Merging

  mutating func mergeWithSources(of place: Int) {
    // The latest source first: an epilogue belongs to the contraction that is computed last.
    for source in sources(ofNode: place).sorted(by: >) {
      guard let a = groupOf[source], let b = groupOf[place], a != b else { continue }
      if let merged = merge(a, b) { replace(a, b, with: merged) }
    }
  }

  private mutating func replace(_ a: Int, _ b: Int, with merged: FusionGroup) {
    groups[a] = FusionGroup(members: [], outer: [], alignment: [:])
    groups[b] = merged
    for member in merged.members { groupOf[member] = b }
  }

  /// The group that `b`, which reads `a`, becomes with it; nil when they must stay apart.
  private func merge(_ a: Int, _ b: Int) -> FusionGroup? {
    guard !constants.separates(groups[a], groups[b]), let pairs = sharedDimensions(a, b) else {
      return nil
    }
    var merged = FusionGroup(
      members: (groups[a].members + groups[b].members).sorted(),
      outer: pairs.map { groups[a].outer[$0.a] }, alignment: [:])
    for (member, alignment) in groups[a].alignment {
      merged.alignment[member] = alignment.map { own in
        own.flatMap { own in pairs.firstIndex { $0.a == own } }
      }
    }
    for (member, alignment) in groups[b].alignment {
      merged.alignment[member] = alignment.map { own in
        own.flatMap { own in pairs.firstIndex { $0.b == own } }
      }
    }
    guard isAllowed(merged, from: groups[a], groups[b]), !isPathBetween(a, b) else { return nil }
    return merged
  }

  /// The outer dimensions at which `b` reads `a` at its own point; nil when a read cannot stay inside of a kernel.
  private func sharedDimensions(_ a: Int, _ b: Int) -> [(a: Int, b: Int)]? {
    var partner = [Int?](repeating: nil, count: groups[a].outer.count)
    var isFirst = true
    for reader in groups[b].members {
      for read in reads[reader] where groupOf[read.source] == a {
        guard let index = read.index, !read.isGuarded,
          let sourceAlignment = groups[a].alignment[read.source],
          let ownAlignment = groups[b].alignment[reader]
        else { return nil }
        var found = [Int?](repeating: nil, count: partner.count)
        for (dimension, outer) in sourceAlignment.enumerated() {
          guard let outer, let own = index[dimension].asDimension,
            own.index < ownAlignment.count, let other = ownAlignment[own.index],
            groups[b].outer[other] == groups[a].outer[outer]
          else { continue }
          found[outer] = other
        }
        for place in partner.indices {
          if isFirst { partner[place] = found[place] }
          if partner[place] != found[place] { partner[place] = nil }
        }
        isFirst = false
      }
    }
    let pairs = partner.enumerated().compactMap { place, other in other.map { (a: place, b: $0) } }
    return Set(pairs.map(\.b)).count == pairs.count ? pairs : nil
  }

  private func isAllowed(_ merged: FusionGroup, from a: FusionGroup, _ b: FusionGroup) -> Bool {
    if let isAllowed = isClusterMerge(a, b) {
      return isAllowed && merged.outer.count == a.outer.count
        && parameterCount(merged) <= FusionCost.parameters
    }
    let kinds = merged.members.map { graph.nodes[$0].kind }
    let contractions = kinds.filter { $0 == .contraction }.count
    if contractions > 1 || b.members.contains(where: { graph.nodes[$0].kind == .contraction }) {
      return false
    }
    if kinds.contains(where: { if case .scatter = $0 { true } else { false } }) { return false }
    // What follows a contraction in its kernel are maps.
    if contractions > 0 && kinds.contains(where: { $0 != .map && $0 != .contraction }) {
      return false
    }
    if parameterCount(merged) > FusionCost.parameters { return false }
    if merged.outer.count == a.outer.count && merged.outer.count == b.outer.count { return true }
    return contractions == 0 && isRowWork(merged)
  }

  /// Whether `b` only moves or changes, element by element, what the cluster in `a` gives; nil when neither has a cluster.
  private func isClusterMerge(_ a: FusionGroup, _ b: FusionGroup) -> Bool? {
    func isClustered(_ group: FusionGroup) -> Bool {
      group.members.contains { graph.nodes[$0].isClusterStage }
    }
    if isClustered(b) { return false }
    if !isClustered(a) { return nil }
    guard b.members.count == 1, let member = b.members.first else { return false }
    let sources = Set(reads[member].map(\.source)).intersection(a.members)
    guard graph.nodes[member].kind == .map, sources.count == 1, let source = sources.first else {
      return false
    }
    func several(_ node: Int) -> Int {
      graph.nodes[node].type.shape.extents.count { $0 > 1 }
    }
    return several(member) == several(source)
  }

  /// Whether the group is a fold over small rows, or over little at all.
  private func isRowWork(_ group: FusionGroup) -> Bool {
    var rowBytes = 0
    var points = 0
    var folds = false
    for member in group.members {
      let node = graph.nodes[member]
      points += node.pointCount
      switch node.kind {
      case .fold, .argFold:
        folds = true
        // Rows that could run at the same time are not put one after the other.
        if group.outer.isEmpty && node.type.shape.elementCount > 1 { return false }
      case .map, .contraction, .scatter, .input, .constant: break
      }
      let alignment = group.alignment[member] ?? []
      var row = node.type.dtype.byteCount
      var isInner = false
      for (dimension, extent) in node.type.shape.extents.enumerated() where extent > 1 {
        if alignment[dimension] == nil {
          isInner = true
          row *= extent
        } else if isInner {
          return false
        }
      }
      if isInner { rowBytes += row }
      if !readsRowsInOrder(member, group) { return false }
    }
    let outerPoints = group.outer.reduce(1, *)
    return folds && rowBytes <= FusionCost.rowBytes
      && (outerPoints > 1 || points <= FusionCost.serialPoints)
  }

  /// Whether a fold takes the elements of its large operand row by row, not column by column.
  private func readsRowsInOrder(_ member: Int, _ group: FusionGroup) -> Bool {
    let node = graph.nodes[member]
    guard !node.folded.isEmpty, let read = node.term.asRead else { return true }
    let rank = node.type.shape.rank
    let counters = read.index.compactMap(\.asDimension).filter { node.extents[$0.index] > 1 }
    return counters == counters.sorted() && !counters.isEmpty
      && (counters.last.map { $0.index >= rank } ?? true)
  }

  private func parameterCount(_ group: FusionGroup) -> Int {
    let members = Set(group.members)
    var sources = Set<Int>()
    for member in group.members {
      for read in reads[member] where !members.contains(read.source) {
        sources.insert(read.source)
      }
    }
    let stored = members.filter { member in
      outputs.contains(member) || (readersBefore[member] ?? []).contains { !members.contains($0) }
    }
    return sources.count + stored.count
  }

  /// Whether `b` is reached from `a` through a third group.
  private func isPathBetween(_ a: Int, _ b: Int) -> Bool {
    isRead(a, by: sources(of: b).subtracting([a]), without: b)
  }

  /// Whether group `a` is among groups, or what they read, directly or not; `excluded` is not followed.
  func isRead(_ a: Int, by start: Set<Int>, without excluded: Int) -> Bool {
    var isVisited = [Bool](repeating: false, count: groups.count)
    isVisited[excluded] = true
    var pending = Array(start)
    while let next = pending.popLast() {
      if next == a { return true }
      if isVisited[next] { continue }
      isVisited[next] = true
      for member in groups[next].members {
        for read in reads[member] {
          if let source = groupOf[read.source], !isVisited[source] { pending.append(source) }
        }
      }
    }
    return false
  }

  func sources(of group: Int) -> Set<Int> {
    var sources = Set<Int>()
    for member in groups[group].members {
      for read in reads[member] {
        if let other = groupOf[read.source] { sources.insert(other) }
      }
    }
    sources.remove(group)
    return sources
  }

  // MARK: Siblings

  /// Merges groups of plain maps over the same points that read the same memory at the same places.
  private mutating func mergeSiblings() {
    var byRead: [SharedRead: Int] = [:]
    for b in groups.indices where isPlainMap(groups[b]) {
      for member in groups[b].members {
        for read in reads[member] {
          guard let current = groupOf[member], groupOf[read.source] != current,
            let index = read.index,
            graph.nodes[read.source].type.shape.elementCount
              >= graph.nodes[member].type.shape.elementCount
          else { continue }
          let key = SharedRead(
            source: read.source, index: index, extents: graph.nodes[member].type.shape.extents)
          guard let a = byRead[key], a != current, !groups[a].members.isEmpty else {
            byRead[key] = current
            continue
          }
          if let merged = mergeSiblings(a, current) {
            replace(a, current, with: merged)
            byRead[key] = current
          }
        }
      }
    }
  }

  private struct SharedRead: Hashable {
    var source: Int
    var index: [IndexExpression]
    var extents: [Int]
  }

  private func isPlainMap(_ group: FusionGroup) -> Bool {
    !group.members.isEmpty
      && group.members.allSatisfy { member in
        graph.nodes[member].kind == .map
          && zip(group.alignment[member] ?? [], graph.nodes[member].type.shape.extents)
            .allSatisfy { $0 != nil || $1 == 1 }
      }
  }

  private func mergeSiblings(_ a: Int, _ b: Int) -> FusionGroup? {
    guard isPlainMap(groups[a]), groups[a].outer == groups[b].outer,
      !constants.separates(groups[a], groups[b]),
      !isRead(a, by: sources(of: b), without: b), !isRead(b, by: sources(of: a), without: a)
    else { return nil }
    let merged = FusionGroup(
      members: (groups[a].members + groups[b].members).sorted(), outer: groups[a].outer,
      alignment: groups[a].alignment.merging(groups[b].alignment) { first, _ in first })
    return parameterCount(merged) <= FusionCost.parameters ? merged : nil
  }
}

extension FusionGraph {
  /// The distinct loads of a kept node's formula, and a scatter's target.
  func reads(
    of place: Int, _ formula: BodyWriter.Formula, isKept: [Bool]
  ) -> [FusionGroups.Read] {
    var reads: [FusionGroups.Read] = []
    func add(_ read: FusionGroups.Read) { if !reads.contains(read) { reads.append(read) } }
    for instruction in formula.body.instructions {
      guard case .load(.parameter(let node), let index, let guards) = instruction.operation else {
        continue
      }
      let source = memory(of: node, isKept: isKept)
      add(
        FusionGroups.Read(
          source: source, index: source == node ? index : nil, isGuarded: !guards.isEmpty))
    }
    if case .scatter = nodes[place].kind {
      add(FusionGroups.Read(source: nodes[place].operands[0], index: nil, isGuarded: false))
    }
    return reads
  }

  /// The kept node whose memory a load of `node` reads: itself, or what it is a reshape of.
  func memory(of node: Int, isKept: [Bool]) -> Int {
    var node = node
    while !isKept[node], let read = nodes[node].term.asRead {
      node = nodes[node].operands[read.operand]
    }
    return node
  }
}
