import GraphIR
import LLVMBackend
import LoopIR
import Runtime

/// How fast data of one size is read and copied, wherever the machine keeps what is used again and again.
public struct MemorySpeed: Sendable {
  /// The data of all threads together, in bytes: for a copy, the source and the copy.
  public var bytes: Int
  /// Bytes read per second, on all threads.
  public var readBytesPerSecond: Double
  /// Bytes read and bytes written per second, on all threads, by the faster of a vector loop and `memcpy`, which
  /// passes the caches by where that pays.
  public var copyBytesPerSecond: Double

  /// From what a first-level cache holds to what no cache holds.
  public static let sizes = [16 << 10, 128 << 10, 512 << 10, 2 << 20, 8 << 20, 32 << 20, 128 << 20]

  /// Measures each size that leaves every thread something to do; takes about a second.
  ///
  /// - Throws: when the code cannot be compiled.
  public static func measure(threads: Int) throws(Diagnostic) -> [MemorySpeed] {
    let target = Target.host
    let pool = ThreadPool(threads: threads)
    let sums = Buffer(TensorType(.f32, [threads * target.lanes]))
    let largest = sizes.max() ?? 0
    let source = Buffer(TensorType(.f32, [largest / 4]))
    let copy = Buffer(TensorType(.f32, [largest / 8]))
    var speeds: [MemorySpeed] = []
    for bytes in sizes {
      let readBytes = LimitLoops.coveredBytes(target, bytes: bytes, tasks: threads)
      let copiedBytes = LimitLoops.coveredBytes(target, bytes: bytes / 2, tasks: threads)
      guard copiedBytes > 0 else { continue }
      // Enough that starting the threads does not count.
      let passes = max(1, (16 << 20) / bytes)
      let read = try Stopwatch.best(
        of: LimitLoops.reading(target, bytes: bytes, passes: passes, tasks: threads),
        [source, sums], pool, tasks: threads)
      let copied = try Stopwatch.best(
        of: LimitLoops.copying(target, bytes: bytes / 2, passes: passes, tasks: threads),
        [source, copy], pool, tasks: threads)
      let share = copiedBytes / threads
      let moved = Stopwatch.bestCopy(source, copy, share, passes, pool, tasks: threads)
      speeds.append(
        MemorySpeed(
          bytes: bytes, readBytesPerSecond: Double(passes * readBytes) / read,
          copyBytesPerSecond: Double(2 * passes * copiedBytes) / min(copied, moved)))
    }
    return speeds
  }
}
