import GraphIR
import LLVMBackend
import LoopIR
import Runtime

/// What this machine can do at most, measured with code that does nothing else.
public struct MachineLimits: Sendable {
  /// Fused multiply-adds of f32 vectors in registers, in operations per second on all threads (two each).
  public var flopsPerSecond: Double
  /// Reading memory that no cache holds, in bytes per second on all threads.
  public var bytesPerSecond: Double

  /// Measures; takes about a fifth of a second.
  ///
  /// - Throws: when the code cannot be compiled.
  public static func measure(threads: Int) throws(Diagnostic) -> MachineLimits {
    let target = Target.host
    let iterations = 1 << 20
    let pool = ThreadPool(threads: threads)
    let sums = Buffer(TensorType(.f32, [threads * target.lanes]))
    let peak = try Stopwatch.best(
      of: LimitLoops.multiplyAdds(target, iterations: iterations, tasks: threads), [sums], pool,
      tasks: threads)
    let bytes = 64 << 20
    let memory = Buffer(TensorType(.f32, [bytes / 4]))
    let read = try Stopwatch.best(
      of: LimitLoops.reading(target, bytes: bytes, passes: 1, tasks: threads), [memory, sums], pool,
      tasks: threads)
    let operations = LimitLoops.operations(target, iterations: iterations) * threads
    return MachineLimits(
      flopsPerSecond: Double(operations) / peak,
      bytesPerSecond: Double(LimitLoops.coveredBytes(target, bytes: bytes, tasks: threads)) / read)
  }
}
