import Compiler
import Foundation
import GraphIR
import LLVMBackend
import LoopIR
import Runtime
import Synchronization
import Testing

/// Whole programs on disk.
@Suite struct ProgramCacheTests {
  /// A folder of this test's own.
  let folder: String = FileManager.default.temporaryDirectory
    .appending(path: "martlet-programs-\(UUID().uuidString)").path

  /// What a compilation told.
  private final class Told: Sendable {
    let report = Mutex<CodeReport?>(nil)
  }

  /// A graph with a constant, a prologue, an arena, a donated input and two contractions.
  private func graph(line: Int = 7, factor: String = "3") throws -> Graph {
    try Graph.parse(
      """
      graph @small(%x: f32[9,8], %w: f32[8,8] donates w) -> (y: f32[9,8], w: f32[8,8]) {
        %0 = dot %x, %w {contracting = [[1], [0]]} : f32[9,8] loc("a.swift":\(line))
        %1 = dot %0, %w {contracting = [[1], [0]]} : f32[9,8]
        %c = constant [0, 1, 2, 3, 4, 5, 6, \(factor)] : f32[8]
        %s = constant 0.5 : f32
        %shift = broadcast %s {dimensions = []} : f32[8]
        %sum = add %c, %shift : f32[8]
        %2 = exp %sum : f32[8]
        %3 = broadcast %2 {dimensions = [1]} : f32[9,8]
        %4 = add %1, %3 : f32[9,8]
        %5 = add %w, %w : f32[8,8]
        return %4, %5
      }
      """, file: "small.mir")
  }

  private func options(_ threads: Int = 1) -> CompileOptions {
    var options = CompileOptions(threads: threads)
    options.cache = CodeCache(folder: folder)
    return options
  }

  /// Compiles and runs a graph.
  private func run(
    _ graph: Graph, _ options: CompileOptions
  ) throws -> (report: CodeReport, executable: ProgramExecutable, outputs: [Literal]) {
    let told = Told()
    var options = options
    options.didCompile = { report in told.report.withLock { $0 = report } }
    let executable = try JITBackend(options: options).prepareProgram(graph)
    var session = try Session(executable)
    for (buffer, literal) in zip(session.inputs, graph.seededInputs(seed: 5)) {
      buffer.write(literal)
    }
    try session.run()
    return (
      try #require(told.report.withLock { $0 }), executable,
      session.outputs.map { $0.literal() }
    )
  }

  private func files() throws -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
    return names.filter { $0.contains("/") }.map { "\(folder)/\($0)" }
  }

  @Test(arguments: [1, 2]) func aSecondStartTakesTheSameProgram(_ threads: Int) throws {
    let first = try run(try graph(), options())
    #expect(first.report.program == .compiled(.new))
    #expect(!first.executable.plan.prologue.isEmpty)
    let second = try run(try graph(), options(threads))
    #expect(second.report.program == .cache)
    #expect(second.report.kernels.map(\.name) == first.report.kernels.map(\.name))
    #expect(second.report.kernels.allSatisfy { !$0.origin.isCompiled })
    #expect(second.executable.plan == first.executable.plan)
    #expect(second.outputs == first.outputs)
    var expected = first.executable.statistics
    var found = second.executable.statistics
    (expected.compileSeconds, found.compileSeconds) = (0, 0)
    if threads == 1 { #expect(found == expected) }
  }

  @Test func anotherGraphIsAnotherProgram() throws {
    let first = try run(try graph(), options())
    for other in [try graph(line: 8), try graph(factor: "4")] {
      #expect(try run(other, options()).report.program == .compiled(.new))
    }
    #expect(try run(try graph(factor: "4"), options()).outputs != first.outputs)
  }

  @Test func everyOptionThatChangesAProgramIsPartOfItsKey() throws {
    let graph = try graph()
    let target = Target(vectorBytes: 32, vectorRegisters: 16)
    let changes: [(inout CompileOptions) -> Void] = [
      { _ in }, { $0.fault = .cseIgnoresLiterals }, { $0.forbidsReuse = true },
      { $0.checkpointsActivations = true }, { $0.autotune = true },
      {
        $0.autotune = true
        $0.threads = 2
      },
      { $0.target?.vectorBytes = 16 }, { $0.target?.vectorRegisters = 32 },
      { $0.target?.firstLevelCacheBytes = 1 }, { $0.target?.secondLevelCacheBytes = 1 },
      { $0.target?.lastLevelCacheBytes = 1 },
    ]
    let keys = changes.map { change in
      var options = options()
      options.target = target
      change(&options)
      return CacheKey(graph, options)
    }
    #expect(!keys.contains(nil))
    #expect(Set(keys).count == changes.count)
    // What is added must become part of the key, or change nothing.
    func properties(_ value: Any) -> [String] {
      Mirror(reflecting: value).children.compactMap(\.label)
    }
    #expect(
      properties(options()) == [
        "threads", "target", "fault", "forbidsReuse", "checkpointsActivations",
        "autotune", "cache", "didCompile",
      ])
    #expect(
      properties(target) == [
        "vectorBytes", "vectorRegisters", "firstLevelCacheBytes", "secondLevelCacheBytes",
        "lastLevelCacheBytes",
      ])
  }

  @Test func aProgramWithoutAllOfItsCodeIsCompiledAgain() throws {
    let first = try run(try graph(), options())
    let all = try files()
    #expect(all.count >= 3)
    for file in all {
      let content = try Data(contentsOf: URL(filePath: file))
      try FileManager.default.removeItem(atPath: file)
      let second = try run(try graph(), options())
      #expect(second.report.program == .compiled(.new), "\(file)")
      #expect(second.outputs == first.outputs)
      // It is all there again.
      #expect(try Data(contentsOf: URL(filePath: file)) == content)
      #expect(try run(try graph(), options()).report.program == .cache)
    }
  }

  @Test func anEntryThatIsNoProgramIsTold() throws {
    let graph = try graph()
    let first = try run(graph, options())
    let key = try #require(CacheKey(graph, options()))
    let bytes = Array(try options().cache.data(of: key))
    for wrong in [[], Array(bytes.dropLast()), bytes + [0], [UInt8](repeating: 255, count: 99)] {
      options().cache.store(wrong, of: key)
      let second = try run(graph, options())
      #expect(
        second.report.program
          == .compiled(.damaged("it is no program for this graph")))
      #expect(second.outputs == first.outputs)
    }
  }

  /// The data of large constants is the graph's; what the prologue makes of it is made again, with the same bits.
  @Test func largeConstantsStayOutside() throws {
    func graph(_ last: Float) throws -> Graph {
      var builder = GraphBuilder(name: "large")
      let x = builder.input("x", TensorType(.f32, [16, 512]))
      var numbers = (0..<1 << 19).map { Float($0 % 1023) / 1023 }
      numbers[numbers.count - 1] = last
      let large = try builder.constant(Literal([512, 1024], numbers))
      let turned = try builder.reshape(large, [1024, 512])
      let first = try builder.dot(x, large, contracting: [[1], [0]])
      let second = try builder.dot(builder.unary(.tanh, first), turned, contracting: [[1], [0]])
      return try builder.finish([Output("y", second)])
    }
    let first = try run(try graph(1), options())
    #expect(first.report.program == .compiled(.new))
    #expect(first.executable.plan.buffers.contains { $0.placement == .packed })
    let key = try #require(CacheKey(try graph(1), options()))
    #expect(try options().cache.data(of: key).count < 10_000)
    for threads in [1, 2] {
      let second = try run(try graph(1), options(threads))
      #expect(second.report.program == .cache)
      #expect(second.executable.plan == first.executable.plan)
      #expect(second.outputs == first.outputs)
    }
    let other = try run(try graph(2), options())
    #expect(other.report.program == .compiled(.new) && other.outputs != first.outputs)
  }

  /// A property that is added must be kept, too.
  @Test func everyPropertyOfAPlanIsKept() throws {
    let executable = try run(try graph(), options()).executable
    let plan = executable.plan
    func properties(_ value: Any) -> [String] {
      Mirror(reflecting: value).children.compactMap(\.label)
    }
    #expect(
      properties(plan) == [
        "buffers", "kernels", "prologue", "launches", "inputs", "outputs", "arenaBytes",
        "lowerBoundBytes",
      ])
    #expect(properties(plan.kernels[0]) == ["name", "flops", "bytes", "results"])
    #expect(properties(plan.buffers[0]) == ["type", "placement", "value"])
    #expect(properties(plan.launches[0]) == ["kernel", "arguments", "values", "location"])
    let code = KernelCode(
      phases: [], sharedOffsets: [], sharedScratchBytes: 0, workerScratchBytes: 0)
    #expect(
      properties(code) == [
        "phases", "sharedOffsets", "sharedScratchBytes", "workerScratchBytes", "key",
      ])
    // And each of them is told apart by what is read back.
    let again = try run(try graph(), options()).executable.plan
    #expect(again == plan && again.kernels.allSatisfy { !$0.results.isEmpty })
  }
}
