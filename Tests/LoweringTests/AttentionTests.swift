import Compiler
import Differentiation
import GraphIR
import Interpreter
import LoopIR
import Lowering
import TestSupport
import Testing

/// Attention as one kernel: its values for every vector width, and its memory.
@Suite struct AttentionKernelTests {
  /// The gradients alone, after all passes.
  func gradientGraph(_ sample: AttentionSample) throws -> Graph {
    let whole = try gradient(
      of: try sample.scalarGraph(), output: 0, withRespectTo: [0, 1, 2])
    var builder = GraphBuilder(name: "gradients")
    builder.graph = whole
    let graph = try builder.finish(whole.outputs.dropFirst().map(\.value))
    return try Compilation.optimize(graph, options: CompileOptions())
  }

  func forwardGraph(_ sample: AttentionSample) throws -> Graph {
    try Compilation.optimize(try sample.graph(), options: CompileOptions())
  }

  func expectValues(_ graph: Graph, _ sample: AttentionSample) throws {
    let inputs = sample.inputs(of: graph)
    let expected = try interpret(graph, inputs, precision: .double)
    let program = try lower(graph)
    let tolerance = 64 * (sample.dtype.epsilon ?? 0)
    for target in scheduleTargets {
      for (a, b) in zip(try program.evaluateLoops(inputs, target), expected) {
        let rounded = Literal(a.type, doubles: b.doubles())
        let message = mismatch(a, rounded, tolerance)
        #expect(message == nil, "\(sample), \(target.vectorBytes) bytes: \(message ?? "")")
      }
    }
    for (a, b) in zip(try program.evaluate(inputs), expected) {
      let message = mismatch(a, Literal(a.type, doubles: b.doubles()), tolerance)
      #expect(message == nil, "\(sample), as fused: \(message ?? "")")
    }
  }

  @Test(arguments: AttentionSample.all)
  func values(_ sample: AttentionSample) throws {
    try expectValues(try forwardGraph(sample), sample)
  }

  @Test(arguments: AttentionSample.all)
  func gradients(_ sample: AttentionSample) throws {
    try expectValues(try gradientGraph(sample), sample)
  }

  /// Operands that are parts of one projection, and a result in another order, cost no kernel of their own.
  @Test func partsOfAProjectionAreReadInPlace() throws {
    let sample = AttentionSample([2, 3], (9, 9, 4, 4), .upTo(0))
    let graph = try makeGraph([TensorType(.f32, [2, 9, 36])]) { builder, x in
      let parts = try (0..<3).map { part in
        let slice = try builder.slice(
          x[0], start: [0, 0, 12 * part], limit: [2, 9, 12 * part + 12])
        return try builder.transpose(
          try builder.reshape(slice, [2, 9, 3, 4]), [0, 2, 1, 3])
      }
      return [try builder.transpose(try sample.write(&builder, parts), [0, 2, 1, 3])]
    }
    let optimized = try Compilation.optimize(graph, options: CompileOptions())
    try expectValues(optimized, sample)
    let program = try lower(optimized)
    #expect(program.launches.count == 1, "\(program)")
    #expect(program.arenaBytes == 0)
  }

  /// What the kernels read and write are inputs and outputs: there is no matrix of scores among it.
  @Test(arguments: [false, true])
  func noScoresAreInMemory(isGradient: Bool) throws {
    let sample = AttentionSample([2], (200, 300, 8, 8), .upTo(0))
    let graph = try isGradient ? gradientGraph(sample) : forwardGraph(sample)
    let program = try lower(graph)
    #expect(program.launches.count == 1, "\(program)")
    #expect(program.arenaBytes == 0)
    let bytes = program.kernels[0].parameters.reduce(0) { $0 + $1.type.byteCount }
    let interface =
      graph.inputs.reduce(0) { $0 + $1.type.byteCount }
      + graph.outputs.reduce(0) { $0 + graph.type(of: $1.value).byteCount }
    #expect(bytes == interface)
    // A worker holds the scores of a block of rows.
    let loops = try schedule(program.kernels[0], for: scheduleTargets[1])
    #expect(loops.sharedScratchBytes == 0)
    #expect(loops.workerScratchBytes < 200 * 300 * 4)
  }

  /// Keys that no query of a block may see are not looked at: what they hold does not matter.
  @Test func hiddenKeysAreSkipped() throws {
    let sample = AttentionSample([], (64, 64, 4, 4), .upTo(0))
    let graph = try forwardGraph(sample)
    let program = try lower(graph)
    let plain = sample.inputs(of: graph)
    var values = plain[2].doubles()
    for place in 60 * 4..<64 * 4 { values[place] = .nan }
    let spoiled = [plain[0], plain[1], Literal(plain[2].type, doubles: values)]
    let first = try program.evaluateLoops(plain, scheduleTargets[0])[0].doubles()
    let second = try program.evaluateLoops(spoiled, scheduleTargets[0])[0].doubles()
    #expect(first.prefix(32 * 4) == second.prefix(32 * 4))
    #expect(second.suffix(4).allSatisfy { $0.isNaN })
  }

  /// What was -infinity and has become a truth value hides no key anymore.
  @Test func minusInfinityMayBecomeANumber() throws {
    let sample = AttentionSample([], (40, 40, 4, 4))
    let whole = TensorType(.f32, [40, 40])
    let graph = try makeGraph(sample.types) { builder, x in
      let places = TensorType(.i32, whole.shape)
      let isSeen = try builder.compare(
        .lessEqual, builder.iota(places, dimension: 1), builder.iota(places, dimension: 0))
      var logits = try builder.select(
        isSeen, builder.dot(x[0], x[1], contracting: [[1], [1]]), builder.splat(-.infinity, whole))
      logits = try builder.convert(builder.convert(logits, .bool), .f32)
      let maximum = try builder.reduce(.max, logits, dimensions: [1])
      let exponential = try builder.unary(
        .exp, builder.subtract(logits, builder.broadcast(maximum, to: whole.shape, dimensions: [0]))
      )
      let sum = try builder.reduce(.sum, exponential, dimensions: [1])
      let weights = try builder.divide(
        exponential, builder.broadcast(sum, to: whole.shape, dimensions: [0]))
      return [try builder.dot(weights, x[2], contracting: [[1], [0]])]
    }
    let optimized = try Compilation.optimize(graph, options: CompileOptions())
    #expect(optimized.nodes.filter(\.isWholeAttention).count == 1)
    try expectValues(optimized, sample)
  }

  /// Rows that see no key at all are NaN, as the formula gives it.
  @Test func rowsWithoutKeysAreNotNumbers() throws {
    let sample = AttentionSample([], (40, 21, 4, 4), .upTo(-9))
    let graph = try forwardGraph(sample)
    let inputs = sample.inputs(of: graph)
    for target in scheduleTargets {
      let found = try lower(graph).evaluateLoops(inputs, target)[0].doubles()
      #expect(found.prefix(9 * 4).allSatisfy { $0.isNaN })
      #expect(!found.dropFirst(9 * 4).contains { $0.isNaN })
    }
  }
}
