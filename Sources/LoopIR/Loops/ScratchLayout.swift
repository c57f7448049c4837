extension Loops {
  /// The multiple of bytes at which each scratch memory starts.
  private static var scratchAlignment: Int { 64 }

  /// The byte offset of a scratch memory among those of its kind; 0 for a parameter.
  package func scratchOffset(of memory: Int) -> Int {
    let kind = memories[memory].kind
    return memories[..<memory].reduce(0) { offset, earlier in
      earlier.kind == kind ? offset + Loops.alignedBytes(earlier) : offset
    }
  }

  /// The bytes of scratch that all tasks of one run share.
  package var sharedScratchBytes: Int { scratchBytes(.shared) }

  /// The bytes of scratch that each worker needs.
  package var workerScratchBytes: Int { scratchBytes(.worker) }

  private func scratchBytes(_ kind: LoopMemory.Kind) -> Int {
    memories.reduce(0) { $1.kind == kind ? $0 + Loops.alignedBytes($1) : $0 }
  }

  /// A memory's bytes, up to where the next one may start.
  private static func alignedBytes(_ memory: LoopMemory) -> Int {
    let bytes = memory.count * memory.dtype.byteCount
    return (bytes + scratchAlignment - 1) / scratchAlignment * scratchAlignment
  }
}
