import GraphIR
import LoopIR

extension FusionGroups {
  /// The readers of each kept node.
  func readers() -> [Int: [Int]] {
    var readers: [Int: [Int]] = [:]
    for reader in reads.indices {
      for source in sources(ofNode: reader) { readers[source, default: []].append(reader) }
    }
    return readers
  }

  /// Whether a node's elements go to memory: given ones, outputs, and what another group reads.
  func isInMemory(_ node: Int, _ readers: [Int: [Int]], outputs: Set<Int>) -> Bool {
    guard let group = groupOf[node] else { return true }
    return outputs.contains(node) || (readers[node] ?? []).contains { groupOf[$0] != group }
  }

  /// Keeps what is made of several tensors of another kernel, where those are needed for nothing else: one tensor goes to
  /// memory instead of several.
  ///
  /// A mean of losses then reads the losses, and the gradient of an activation reads its slope; what these are made of
  /// never leaves its kernel.
  mutating func keepWhatIsGathered() {
    var readers = readers()
    for reader in graph.nodes.indices where groupOf[reader] != nil {
      while let changed = keepingGathered(by: reader, readers) {
        self = changed
        readers = self.readers()
      }
    }
  }

  /// The groups with one more kept node below a reader, which takes the place of several; nil where there is none.
  private func keepingGathered(by reader: Int, _ readers: [Int: [Int]]) -> FusionGroups? {
    let needed = Set(sources(ofNode: reader)).filter { source in
      guard let group = groupOf[source], group != groupOf[reader] else { return false }
      return !outputs.contains(source)
        && (readers[source] ?? []).allSatisfy { $0 == reader || groupOf[$0] == group }
    }
    guard needed.count > 1 else { return nil }
    for formula in formulas(below: reader) {
      let gathered = keptNodes(below: formula).intersection(needed).filter {
        graph.nodes[$0].type.shape.elementCount >= graph.nodes[formula].type.shape.elementCount
      }
      guard gathered.count > 1, let source = gathered.min() else { continue }
      var changed = self
      changed.isKept[formula] = true
      changed.addGroup(of: formula)
      changed.writeFormula(of: reader)
      guard gathered.isDisjoint(with: changed.sources(ofNode: reader)) else { continue }
      changed.mergeWithSources(of: formula)
      // What is computed before the reader's kernel needs nothing of that.
      guard let own = changed.groupOf[reader], let group = changed.groupOf[formula],
        group == changed.groupOf[source],
        !changed.isRead(own, by: changed.sources(of: group), without: group)
      else { continue }
      return changed
    }
    return nil
  }

  /// The nodes that are computed where a kept one reads them, and compute something themselves; readers first.
  private func formulas(below reader: Int) -> [Int] {
    var found: Set<Int> = []
    var pending = graph.nodes[reader].operands
    while let node = pending.popLast() {
      if isKept[node] || !found.insert(node).inserted { continue }
      pending += graph.nodes[node].operands
    }
    return found.filter { !graph.nodes[$0].isIndexWork }.sorted(by: >)
  }

  /// The kept nodes of which a node is computed.
  private func keptNodes(below node: Int) -> Set<Int> {
    var (found, kept): (Set<Int>, Set<Int>) = ([], [])
    var pending = graph.nodes[node].operands
    while let node = pending.popLast() {
      if !found.insert(node).inserted { continue }
      if isKept[node] { kept.insert(node) } else { pending += graph.nodes[node].operands }
    }
    return kept
  }

  /// Lets cheap nodes be computed where they are read, where that saves memory or a local of the size of a row.
  mutating func dropWhatIsCheap(_ kept: KeptNodes) {
    var readers = readers()
    for node in graph.nodes.indices.reversed() where kept.isOptional[node] {
      guard let group = groupOf[node], let own = readers[node] else { continue }
      guard FusionCost.total(formulas[node].body) <= FusionCost.cheap else { continue }
      let type = graph.nodes[node].type
      if own.contains(where: { groupOf[$0] != group }) {
        // Reading the one large source instead of this node costs no more.
        let sources = Set(reads[node].map(\.source))
        let large = sources.filter {
          graph.nodes[$0].type.shape.elementCount >= type.shape.elementCount
        }
        guard large.count <= 1,
          sources.allSatisfy({ isInMemory($0, readers, outputs: outputs) })
        else { continue }
      } else {
        let alignment = groups[group].alignment[node] ?? []
        let hasRow = zip(alignment, type.shape.extents).contains { $0 == nil && $1 > 1 }
        guard hasRow else { continue }
      }
      let before = own.map { reads[$0] }
      forget(node, reads[node], in: &readers)
      drop(node, from: group, readers: own)
      readers[node] = nil
      for (reader, old) in zip(own, before) {
        forget(reader, old, in: &readers)
        for source in sources(ofNode: reader) { readers[source, default: []].append(reader) }
      }
    }
  }

  /// Takes a node from the readers of what it read.
  private func forget(_ reader: Int, _ old: [Read], in readers: inout [Int: [Int]]) {
    for source in Set(old.map(\.source)) { readers[source]?.removeAll { $0 == reader } }
  }

  private mutating func drop(_ node: Int, from group: Int, readers: [Int]) {
    isKept[node] = false
    groups[group].members.removeAll { $0 == node }
    groups[group].alignment[node] = nil
    groupOf[node] = nil
    removeFormula(of: node)
    for reader in readers { writeFormula(of: reader) }
  }
}
