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

  /// Keeps what a fold reads as one tensor, where it is made of several that nothing but the fold needs.
  ///
  /// A mean of losses then reads the losses, and what they are made of never leaves its kernel.
  mutating func keepFoldedFormulas() {
    var readers = readers()
    for fold in graph.nodes.indices where groupOf[fold] != nil {
      let node = graph.nodes[fold]
      guard case .fold = node.kind, let read = node.term.asRead,
        case let formula = node.operands[read.operand], !isKept[formula],
        !graph.nodes[formula].isIndexWork
      else { continue }
      let sources = Set(reads[fold].map(\.source))
      let needed = sources.filter { source in
        guard let group = groupOf[source], group != groupOf[fold] else { return false }
        return !outputs.contains(source)
          && (readers[source] ?? []).allSatisfy { $0 == fold || groupOf[$0] == group }
      }
      guard needed.count > 1, let source = needed.min() else { continue }
      var changed = self
      changed.isKept[formula] = true
      changed.addGroup(of: formula)
      changed.writeFormula(of: fold)
      changed.mergeWithSources(of: formula)
      guard changed.groupOf[formula] == changed.groupOf[source] else { continue }
      self = changed
      readers = self.readers()
    }
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
