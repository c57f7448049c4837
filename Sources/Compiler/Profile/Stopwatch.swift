import GraphIR
import LLVMBackend
import LoopIR
import Runtime

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Times work that is split into a task for each thread: the shortest of several runs, in seconds.
enum Stopwatch {
  /// Loops of one kernel on the memory of buffers.
  static func best(
    of loops: Loops, _ buffers: [Buffer], _ pool: ThreadPool, tasks: Int
  ) throws(Diagnostic) -> Double {
    let library = try JITLibrary([loops], options: CodeOptions())
    var memories = buffers.map { $0.bytes.baseAddress }
    let function = library.functions(ofKernel: 0)[0]
    defer { withExtendedLifetime((library, buffers)) {} }
    return memories.withUnsafeMutableBufferPointer { memories in
      guard let base = memories.baseAddress else { return .infinity }
      var context = (function, base)
      return shortest(pool, tasks, &context) { context, task, _ in
        let (function, memories) = context.assumingMemoryBound(
          to: (PhaseFunction, UnsafeMutablePointer<UnsafeMutableRawPointer?>).self
        ).pointee
        function(memories, task, task + 1, nil)
      }
    }
  }

  /// `memcpy` of a share of bytes by each task, several times over.
  static func bestCopy(
    _ source: Buffer, _ copy: Buffer, _ share: Int, _ passes: Int, _ pool: ThreadPool, tasks: Int
  ) -> Double {
    defer { withExtendedLifetime((source, copy)) {} }
    guard let from = source.bytes.baseAddress, let to = copy.bytes.baseAddress else {
      return .infinity
    }
    var context = (from, to, share, passes)
    return shortest(pool, tasks, &context) { context, task, _ in
      let (from, to, share, passes) = context.assumingMemoryBound(
        to: (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int, Int).self
      ).pointee
      for _ in 0..<passes { memcpy(to + task * share, from + task * share, share) }
    }
  }

  private static func shortest(
    _ pool: ThreadPool, _ tasks: Int, _ context: UnsafeRawPointer,
    _ function: ThreadPool.Function
  ) -> Double {
    var shortest = Double.infinity
    for _ in 0..<7 {
      let started = ContinuousClock.now
      pool.run(taskCount: tasks, function, context)
      shortest = min(shortest, ContinuousClock.now.seconds(since: started))
    }
    return shortest
  }
}
