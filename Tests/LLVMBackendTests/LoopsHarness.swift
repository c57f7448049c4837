import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// Any loops, run as native code and by the evaluator on the same memory.
struct LoopsHarness {
  let loops: Loops
  /// What lies behind each memory: a store there is out of bounds.
  private static let guardBytes = 192

  init(_ loops: Loops) { self.loops = loops }

  /// Fills the parameters with bit patterns, runs both, and compares every byte of every output.
  ///
  /// - Parameter aliased: pairs of an input and an output that are one buffer.
  func check(_ what: String, aliased: [Int: Int] = [:], seed: UInt64 = 1) throws {
    let native = try run(aliased, seed) { pointers, worker in
      let library = try JITLibrary([loops], options: CodeOptions())
      defer { withExtendedLifetime(library) {} }
      for (phase, function) in library.functions(ofKernel: 0).enumerated() {
        // In two calls, and the later tasks first: tasks may run in any order.
        let count = loops.phases[phase].taskCount
        function(pointers, count / 2, count, worker)
        function(pointers, 0, count / 2, worker)
      }
    }
    let expected = try run(aliased, seed) { pointers, _ in
      let parameters = loops.memories.indices.filter { isParameter($0) }.map {
        UnsafeMutableRawBufferPointer(start: pointers[$0], count: bytes($0))
      }
      try LoopsEvaluator.run(loops, parameters: parameters)
    }
    for memory in loops.memories.indices where loops.memories[memory].kind == .output {
      let dtype = loops.memories[memory].dtype
      guard
        let a = Literal(
          TensorType(dtype, [native[memory].count / dtype.byteCount]), bytes: native[memory]),
        let b = Literal(a.type, bytes: expected[memory])
      else {
        Issue.record("\(what): a bool is neither 0 nor 1")
        continue
      }
      if let place = difference(a, b) {
        Issue.record(
          "\(what): element \(place) of \(loops.memories[memory].name) is \(a.doubles()[place]), not \(b.doubles()[place])"
        )
      }
    }
  }

  private func isParameter(_ memory: Int) -> Bool {
    loops.memories[memory].kind == .input || loops.memories[memory].kind == .output
  }

  private func bytes(_ memory: Int) -> Int {
    loops.memories[memory].count * loops.memories[memory].dtype.byteCount
  }

  /// Runs on fresh memory; gives each memory's bytes, with those behind it.
  private func run(
    _ aliased: [Int: Int], _ seed: UInt64,
    _ body: (UnsafeMutablePointer<UnsafeMutableRawPointer?>, UnsafeMutableRawPointer?) throws ->
      Void
  ) throws -> [[UInt8]] {
    var buffers: [UnsafeMutableRawBufferPointer] = []
    var pointers: [UnsafeMutableRawPointer?] = []
    for (index, memory) in loops.memories.enumerated() {
      let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: bytes(index) + LoopsHarness.guardBytes, alignment: 64)
      buffer.initializeMemory(as: UInt8.self, repeating: 1)
      if isParameter(index) {
        buffer.copyBytes(
          from: patterns(memory.dtype, count: memory.count, seed: seed &+ UInt64(index)).bytes)
      }
      buffers.append(buffer)
      let shared = aliased.first { $0.value == index }.map { buffers[$0.key] } ?? buffer
      pointers.append(shared.baseAddress)
    }
    let worker = UnsafeMutableRawBufferPointer.allocate(
      byteCount: loops.workerScratchBytes + 64, alignment: 64)
    defer {
      for buffer in buffers { buffer.deallocate() }
      worker.deallocate()
    }
    try pointers.withUnsafeMutableBufferPointer { table in
      guard let base = table.baseAddress else { return }
      try body(base, worker.baseAddress)
    }
    return loops.memories.indices.map { index in
      let shared = aliased.first { $0.value == index }.map { buffers[$0.key] } ?? buffers[index]
      return Array(shared)
    }
  }
}

/// Builds loops of one phase.
func buildLoops(
  _ memories: [LoopMemory], tasks: Int = 1,
  _ body: (LoopsBuilder, LoopIndex) throws(Diagnostic) -> Void
) throws(Diagnostic) -> Loops {
  let builder = LoopsBuilder(name: "test", memories: memories)
  try builder.phase(taskCount: tasks, workPerTask: 1) { (task: LoopIndex) throws(Diagnostic) in
    try body(builder, task)
  }
  return builder.loops
}
