/// What the pool hands to each task of a phase.
private struct PhaseContext {
  var function: PhaseFunction
  var memories: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  var workerScratch: UnsafeMutableRawPointer
  var stride: Int
}

extension KernelCode {
  /// Below this estimate of scalar operations, waking another thread costs more than it saves.
  private static let smallestParallelWork = 1 << 15

  /// Runs the kernel once.
  ///
  /// - Parameters:
  ///   - memories: the kernel's memories in order: its parameters, then shared scratch.
  ///   - workerScratch: the scratch of all workers.
  ///   - stride: the bytes from one worker's scratch to the next one's.
  package func run(
    on memories: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
    workerScratch: UnsafeMutableRawPointer, stride: Int, _ pool: ThreadPool
  ) {
    for phase in phases {
      let work = phase.taskCount.multipliedReportingOverflow(by: phase.workPerTask)
      let small = !work.overflow && work.partialValue < KernelCode.smallestParallelWork
      if small || pool.threads == 1 || phase.taskCount == 1 {
        phase.function(memories, 0, phase.taskCount, workerScratch)
        continue
      }
      var context = PhaseContext(
        function: phase.function, memories: memories, workerScratch: workerScratch,
        stride: stride)
      pool.run(
        taskCount: phase.taskCount,
        { context, task, worker in
          let phase = context.assumingMemoryBound(to: PhaseContext.self).pointee
          phase.function(
            phase.memories, task, task + 1, phase.workerScratch + worker * phase.stride)
        }, &context)
    }
  }
}
