import GraphIR
import LLVMBackend
import LoopIR
import Runtime

/// A program with its native code, new or from the cache.
struct NativeProgram {
  let graph: Graph
  let plan: ExecutionPlan
  let code: [KernelCode]
  let library: JITLibrary
  /// Where the program came from; nil when it is not one that is kept.
  let origin: CodeOrigin?
  /// What measuring candidates did; nothing for a program from the cache.
  var tuning: [TuningReport] = []

  /// Takes a program from the cache.
  ///
  /// - Returns: the program, or why it is not there.
  static func load(
    _ graph: Graph, _ options: CompileOptions, _ key: CacheKey
  ) -> Result<NativeProgram, CacheMiss> {
    do throws(CacheMiss) {
      let image = try image(graph, options.cache.data(of: key))
      let objects = try options.cache.objects(image.kernels.map(\.entry))
      let library: JITLibrary
      do throws(Diagnostic) {
        library = try JITLibrary(
          image.kernels.map { (entry: $0.entry, phases: $0.phases.count) }, objects: objects)
      } catch {
        throw .damaged(error.message)
      }
      return .success(
        NativeProgram(
          graph: graph, plan: image.plan, code: image.code(library), library: library,
          origin: .cache))
    } catch {
      return .failure(error)
    }
  }

  private static func image(
    _ graph: Graph, _ bytes: ArraySlice<UInt8>
  ) throws(CacheMiss) -> ProgramImage {
    guard let image = try? ProgramImage(bytes: bytes, GraphConstants(graph)),
      image.plan.inputs.count == graph.inputs.count,
      image.plan.outputs.count == graph.outputs.count
    else { throw .damaged("it is no program for this graph") }
    return image
  }

  /// Keeps the program, when all of its code is kept.
  func store(as key: CacheKey, in cache: CodeCache) {
    let constants = GraphConstants(graph)
    guard let image = ProgramImage(plan, code, library.entries, constants) else { return }
    cache.store(image.bytes(constants), of: key)
  }

  /// Makes the program ready to run.
  ///
  /// - Throws: when there is not enough memory.
  func makeExecutable(
    _ options: CompileOptions, pool: ThreadPool, started: ContinuousClock.Instant
  ) throws(Diagnostic) -> ProgramExecutable {
    var statistics = ExecutableStatistics()
    statistics.compileSeconds = ContinuousClock.now.seconds(since: started)
    statistics.flops = graph.contractionFlops
    statistics.kernels = plan.launches.count
    let memory = MemoryPlan(plan, scratch: code.map(\.scratch), workers: options.threads)
    statistics.peakBytes = memory.total
    statistics.lowerBoundBytes = memory.lowerBound
    try MemoryBudget.require(Double(statistics.peakBytes), for: "a run of '\(graph.name)'")
    options.didCompile?(CodeReport(self, options.cache, seconds: statistics.compileSeconds))
    return try ProgramExecutable(
      plan: plan, graph: graph, code: code, codeOwner: library, pool: pool,
      statistics: statistics)
  }
}
