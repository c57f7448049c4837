import GraphIR
import LoopIR

/// A program with native code for its kernels.
package final class ProgramExecutable: Executable {
  package let plan: ExecutionPlan
  package let inputs: [Input]
  package let outputs: [(name: String, type: TensorType)]
  package let statistics: ExecutableStatistics
  let code: [KernelCode]
  let pool: ThreadPool
  /// The buffers that belong to the executable, by their place in `plan.buffers`: constants, prologue results.
  let ownBuffers: [Buffer?]
  /// Keeps the memory of the code alive.
  private let codeOwner: any AnyObject & Sendable
  /// Keeps what is shared with other executables.
  private let shared: [ConstantMemory]

  /// Puts a program's plan and its code together and runs the prologue.
  ///
  /// - Parameter store: where executables find what others have made of the same constants.
  package convenience init(
    plan: ExecutionPlan, graph: Graph, code: [KernelCode], codeOwner: any AnyObject & Sendable,
    pool: ThreadPool, statistics: ExecutableStatistics, store: ConstantStore = .process
  ) throws(Diagnostic) {
    func executable(_ own: OwnMemory) -> ProgramExecutable {
      ProgramExecutable(plan, graph, code, codeOwner, pool, statistics, own)
    }
    var preparation = ConstantPreparation(plan, keys: code.map(\.key), store: store) {
      launch, buffers throws(Diagnostic) in
      let once = ProgramWorkspace(executable(OwnMemory(buffers: buffers)), launches: [launch])
      try once.run(inputs: [], outputs: [], observer: nil)
    }
    let own = try preparation.memory()
    self.init(plan, graph, code, codeOwner, pool, statistics, own)
  }

  private init(
    _ plan: ExecutionPlan, _ graph: Graph, _ code: [KernelCode],
    _ codeOwner: any AnyObject & Sendable, _ pool: ThreadPool, _ statistics: ExecutableStatistics,
    _ own: OwnMemory
  ) {
    self.plan = plan
    self.code = code
    self.codeOwner = codeOwner
    self.pool = pool
    self.statistics = statistics
    inputs = graph.inputs
    outputs = graph.outputs.map { ($0.name, graph.type(of: $0.value)) }
    ownBuffers = own.buffers
    shared = own.shared
  }

  /// The memory of constants and of what the prologue made, where runs read it.
  package var constantBuffers: [Buffer] { ownBuffers.compactMap { $0 } }

  package func makeWorkspace() throws(Diagnostic) -> any Workspace { makeProgramWorkspace() }

  /// A workspace that can be observed.
  package func makeProgramWorkspace() -> ProgramWorkspace {
    ProgramWorkspace(self, launches: plan.launches)
  }
}

/// Is told of each launch of a run: for profiles and for comparisons.
package protocol LaunchObserver: AnyObject {
  /// A launch starts; its inputs are complete.
  func willRun(_ launch: Int, in workspace: ProgramWorkspace)
  /// A launch has ended; its outputs are complete.
  func didRun(_ launch: Int, in workspace: ProgramWorkspace)
}
