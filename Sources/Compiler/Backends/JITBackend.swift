import GraphIR
import LLVMBackend
import Runtime

/// Compiles graphs to native code for this machine.
public struct JITBackend: Backend {
  /// `jit`.
  public var name: String { "jit" }
  /// How graphs are compiled.
  public let options: CompileOptions
  private let pool: ThreadPool

  /// Makes a backend with threads of its own, which its executables share.
  public init(options: CompileOptions) {
    self.options = options
    pool = ThreadPool(threads: options.threads)
  }

  /// Makes a backend that runs on the given number of threads.
  public init(threads: Int = 1) { self.init(options: CompileOptions(threads: threads)) }

  /// Compiles a graph.
  public func prepare(_ graph: Graph) throws(Diagnostic) -> any Executable {
    try prepareProgram(graph)
  }

  /// Compiles a graph to an executable whose launches can be observed.
  package func prepareProgram(_ graph: Graph) throws(Diagnostic) -> ProgramExecutable {
    let started = ContinuousClock.now
    try MemoryBudget.require(graph.interfaceBytes, for: "a run of '\(graph.name)'")
    guard let key = CacheKey(graph, options) else {
      return try Compilation(graph, options: options).makeExecutable(pool: pool, started: started)
    }
    switch NativeProgram.load(graph, options, key) {
    case .success(let native):
      return try native.makeExecutable(options, pool: pool, started: started)
    case .failure(let miss):
      return try Compilation(graph, options: options).makeExecutable(
        pool: pool, started: started, key: key, origin: .compiled(miss))
    }
  }
}
