import LoopIR

/// The memory that a workspace allocates, byte for byte.
package struct WorkspaceSize: Hashable, Sendable {
  /// What a kernel needs beside its parameters.
  package struct Scratch: Hashable, Sendable {
    /// The bytes that all tasks share.
    package var shared: Int
    /// The bytes of each worker.
    package var worker: Int

    package init(shared: Int, worker: Int) {
      self.shared = shared
      self.worker = worker
    }
  }

  /// The bytes of the arena; 0 when no launch works in it.
  package let arena: Int
  /// The most shared scratch of a launch, in bytes.
  package let sharedScratch: Int
  /// The most scratch of one worker in a launch, in bytes.
  package let workerScratch: Int
  /// The number of workers.
  package let workers: Int

  /// The size for some launches of a program.
  ///
  /// - Parameter scratch: for each kernel of the program what it needs.
  package init(_ plan: ExecutionPlan, launches: [Launch], scratch: [Scratch], workers: Int) {
    let usesArena = launches.contains { launch in
      launch.arguments.contains { id in
        if case .arena = plan.buffers[id.index].placement { true } else { false }
      }
    }
    arena = usesArena ? plan.arenaBytes : 0
    sharedScratch = launches.map { scratch[$0.kernel].shared }.max() ?? 0
    workerScratch = launches.map { scratch[$0.kernel].worker }.max() ?? 0
    self.workers = workers
  }

  /// The bytes from one worker's scratch to the next one's: a cache line between them keeps them from sharing one.
  package var workerStride: Int { WorkspaceSize.allocated(workerScratch) }

  /// The bytes of the three allocations together.
  package var allocatedBytes: Int {
    WorkspaceSize.allocated(arena) + WorkspaceSize.allocated(sharedScratch)
      + WorkspaceSize.allocated(workerStride * workers)
  }

  /// What is allocated for a number of bytes, so that a full vector may be read past their end.
  package static func allocated(_ bytes: Int) -> Int {
    ((bytes + Buffer.alignment - 1) & -Buffer.alignment) + Buffer.alignment
  }
}
