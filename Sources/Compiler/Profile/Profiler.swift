import GraphIR
import LoopIR
import Runtime

/// Measures how long each kernel of a program takes, over several runs.
package final class Profiler: LaunchObserver {
  private let plan: ExecutionPlan
  private var nanoseconds: [UInt64]
  private var runs = 0
  private var started = ContinuousClock.now

  package init(_ plan: ExecutionPlan) {
    self.plan = plan
    nanoseconds = [UInt64](repeating: 0, count: plan.launches.count)
  }

  package func willRun(_ launch: Int, in workspace: ProgramWorkspace) {
    if launch == 0 { runs += 1 }
    started = .now
  }

  package func didRun(_ launch: Int, in workspace: ProgramWorkspace) {
    nanoseconds[launch] += UInt64(max(0, ContinuousClock.now.seconds(since: started) * 1e9))
  }

  /// One launch's share of the time and of the machine.
  package struct Row: Sendable {
    /// The kernel's name.
    package var kernel: String
    /// Where the kernel comes from.
    package var location: Location
    /// The mean time of a run, in seconds.
    package var seconds: Double
    /// The floating-point operations of its contractions.
    package var flops: Int
    /// The bytes of the tensors that it reads and writes, each once.
    package var bytes: Int
  }

  /// The launches with the time that they took, in order.
  package func rows() -> [Row] {
    plan.launches.indices.map { index in
      let launch = plan.launches[index]
      let kernel = plan.kernels[launch.kernel]
      return Row(
        kernel: kernel.name, location: launch.location,
        seconds: Double(nanoseconds[index]) * 1e-9 / Double(max(runs, 1)),
        flops: kernel.flops, bytes: kernel.bytes)
    }
  }
}
