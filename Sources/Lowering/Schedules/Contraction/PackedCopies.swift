import LoopIR

/// The names of the scratch that holds copies of a contraction's factors in the order in which they are read.
enum PackedCopy {
  /// The column factor, in panels.
  static let panels = "panels"
  /// The row factor, in tiles.
  static let rows = "rows"
}

extension Loops {
  /// The bytes of scratch of a kind that hold packed copies of operands.
  package func packedBytes(in kind: LoopMemory.Kind) -> Int {
    memories.reduce(0) { sum, memory in
      let isPacked = memory.name == PackedCopy.panels || memory.name == PackedCopy.rows
      return memory.kind == kind && isPacked ? sum + memory.count * memory.dtype.byteCount : sum
    }
  }
}
