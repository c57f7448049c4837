import GraphIR
import LoopIR

/// The arena and scratch of one running instance of a program.
package final class ProgramWorkspace: Workspace {
  package let executable: ProgramExecutable
  private let launches: [Launch]
  private let arena: UnsafeMutableRawPointer
  private let sharedScratch: UnsafeMutableRawPointer
  private let workerScratch: UnsafeMutableRawPointer
  private let workerScratchStride: Int
  /// For all launches, one after the other, the pointers to the kernel's memories.
  private let memories: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  /// Where each launch's pointers start.
  private let firstMemory: [Int]
  /// The pointers that depend on the buffers a run is given.
  private let boundSlots: [BoundSlot]
  /// Where each buffer lies in the current run; nil for buffers not in memory.
  private var addresses: [UnsafeMutableRawPointer?]

  private struct BoundSlot {
    var slot: Int
    var buffer: Int
  }

  init(_ executable: ProgramExecutable, launches: [Launch]) {
    self.executable = executable
    self.launches = launches
    let plan = executable.plan
    let code = executable.code
    func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
      TensorMemory.allocate(WorkspaceSize.allocated(bytes))
    }
    let used = launches.map { code[$0.kernel] }
    let size = WorkspaceSize(
      plan, launches: launches, scratch: code.map(\.scratch), workers: executable.pool.threads)
    let arena = allocate(size.arena)
    let sharedScratch = allocate(size.sharedScratch)
    workerScratchStride = size.workerStride
    workerScratch = allocate(workerScratchStride * size.workers)

    self.arena = arena
    self.sharedScratch = sharedScratch
    let addresses: [UnsafeMutableRawPointer?] = plan.buffers.indices.map { index in
      switch plan.buffers[index].placement {
      case .arena(let offset): arena + offset
      case .constant, .persistent, .packed: executable.ownBuffers[index]?.bytes.baseAddress
      case .input, .output: nil
      }
    }
    var first: [Int] = []
    var slots: [BoundSlot] = []
    var pointers: [UnsafeMutableRawPointer?] = []
    for (launch, kernel) in zip(launches, used) {
      first.append(pointers.count)
      for argument in launch.arguments {
        if addresses[argument.index] == nil {
          slots.append(BoundSlot(slot: pointers.count, buffer: argument.index))
        }
        pointers.append(addresses[argument.index])
      }
      pointers += kernel.sharedOffsets.map { offset in offset.map { sharedScratch + $0 } }
    }
    self.addresses = addresses
    firstMemory = first
    boundSlots = slots
    memories = .allocate(capacity: max(pointers.count, 1))
    memories.initialize(from: pointers, count: pointers.count)
  }

  deinit {
    arena.deallocate()
    sharedScratch.deallocate()
    workerScratch.deallocate()
    memories.deallocate()
  }

  package func run(inputs: [Buffer], outputs: [Buffer]) throws(Diagnostic) {
    try run(inputs: inputs, outputs: outputs, observer: nil)
  }

  /// Runs once and tells an observer of each launch.
  package func run(
    inputs: [Buffer], outputs: [Buffer], observer: (any LaunchObserver)?
  ) throws(Diagnostic) {
    // Code reaches memory by address, which Swift does not count as a use of its owner.
    defer { withExtendedLifetime((self, inputs, outputs)) {} }
    bind(inputs: inputs, outputs: outputs)
    for index in launches.indices {
      observer?.willRun(index, in: self)
      run(launch: index)
      observer?.didRun(index, in: self)
    }
  }

  private func bind(inputs: [Buffer], outputs: [Buffer]) {
    let plan = executable.plan
    for (buffer, id) in zip(outputs, plan.outputs) {
      addresses[id.index] = buffer.bytes.baseAddress
    }
    for (buffer, id) in zip(inputs, plan.inputs) {
      addresses[id.index] = buffer.bytes.baseAddress
    }
    for bound in boundSlots { memories[bound.slot] = addresses[bound.buffer] }
  }

  private func run(launch index: Int) {
    executable.code[launches[index].kernel].run(
      on: memories + firstMemory[index], workerScratch: workerScratch,
      stride: workerScratchStride, executable.pool)
  }

  /// Runs a kernel's code on tensors with memory of their own, and gives what these hold afterwards.
  package func run(kernel index: Int, on contents: [Literal]) -> [Literal] {
    let buffers = contents.map { Buffer($0) }
    defer { withExtendedLifetime((self, buffers)) {} }
    let code = executable.code[index]
    var pointers = buffers.map(\.bytes.baseAddress)
    pointers += code.sharedOffsets.map { offset in offset.map { sharedScratch + $0 } }
    pointers.withUnsafeMutableBufferPointer { pointers in
      guard let start = pointers.baseAddress else { return }
      for phase in code.phases { phase.function(start, 0, phase.taskCount, workerScratch) }
    }
    return buffers.map { $0.literal() }
  }

  /// The present content of a buffer; nil when it is not bound.
  package func literal(of id: BufferID) -> Literal? {
    defer { withExtendedLifetime(self) {} }
    guard let address = addresses[id.index] else { return nil }
    let type = executable.plan.buffers[id.index].type
    return Literal(
      type, bytes: Array(UnsafeRawBufferPointer(start: address, count: type.byteCount)))
  }
}
