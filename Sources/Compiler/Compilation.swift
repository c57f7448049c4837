import GraphIR
import GraphPasses
import LLVMBackend
import LoopIR
import Lowering
import Runtime

/// The way of one graph through the compiler, stage by stage.
public struct Compilation: Sendable {
  /// The graph that is compiled.
  public let graph: Graph
  /// The graph after the passes.
  public let optimized: Graph
  /// The fused kernels and their plan.
  package let program: Program
  /// The kernels as loops, in the program's order.
  package let loops: [Loops]
  /// How it was compiled.
  public let options: CompileOptions
  /// What the code is for.
  package let target: Target
  /// What measuring candidates did for each kernel that has several.
  package let tuning: [TuningReport]

  /// Runs the stages that do not need LLVM.
  ///
  /// - Throws: what is wrong with the graph.
  public init(_ graph: Graph, options: CompileOptions) throws(Diagnostic) {
    self.graph = graph
    self.options = options
    try MemoryBudget.requireCountable(graph)
    target = options.target ?? .host
    var stages = try Compilation.stages(graph, options, target)
    if options.checkpointsActivations {
      var keeping = options
      keeping.checkpointsActivations = false
      let kept = try Compilation.stages(graph, keeping, target)
      // What is small may cost more to compute again than to keep.
      func total(_ stages: Stages) -> Int {
        Compilation.memoryPlan(stages.program, stages.loops, options).total
      }
      if total(kept) <= total(stages) { stages = kept }
    }
    optimized = stages.optimized
    program = stages.program
    (loops, tuning) = try Compilation.tuned(stages, options, target)
  }

  /// The loops after tuning, where that was asked for; planted faults are not to be timed.
  private static func tuned(
    _ stages: Stages, _ options: CompileOptions, _ target: Target
  ) throws(Diagnostic) -> (loops: [Loops], tuning: [TuningReport]) {
    guard options.autotune, options.fault == nil, target == .host else {
      return (stages.loops, [])
    }
    let tuner = Tuner(
      target: target, threads: options.threads, compileThreads: options.compileThreads,
      cache: options.cache)
    // What runs once is not worth it, and what reads packed copies has its schedule with them.
    let hot = Set(stages.program.launches.map(\.kernel)).sorted().filter { place in
      !stages.program.kernels[place].parameters.contains(where: \.isConstant)
    }
    let (tuned, reports) = try tuner.tune(
      hot.map { stages.program.kernels[$0] }, hot.map { stages.loops[$0] })
    var loops = stages.loops
    for (place, own) in zip(hot, tuned) { loops[place] = own }
    return (loops, reports)
  }

  private typealias Stages = (optimized: Graph, program: Program, loops: [Loops])

  /// The stages that do not need LLVM.
  private static func stages(
    _ graph: Graph, _ options: CompileOptions, _ target: Target
  ) throws(Diagnostic) -> Stages {
    let optimized = try optimize(graph, options: options)
    let fused = try lower(
      optimized,
      options: LoweringOptions(forbidsReuse: options.forbidsReuse, fault: options.fault))
    let kernels = fused.kernels
    let schedules = try mapOnThreads(options.compileThreads, kernels.count) {
      index throws(Diagnostic) in
      try KernelSchedule(
        kernels[index], for: target, options: ScheduleOptions(fault: options.fault))
    }
    let (program, loops) = try fused.packingConstants(schedules, fault: options.fault)
    return (optimized, program, loops)
  }

  /// Runs the passes.
  public static func optimize(
    _ graph: Graph, options: CompileOptions
  ) throws(Diagnostic) -> Graph {
    var optimized = graph
    var context = PassContext()
    context.fault = options.fault
    try options.passes.run(&optimized, context)
    return optimized
  }

  /// The graph as it is after the first run of a pass.
  ///
  /// - Throws: a diagnostic that lists the passes when there is none of that name.
  public static func graph(
    _ graph: Graph, after pass: String, options: CompileOptions
  ) throws(Diagnostic) -> Graph {
    _ = try PassPipeline.named([pass])
    var found: Graph?
    var optimized = graph
    var context = PassContext()
    context.fault = options.fault
    context.didRun = { name, graph, _ in if name == pass, found == nil { found = graph } }
    try options.passes.run(&optimized, context)
    return found ?? optimized
  }

  /// The text of a stage.
  public func text(of stage: Stage) throws(Diagnostic) -> String {
    switch stage {
    case .graph: graph.text()
    case .optimized: optimized.text()
    case .kernels: program.description
    case .loops: loops.map(\.description).joined(separator: "\n")
    case .llvm:
      try code { (loops, options) throws(Diagnostic) in
        try KernelText.llvm(loops, options: options)
      }
    case .asm:
      try code { (loops, options) throws(Diagnostic) in
        try KernelText.assembly(loops, options: options)
      }
    }
  }

  private func code(
    _ text: (Loops, CodeOptions) throws(Diagnostic) -> String
  ) throws(Diagnostic) -> String {
    var parts: [String] = []
    for loops in loops { parts.append(try text(loops, CodeOptions(fault: options.fault))) }
    return parts.joined(separator: "\n")
  }

  /// Compiles the loops to native code.
  ///
  /// - Parameter key: under which the program is kept; nil to keep only its kernels.
  package func makeExecutable(
    pool: ThreadPool, started: ContinuousClock.Instant, key: CacheKey? = nil,
    origin: CodeOrigin? = nil
  ) throws(Diagnostic) -> ProgramExecutable {
    let library = try JITLibrary(
      loops, options: CodeOptions(fault: options.fault), cache: options.cache,
      threads: options.compileThreads)
    let code = loops.enumerated().map { index, loops in
      KernelCode(
        loops, functions: library.functions(ofKernel: index), key: library.names[index])
    }
    let native = NativeProgram(
      graph: graph, plan: ExecutionPlan(program), code: code, library: library, origin: origin,
      tuning: tuning)
    // A program is tuned no more once it is kept: what could not be measured may be another time.
    let isTuned = !tuning.contains { if case .skipped = $0.source { true } else { false } }
    if let key, isTuned { native.store(as: key, in: options.cache) }
    return try native.makeExecutable(options, pool: pool, started: started)
  }
}

extension ContinuousClock.Instant {
  /// The seconds from another instant to this one.
  package func seconds(since start: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = start.duration(to: self).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}

extension KernelCode {
  /// Puts the compiled phases of loops together with what the loops say of them.
  package init(_ loops: Loops, functions: [PhaseFunction], key: String? = nil) {
    let parameters = loops.memories.prefix { $0.kind == .input || $0.kind == .output }.count
    self.init(
      phases: zip(loops.phases, functions).map {
        Phase(function: $1, taskCount: $0.taskCount, workPerTask: $0.workPerTask)
      },
      sharedOffsets: loops.memories.indices.dropFirst(parameters).map {
        loops.memories[$0].kind == .shared ? loops.scratchOffset(of: $0) : nil
      },
      sharedScratchBytes: loops.sharedScratchBytes, workerScratchBytes: loops.workerScratchBytes,
      key: key)
  }
}
