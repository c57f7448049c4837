import AllocationCounter
import Compiler
import GraphIR
import Martlet
import Runtime
import Samples
import Testing

/// What is planned is what is taken.
@Suite struct MemoryPlanTests {
  /// What is allocated from the native code on: buffers, constants, arena and scratch.
  @Test(arguments: Samples.quick.map(\.name), [true, false])
  func theProcessIsHeldToThePlan(name: String, training: Bool) throws {
    try #require(allocationsAreCounted() == 1)
    let graph = try quick(name).graph(training: training, batch: 6)
    for threads in [1, 2] {
      let compilation = try Compilation(graph, options: CompileOptions(threads: threads))
      let pool = ThreadPool(threads: threads)
      let plan = compilation.memoryPlan
      let before = cacheLineBytesOfThisThread()
      let executable = try compilation.makeExecutable(pool: pool, started: .now)
      var session = try Session(executable)
      try session.run()
      let taken = Int(cacheLineBytesOfThisThread() - before)
      #expect(taken == plan.total)
      #expect(executable.statistics.peakBytes == plan.total)
      #expect(executable.statistics.lowerBoundBytes == plan.lowerBound)
    }
  }

  /// A constant is freed when its packed copy is there, and counts until then.
  @Test(arguments: [2, 2000])
  func copiesOfConstantsAreCounted(batch: Int) throws {
    try #require(allocationsAreCounted() == 1)
    var builder = GraphBuilder(name: "dense")
    let x = builder.input("x", TensorType(.f32, [batch, 131]))
    let numbers = (0..<131 * 331).map { Float($0 % 59 + batch) }
    let weight = try builder.constant(Literal([131, 331], numbers))
    let product = try builder.dot(x, weight, contracting: [[1], [0]])
    let graph = try builder.finish([Output("y", product)])
    let compilation = try Compilation(graph, options: CompileOptions())
    let pool = ThreadPool(threads: 1)
    let plan = compilation.memoryPlan
    #expect(plan.constants == 0 && plan.packedOnce >= 4 * numbers.count)
    #expect((plan.prologue > 0) == (batch == 2))
    watchCacheLineBytesOfThisThread()
    let executable = try compilation.makeExecutable(pool: pool, started: .now)
    var session = try Session(executable)
    try session.run()
    #expect(Int(peakCacheLineBytesOfThisThread()) == plan.total)
    #expect(executable.statistics.peakBytes == plan.total)
  }

  @Test(arguments: Samples.measured.map(\.name), [true, false])
  func theArenaIsNearItsLowerBound(name: String, training: Bool) throws {
    let sample = try quick(name)
    for batch in [1, 5, sample.batch] {
      let graph = try sample.graph(training: training, batch: batch)
      let plan = try Compilation(graph, options: CompileOptions()).memoryPlan
      #expect(plan.arena >= plan.arenaLowerBound)
      #expect(
        Double(plan.arena) <= 1.05 * Double(plan.arenaLowerBound),
        "batch \(batch): \(plan.arena) bytes, no plan needs less than \(plan.arenaLowerBound)")
    }
  }

  @Test(arguments: Samples.quick.map(\.name))
  func theTimelineReachesTheLowerBoundAndNoMore(name: String) throws {
    let graph = try quick(name).graph(training: true, batch: 6)
    let compilation = try Compilation(graph, options: CompileOptions())
    let timeline = compilation.memoryTimeline
    let peak = try #require(timeline.peak)
    #expect(timeline.steps[peak].liveBytes == compilation.memoryPlan.arenaLowerBound)
    #expect(timeline.steps.allSatisfy { $0.liveBytes <= timeline.steps[peak].liveBytes })
    #expect(timeline.residents.reduce(0) { $0 + $1.bytes } == timeline.steps[peak].liveBytes)
    for value in timeline.residents {
      #expect(value.life.contains(peak))
      #expect(value.location.file?.hasPrefix("Samples/") == true, "\(value)")
    }
  }
}
