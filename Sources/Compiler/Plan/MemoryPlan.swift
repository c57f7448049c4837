import GraphIR
import LoopIR
import Lowering
import Runtime

/// What a run of a program allocates, byte for byte, known before anything runs.
///
/// It covers the tensors and scratch of one session. The code, the graph and the program itself come on top.
package struct MemoryPlan: Hashable, Sendable {
  /// The bytes of each input, in the graph's order.
  package let inputs: [Int]
  /// The bytes of the outputs that do not take over an input's memory.
  package let outputs: Int
  /// The bytes of the constants that runs read.
  package let constants: Int
  /// The bytes of what follows from constants alone, is computed once, and read by runs.
  package let computedOnce: Int
  /// The bytes of the copies of constants that are made once, in the order in which kernels read them.
  package let packedOnce: Int
  /// What the prologue needs at once beyond what a run does: constants that it alone reads, say.
  package let prologue: Int
  /// The bytes of the arena, in which all intermediates lie.
  package let arena: Int
  /// The largest sum of intermediates that are needed at the same time.
  package let arenaLowerBound: Int
  /// The scratch that all workers share, for the kernel that needs most.
  package let sharedScratch: Int
  /// The scratch of each worker, for the kernel that needs most.
  package let workerScratch: Int
  /// The number of workers.
  package let workers: Int
  /// What is allocated beyond these, so that pieces start at cache lines and full vectors may be read past their ends.
  package let padding: Int
  /// All of it.
  package let total: Int

  /// What no plan for the same kernels in the same order can do without: all but scratch and padding, with the
  /// lower bound of the arena.
  package var lowerBound: Int {
    inputs.reduce(0, +) + outputs + constants + computedOnce + packedOnce + arenaLowerBound
  }

  /// The plan of a program, given the scratch of each of its kernels.
  package init(_ program: ExecutionPlan, scratch: [WorkspaceSize.Scratch], workers: Int) {
    func type(_ id: BufferID) -> TensorType { program.buffers[id.index].type }
    let own = Set(program.inputs)
    let outputTypes = program.outputs.filter { !own.contains($0) }.map(type)
    let kept = program.keptBuffers.map { program.buffers[$0.index] }
    func types(_ isWanted: (ProgramBuffer.Placement) -> Bool) -> [TensorType] {
      kept.filter { isWanted($0.placement) }.map(\.type)
    }
    func bytes(_ types: [TensorType]) -> Int { types.reduce(0) { $0 + $1.byteCount } }
    func allocated(_ types: [TensorType]) -> Int {
      types.reduce(0) { $0 + Buffer.allocatedBytes($1) }
    }
    let run = WorkspaceSize(
      program, launches: program.launches, scratch: scratch, workers: workers)
    inputs = program.inputs.map { type($0).byteCount }
    outputs = bytes(outputTypes)
    constants = bytes(types { if case .constant = $0 { true } else { false } })
    computedOnce = bytes(types { $0 == .persistent })
    packedOnce = bytes(types { $0 == .packed })
    arena = run.arena
    arenaLowerBound = program.lowerBoundBytes
    sharedScratch = run.sharedScratch
    workerScratch = run.workerScratch
    self.workers = workers
    let interface = allocated(program.inputs.map(type)) + allocated(outputTypes)
    let running = allocated(kept.map(\.type)) + interface + run.allocatedBytes
    let once = program.prologue.map { launch in
      WorkspaceSize(program, launches: [launch], scratch: scratch, workers: workers).allocatedBytes
    }
    let all = program.buffers.filter(\.placement.isConstant).map(\.type)
    prologue = max(0, (once.max().map { $0 + allocated(all) } ?? 0) - running)
    total = running + prologue
    let named =
      inputs.reduce(0, +) + outputs + constants + computedOnce + packedOnce + prologue + arena
      + sharedScratch + workerScratch * workers
    padding = total - named
  }
}

extension Compilation {
  /// What a run allocates.
  package var memoryPlan: MemoryPlan { Compilation.memoryPlan(program, loops, options) }

  /// What a run of a program with the given loops allocates.
  static func memoryPlan(
    _ program: Program, _ loops: [Loops], _ options: CompileOptions
  ) -> MemoryPlan {
    let scratch = loops.map {
      WorkspaceSize.Scratch(shared: $0.sharedScratchBytes, worker: $0.workerScratchBytes)
    }
    return MemoryPlan(ExecutionPlan(program), scratch: scratch, workers: options.threads)
  }

  /// The kernel that needs most scratch of a kind, with how much of that holds packed copies of operands; nil when
  /// none needs any.
  package func largestScratch(_ kind: LoopMemory.Kind) -> (kernel: String, packed: Int)? {
    func bytes(_ loops: Loops) -> Int {
      kind == .worker ? loops.workerScratchBytes : loops.sharedScratchBytes
    }
    let kernels = program.launches.map { loops[$0.kernel] }
    guard let largest = kernels.max(by: { bytes($0) < bytes($1) }), bytes(largest) > 0 else {
      return nil
    }
    return (largest.name, largest.packedBytes(in: kind))
  }
}
