import GraphIR
import GraphPasses
import LLVMBackend
import LoopIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a graph is compiled.
public struct CompileOptions: Sendable {
  /// The number of threads that run the code; results do not depend on it.
  ///
  /// No more of them compile it; with 1, all is done by the calling thread.
  public var threads: Int
  /// What the code is for; nil means this machine.
  package var target: Target?
  /// Breaks one stage on purpose: a debugging aid that shows the checks at work.
  public var fault: PlantedFault?
  /// Gives every intermediate a place of its own in the arena: a debugging aid.
  public var forbidsReuse: Bool
  /// Computes activations of a training step again in its backward pass, instead of keeping them: less memory for more
  /// time.
  public var checkpointsActivations: Bool
  /// Times the few best candidates of each kernel on this machine, where there are several, instead of trusting the cost
  /// model; what was chosen is kept in the cache, and results do not depend on it.
  public var autotune: Bool
  /// Where compiled kernels are kept.
  package var cache = CodeCache.standard
  /// Is told where the code of each compiled graph came from.
  package var didCompile: (@Sendable (CodeReport) -> Void)?

  /// Makes options.
  public init(
    threads: Int = 1, fault: PlantedFault? = nil, forbidsReuse: Bool = false,
    checkpointsActivations: Bool = false, autotune: Bool = false
  ) {
    self.threads = threads
    self.fault = fault
    self.forbidsReuse = forbidsReuse
    self.checkpointsActivations = checkpointsActivations
    self.autotune = autotune
  }

  /// The threads that compile: beyond one for each core they would only wait.
  var compileThreads: Int { min(threads, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// The passes that these options ask for.
  package var passes: PassPipeline { checkpointsActivations ? .checkpointing : .standard }
}

/// The stages between a graph and native code, in order; each can be printed.
public enum Stage: String, CaseIterable, Sendable {
  /// The graph as traced, imported or parsed.
  case graph
  /// The graph after the passes.
  case optimized
  /// The program: fused kernels, their order and the memory plan.
  case kernels
  /// The kernels as explicit loops over vectors.
  case loops
  /// The loops as optimized LLVM IR.
  case llvm
  /// The native code as assembly.
  case asm

  /// A line about the stage.
  public var summary: String {
    switch self {
    case .graph: "the graph as traced or parsed"
    case .optimized: "the graph after the passes"
    case .kernels: "fused kernels, their order and the memory plan"
    case .loops: "explicit loops over vectors"
    case .llvm: "optimized LLVM IR"
    case .asm: "assembly"
    }
  }
}
