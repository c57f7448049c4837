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

  /// Puts a program's plan and its code together and runs the prologue.
  package init(
    plan: ExecutionPlan, graph: Graph, code: [KernelCode], codeOwner: any AnyObject & Sendable,
    pool: ThreadPool, statistics: ExecutableStatistics
  ) throws(Diagnostic) {
    self.plan = plan
    self.code = code
    self.codeOwner = codeOwner
    self.pool = pool
    self.statistics = statistics
    inputs = graph.inputs
    outputs = graph.outputs.map { ($0.name, graph.type(of: $0.value)) }
    ownBuffers = plan.buffers.map { buffer in
      switch buffer.placement {
      case .constant(let literal): Buffer(literal)
      case .persistent: Buffer(buffer.type)
      case .input, .output, .arena: nil
      }
    }
    if !plan.prologue.isEmpty {
      let once = ProgramWorkspace(self, launches: plan.prologue)
      try once.run(inputs: [], outputs: [], observer: nil)
    }
  }

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
