import Compiler
import Foundation
import GraphIR
import LLVMBackend
import LoopIR
import Lowering
import Runtime
import Synchronization
import Testing

/// Candidates of kernels, timed on this machine.
@Suite struct AutotuneTests {
  /// A folder of this test's own.
  let folder: String = FileManager.default.temporaryDirectory
    .appending(path: "martlet-tuning-\(UUID().uuidString)").path

  // MARK: The same bits

  /// A product or a convolution with numbers drawn from a seed, and an epilogue.
  private static func contraction(_ seed: UInt64) throws -> Graph {
    var generator = SplitMix64(seed: seed)
    let type = ["f32", "f64", "bf16"].randomElement(using: &generator) ?? "f32"
    func size(_ range: ClosedRange<Double>) -> Int {
      Int(exp(Double.random(in: log(range.lowerBound)...log(range.upperBound), using: &generator)))
    }
    func tensor(_ extents: [Int]) -> String {
      "\(type)[\(extents.map(String.init).joined(separator: ","))]"
    }
    var (a, b, y): ([Int], [Int], [Int])
    var operation: String
    if seed % 3 == 0 {
      let (side, taps) = (size(5...20), [1, 3, 3, 5].randomElement(using: &generator) ?? 1)
      let groups = [1, 1, 1, 2, 4].randomElement(using: &generator) ?? 1
      let (channels, filters) = (size(1...60), size(2...80))
      let (stride, padding) = (Int.random(in: 1...2, using: &generator), taps / 2)
      let out = (side + 2 * padding - taps) / stride + 1
      a = [2, side, side, groups * channels]
      b = [taps, taps, channels, groups * filters]
      y = [2, out, out, groups * filters]
      operation =
        "convolution %a, %b {stride = [\(stride), \(stride)], padding = [[\(padding), \(padding)], "
        + "[\(padding), \(padding)]], inputDilation = [1, 1], kernelDilation = [1, 1], "
        + "groups = \(groups)}"
    } else {
      let (m, n, k) = (size(1...300), size(1...300), size(2...700))
      let (isLeft, isRight) = (
        Bool.random(using: &generator), Bool.random(using: &generator)
      )
      (a, b, y) = (isLeft ? [k, m] : [m, k], isRight ? [n, k] : [k, n], [m, n])
      operation = "dot %a, %b {contracting = [[\(isLeft ? 0 : 1)], [\(isRight ? 1 : 0)]]}"
    }
    return try Graph.parse(
      """
      graph @drawn(%a: \(tensor(a)), %b: \(tensor(b)), %c: \(tensor([y[y.count - 1]]))) -> (y: \(tensor(y))) {
        %0 = \(operation) : \(tensor(y))
        %1 = broadcast %c {dimensions = [\(y.count - 1)]} : \(tensor(y))
        %2 = add %0, %1 : \(tensor(y))
        return %2
      }
      """, file: "drawn.mir")
  }

  /// The bytes of a kernel's parameters after a run on numbers of both signs.
  private func run(
    _ loops: Loops, _ functions: [JITLibrary.Function], _ kernel: Kernel, _ pool: ThreadPool
  ) -> [Literal] {
    let buffers = kernel.parameters.enumerated().map { place, parameter in
      var generator = SplitMix64(seed: UInt64(place))
      let values = (0..<parameter.type.shape.elementCount).map { _ in
        Double.random(in: -1...1, using: &generator)
      }
      return Buffer(Literal(parameter.type, doubles: values))
    }
    let code = KernelCode(loops, functions: functions)
    let shared = Buffer(TensorType(.u8, [code.sharedScratchBytes]))
    let stride = WorkspaceSize.allocated(code.workerScratchBytes)
    let worker = Buffer(TensorType(.u8, [stride * pool.threads]))
    defer { withExtendedLifetime((buffers, shared, worker)) {} }
    var pointers = buffers.map(\.bytes.baseAddress)
    pointers += code.sharedOffsets.map { offset in
      offset.flatMap { shared.bytes.baseAddress?.advanced(by: $0) }
    }
    pointers.withUnsafeMutableBufferPointer { pointers in
      guard let start = pointers.baseAddress, let scratch = worker.bytes.baseAddress else { return }
      code.run(on: start, workerScratch: scratch, stride: stride, pool)
    }
    return buffers.map { $0.literal() }
  }

  @Test func candidatesOfContractionsGiveTheSameBits() throws {
    var several = 0
    var kinds: Set<String> = []
    let pools = [ThreadPool(threads: 1), ThreadPool(threads: 2)]
    for seed in 1...36 as ClosedRange<UInt64> {
      let graph = try Self.contraction(seed)
      for kernel in try lower(graph).kernels {
        let candidates = scheduleCandidates(kernel, for: .host, atMost: Tuner.candidateCount + 2)
        let loops = try candidates.map { try $0.loops() }
        #expect(loops[0] == (try schedule(kernel, for: .host)), "\(graph)")
        let library = try JITLibrary(loops, options: CodeOptions())
        defer { withExtendedLifetime(library) {} }
        if candidates.count > 1 { several += 1 }
        kinds.formUnion(candidates.map { String($0.summary.prefix { $0 != " " }) })
        let expected = run(loops[0], library.functions(ofKernel: 0), kernel, pools[0])
        for (place, candidate) in candidates.enumerated() {
          for pool in pools {
            let found = run(
              loops[place], library.functions(ofKernel: place), kernel, pool)
            #expect(
              found == expected,
              "seed \(seed), \(pool.threads) threads: \(candidate.summary)\n\(graph)")
          }
        }
      }
    }
    #expect(several >= 24, "\(several) kernels have a choice")
    #expect(kinds.isSuperset(of: ["tile", "blocks"]), "\(kinds)")
  }

  // MARK: Choosing and keeping

  /// What a compilation told.
  private final class Told: Sendable {
    let report = Mutex<CodeReport?>(nil)
  }

  private let graph = """
    graph @two(%x: f32[64,96], %w: f32[96,80]) -> (y: f32[64,80], z: f32[64,96]) {
      %0 = dot %x, %w {contracting = [[1], [0]]} : f32[64,80]
      %1 = exp %x : f32[64,96]
      return %0, %1
    }
    """

  private func options(_ threads: Int = 1) -> CompileOptions {
    var options = CompileOptions(threads: threads, autotune: true)
    options.cache = CodeCache(folder: folder)
    return options
  }

  /// Compiles and runs the graph.
  private func run(_ options: CompileOptions) throws -> (report: CodeReport, outputs: [Literal]) {
    let told = Told()
    var options = options
    options.didCompile = { report in told.report.withLock { $0 = report } }
    let graph = try Graph.parse(self.graph, file: "two.mir")
    var session = try Session(try JITBackend(options: options).prepare(graph))
    for (buffer, literal) in zip(session.inputs, graph.seededInputs(seed: 5)) {
      buffer.write(literal)
    }
    try session.run()
    let report = try #require(told.report.withLock { $0 })
    return (report, session.outputs.map { $0.literal() })
  }

  /// The key of the decision for the product.
  private func decisionKey(_ threads: Int = 1) throws -> CacheKey {
    let kernel = try #require(try product())
    let loops = try schedule(kernel, for: .host)
    return CacheKey(
      decisionFor: CacheKey(loops, CodeOptions()), .host, threads: threads)
  }

  private func product() throws -> Kernel? {
    let compilation = try Compilation(
      Graph.parse(graph, file: "two.mir"), options: CompileOptions())
    return compilation.program.kernels.first { $0.stages[0].kind != .map }
  }

  /// Forgets the programs, so that kernels are scheduled again.
  private func forgetProgram(_ options: CompileOptions) throws {
    let graph = try Graph.parse(self.graph, file: "two.mir")
    let key = try #require(CacheKey(graph, options))
    options.cache.store([], of: key)
  }

  @Test(arguments: [1, 2]) func aChoiceIsMeasuredOnceAndKept(_ threads: Int) throws {
    var plain = options(threads)
    plain.autotune = false
    let untuned = try run(plain)
    #expect(untuned.report.tuning.isEmpty)
    let first = try run(options(threads))
    #expect(first.outputs == untuned.outputs)
    // The exponential has no choice.
    #expect(first.report.tuning.count == 1)
    let report = try #require(first.report.tuning.first)
    guard case .measured(let trials) = report.source else {
      Issue.record("\(report)")
      return
    }
    #expect(trials.count > 1)
    #expect(trials[0].seconds > 0)
    #expect(report.chosen == 0 || report.gain >= 1.03)
    #expect(report.lines.contains { $0.contains("tried") })
    #expect(report.lines.contains { $0.contains("chosen") })
    // The program is there.
    let second = try run(options(threads))
    #expect(second.report.program == .cache)
    #expect(second.report.tuning.isEmpty)
    #expect(second.outputs == untuned.outputs)
    // Only the choice is there.
    try forgetProgram(options(threads))
    let third = try run(options(threads))
    #expect(third.report.tuning.map(\.source) == [.cache])
    #expect(third.report.tuning.first?.chosen == report.chosen)
    #expect(third.outputs == untuned.outputs)
    #expect(third.report.lines.contains { $0.contains("kept: ") })
  }

  @Test func aChoiceIsForANumberOfThreads() throws {
    _ = try run(options(1))
    let other = try run(options(2))
    #expect(other.report.program?.isCompiled == true)
    guard case .measured = other.report.tuning.first?.source else {
      Issue.record("\(other.report.tuning)")
      return
    }
  }

  @Test func whatIsNoChoiceIsIgnoredAndTold() throws {
    let first = try run(options())
    let key = try decisionKey()
    let good = Array(try options().cache.data(of: key))
    // Nothing, too much, a place that is not there, code that is not that candidate's.
    for wrong in [
      [], good + [0], [200, 1, 0, 0], [2, 2, 65, 0], [1, 0, 0],
      [UInt8](repeating: 255, count: 40),
    ] {
      options().cache.store(wrong, of: key)
      try forgetProgram(options())
      let second = try run(options())
      let report = try #require(second.report.tuning.first)
      #expect(
        report.ignored == "the entry is damaged: it is no choice for this kernel", "\(wrong)")
      #expect(second.report.lines.contains { $0.contains("is ignored") })
      guard case .measured = report.source else {
        Issue.record("\(report)")
        continue
      }
      #expect(second.outputs == first.outputs)
    }
  }

  @Test func aKeptChoiceIsTaken() throws {
    let kernel = try #require(try product())
    let candidates = scheduleCandidates(
      kernel, for: .host, atMost: Tuner.candidateCount)
    #expect(candidates.count > 1)
    for place in candidates.indices.dropFirst() {
      let loops = try candidates[place].loops()
      let decision = TuningDecision(
        place: place, code: CacheKey(loops, CodeOptions()).name, gain: 1500)
      options().cache.store(decision.bytes, of: try decisionKey())
      let (tuned, reports) = try tuner().tune([kernel], [try schedule(kernel, for: .host)])
      #expect(tuned == [loops])
      #expect(reports.map(\.chosen) == [place])
      #expect(reports.first?.gain == 1.5)
      #expect(reports.first?.summary == candidates[place].summary)
    }
  }

  private func tuner() -> Tuner {
    Tuner(
      target: .host, threads: 1, compileThreads: 1, cache: CodeCache(folder: folder))
  }

  @Test func whatHasNoMemoryOrTimeIsNotMeasured() throws {
    let kernel = try #require(try product())
    let loops = try schedule(kernel, for: .host)
    var small = tuner()
    small.byteLimit = 4 * (64 * 96 + 96 * 80 + 64 * 80) - 1
    var short = tuner()
    short.secondLimit = 1e-9
    for tuner in [small, short] {
      let (tuned, reports) = try tuner.tune([kernel], [loops])
      #expect(tuned == [loops])
      guard case .skipped = reports.first?.source else {
        Issue.record("\(reports)")
        continue
      }
      // Nothing is kept: another time there may be more.
      #expect(throws: CacheMiss.new) { try tuner.cache.data(of: try decisionKey()) }
    }
    let (_, reports) = try small.tune([kernel], [loops])
    #expect(reports.first?.lines.first?.contains("not measured: its tensors have") == true)
    #expect(Tuner.standardByteLimit <= MemoryBudget.machineBytes / 4)
  }

  /// A program that was kept would not be tuned another time, when there may be more memory.
  @Test func programsThatAreNotMeasuredAreNotKept() throws {
    // Three of these have three eighths of the memory, and measuring may take a quarter.
    let side = Int((MemoryBudget.bytes() / 32).squareRoot())
    let type = "f32[\(side),\(side)]"
    let graph = try Graph.parse(
      """
      graph @large(%x: \(type), %w: \(type)) -> (y: \(type)) {
        %0 = dot %x, %w {contracting = [[1], [0]]} : \(type)
        return %0
      }
      """, file: "large.mir")
    let options = options()
    let key = try #require(CacheKey(graph, options))
    let compilation = try Compilation(graph, options: options)
    #expect(compilation.tuning.contains { $0.lines[0].contains("not measured") })
    _ = try compilation.makeExecutable(pool: ThreadPool(threads: 1), started: .now, key: key)
    #expect(throws: CacheMiss.new) { try options.cache.data(of: key) }
    let small = try Graph.parse(self.graph, file: "two.mir")
    let smallKey = try #require(CacheKey(small, options))
    _ = try Compilation(small, options: options).makeExecutable(
      pool: ThreadPool(threads: 1), started: .now, key: smallKey)
    #expect(throws: Never.self) { try options.cache.data(of: smallKey) }
  }

  @Test func equalKernelsAreMeasuredOnce() throws {
    let kernel = try #require(try product())
    var other = kernel
    other.name = "other"
    let loops = try [kernel, other].map { try schedule($0, for: .host) }
    let (tuned, reports) = try tuner().tune([kernel, other], loops)
    #expect(reports.count == 1)
    #expect(CacheKey(tuned[0], CodeOptions()) == CacheKey(tuned[1], CodeOptions()))
  }

  @Test func plantedFaultsAreNotTimed() throws {
    var options = options()
    options.fault = .scheduleSkipsTail
    let compilation = try Compilation(Graph.parse(graph, file: "two.mir"), options: options)
    #expect(compilation.tuning.isEmpty)
  }
}
