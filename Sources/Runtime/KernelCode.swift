/// The native code of one phase of a kernel: runs the tasks `first ..< end`.
///
/// `memories` points to the kernel's memories in order (parameters, then shared scratch; entries of worker
/// scratch are not read), `workerScratch` to the scratch of the calling worker.
package typealias PhaseFunction =
  @convention(c) (
    _ memories: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ firstTask: Int, _ endTask: Int,
    _ workerScratch: UnsafeMutableRawPointer?
  ) -> Void

/// The native code of one kernel and what it needs to run.
package struct KernelCode: Sendable {
  /// One phase: all its tasks end before the next phase starts.
  package struct Phase: Sendable {
    /// The code.
    package var function: PhaseFunction
    /// The number of tasks.
    package var taskCount: Int
    /// An estimate of the work of one task, in scalar operations.
    package var workPerTask: Int

    package init(function: PhaseFunction, taskCount: Int, workPerTask: Int) {
      self.function = function
      self.taskCount = taskCount
      self.workPerTask = workPerTask
    }
  }

  /// The phases in order.
  package var phases: [Phase]
  /// For each memory after the kernel's parameters its byte offset in the shared scratch; nil for worker scratch.
  package var sharedOffsets: [Int?]
  /// The bytes of shared scratch of one run.
  package var sharedScratchBytes: Int
  /// The bytes of scratch of each worker.
  package var workerScratchBytes: Int
  /// What code of the same key does is the same; nil where nothing is known.
  package var key: String?

  package init(
    phases: [Phase], sharedOffsets: [Int?], sharedScratchBytes: Int, workerScratchBytes: Int,
    key: String? = nil
  ) {
    self.phases = phases
    self.sharedOffsets = sharedOffsets
    self.sharedScratchBytes = sharedScratchBytes
    self.workerScratchBytes = workerScratchBytes
    self.key = key
  }

  /// The scratch of one run.
  package var scratch: WorkspaceSize.Scratch {
    WorkspaceSize.Scratch(shared: sharedScratchBytes, worker: workerScratchBytes)
  }
}
