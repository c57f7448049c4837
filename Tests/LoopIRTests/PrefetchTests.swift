import GraphIR
import LoopIR
import Testing

@Suite("Asking for memory ahead")
struct PrefetchTests {
  /// Elements nearer than a line are asked for once in a block and those around it, and again in others.
  @Test func asksOnceForALine() throws {
    let memory = LoopMemory(name: "x", dtype: .f32, count: 100, kind: .input)
    let builder = LoopsBuilder(name: "ahead", memories: [memory])
    try builder.phase(taskCount: 2, workPerTask: 1) { task throws(Diagnostic) in
      for offset in [0, 8, 15, 16, 0] { builder.prefetch(0, task + LoopIndex(constant: offset)) }
      try builder.loop("i", to: 4) { counter throws(Diagnostic) in
        builder.prefetch(0, task + 4)
        builder.prefetch(0, task + counter)
      }
      builder.prefetch(0, task + 40)
    }
    let asked = builder.loops.description.split(separator: "\n").count { $0.contains("prefetch") }
    #expect(asked == 4, "\(builder.loops)")
  }
}
