import GraphIR
import Interpreter
import LoopIR
import Lowering
import Testing

/// Constant operands that kernels copy are copied by the prologue.
@Suite struct ConstantPackingTests {
  /// A program with its loops, before and after its constants are packed.
  private struct Packed {
    var plain: Program
    var program: Program
    var loops: [Loops]

    init(_ graph: Graph, _ target: Target) throws {
      plain = try lower(graph)
      let schedules = try plain.kernels.map { try KernelSchedule($0, for: target) }
      (program, loops) = try plain.packingConstants(schedules)
    }

    var copies: Int {
      program.buffers.count { $0.placement == .packed }
    }
  }

  private func constant(
    _ builder: inout GraphBuilder, _ type: TensorType, seed: UInt64 = 9
  ) throws -> Value {
    var generator = SplitMix64(seed: seed)
    return try builder.constant(generator.literal(type))
  }

  /// Checks that nothing of the results changes, and gives the packed program.
  @discardableResult
  private func check(
    _ graph: Graph, _ target: Target, copies: Int?, tolerance: Double = 1e-3,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Packed {
    let packed = try Packed(graph, target)
    let problems = packed.program.verify() + packed.program.verifyMemory()
    #expect(problems.isEmpty, "\(problems)", sourceLocation: sourceLocation)
    if let copies {
      #expect(packed.copies == copies, "\(packed.program)", sourceLocation: sourceLocation)
    }
    #expect(packed.loops.count == packed.program.kernels.count)
    var generator = SplitMix64(seed: 4)
    let inputs = graph.inputs.map { generator.literal($0.type) }
    let expected = try interpret(graph, inputs)
    let defined = try packed.program.evaluate(inputs)
    let before = try packed.plain.evaluateLoops(inputs, target)
    let after = try packed.program.evaluateLoops(inputs, target, packed.loops)
    #expect(after == before, "the bits differ", sourceLocation: sourceLocation)
    for (a, b) in zip(defined + after, expected + expected) {
      let message = mismatch(a, b, tolerance)
      #expect(
        message == nil, "\(message ?? "")\n\(packed.program)", sourceLocation: sourceLocation)
    }
    // Nothing but the prologue reads what is packed, and no run copies it.
    let sources = Set(
      packed.program.prologue.flatMap(\.arguments).filter {
        if case .constant = packed.program.buffers[$0.index].placement { true } else { false }
      })
    if packed.copies > 0 {
      #expect(packed.program.launches.allSatisfy { sources.isDisjoint(with: $0.arguments) })
      for launch in packed.program.launches {
        #expect(packed.loops[launch.kernel].packedBytes(in: .shared) == 0)
      }
    }
    return packed
  }

  private func dense(
    _ m: Int, _ n: Int, _ k: Int, _ dtype: DType = .f32, transposed: Bool = false
  ) throws -> Graph {
    try makeGraph([TensorType(dtype, [m, k]), TensorType(dtype, [n])]) { builder, x in
      let type = TensorType(dtype, transposed ? [n, k] : [k, n])
      let weight = try constant(&builder, type)
      let product = try builder.dot(x[0], weight, contracting: [[1], [transposed ? 1 : 0]])
      let bias = try builder.broadcast(x[1], to: [m, n], dimensions: [1])
      return [try builder.unary(.abs, builder.add(product, bias))]
    }
  }

  @Test(arguments: scheduleTargets)
  func products(target: Target) throws {
    // Columns that are no whole number of vectors, far apart, or along the reduction; few rows and many.
    try check(try dense(70, 37, 40), target, copies: 1)
    try check(try dense(8, 300, 24), target, copies: 1)
    try check(try dense(67, 131, 161), target, copies: 1)
    try check(try dense(9, 21, 11, transposed: true), target, copies: 1)
    // Whether sums along the reduction are as fast depends on the vectors.
    try check(try dense(65, 33, 200, transposed: true), target, copies: nil)
    // One row reads each element once: there is nothing to gain.
    try check(try dense(1, 37, 40), target, copies: 0)
  }

  @Test(arguments: [DType.f16, .bf16, .f64, .i32])
  func elementTypes(dtype: DType) throws {
    let tolerance = dtype == .bf16 ? 0.1 : 2e-2
    try check(try dense(9, 35, 30, dtype), scheduleTargets[1], copies: 1, tolerance: tolerance)
    try check(
      try dense(66, 67, 170, dtype, transposed: true), scheduleTargets[1], copies: 1,
      tolerance: tolerance)
  }

  @Test(arguments: scheduleTargets)
  func convolutions(target: Target) throws {
    for (size, channels, filters, groups) in [(9, 5, 35, 1), (7, 6, 34, 2), (12, 16, 18, 1)] {
      let graph = try makeGraph([TensorType(.f32, [1, size, size, channels])]) { builder, x in
        let filter = try constant(
          &builder, TensorType(.f32, [3, 3, channels / groups, filters]))
        return [
          try builder.convolution(
            x[0], filter,
            Convolution(stride: [1, 1], padding: [[1, 1], [1, 1]], groups: groups))
        ]
      }
      try check(graph, target, copies: groups == 1 ? 1 : nil)
    }
  }

  /// A reduction that is computed in parts reads the same copy.
  @Test func splitReductions() throws {
    let packed = try check(try dense(6, 35, 4096), scheduleTargets[1], copies: 1)
    let loops = packed.loops[packed.program.launches[0].kernel]
    #expect(loops.phases.count == 2, "the sum has parts: \(packed.program)")
  }

  @Test func aConstantHasACopyForEachOrder() throws {
    let target = scheduleTargets[1]
    func graph(_ transposed: [Bool]) throws -> Graph {
      try makeGraph([TensorType(.f32, [16, 35])]) { builder, x in
        let weight = try constant(&builder, TensorType(.f32, [35, 35]))
        return try transposed.map {
          try builder.unary(.tanh, builder.dot(x[0], weight, contracting: [[1], [$0 ? 1 : 0]]))
        }
      }
    }
    try check(try graph([false, true]), target, copies: 2)
    // Layers in a row with one weight share the copy.
    let tied = try makeGraph([TensorType(.f32, [16, 35])]) { builder, x in
      let weight = try constant(&builder, TensorType(.f32, [35, 35]))
      let first = try builder.dot(x[0], weight, contracting: [[1], [0]])
      return [try builder.dot(builder.unary(.tanh, first), weight, contracting: [[1], [0]])]
    }
    let packed = try check(tied, target, copies: 1)
    #expect(packed.program.prologue.count == 1 && packed.program.launches.count == 2)
    // Layers with weights of their own share the code.
    let apart = try makeGraph([TensorType(.f32, [16, 35])]) { builder, x in
      var y = x[0]
      for seed in 0..<3 {
        let weight = try constant(&builder, TensorType(.f32, [35, 35]), seed: UInt64(seed))
        y = try builder.dot(y, weight, contracting: [[1], [0]])
      }
      return [y]
    }
    let several = try check(apart, target, copies: 3)
    #expect(Set(several.program.prologue.map(\.kernel)).count == 1)
    #expect(Set(several.program.launches.map(\.kernel)).count == 1)
  }

  /// What is computed from constants is packed as they are.
  @Test func whatThePrologueComputesIsPackedThere() throws {
    let graph = try makeGraph([TensorType(.f32, [16, 131])]) { builder, x in
      let weight = try constant(&builder, TensorType(.f32, [131, 131]))
      let scaled = try builder.unary(.tanh, weight)
      return [try builder.dot(x[0], scaled, contracting: [[1], [0]])]
    }
    let packed = try check(graph, scheduleTargets[1], copies: 1)
    #expect(packed.program.prologue.count == 2)
  }

  @Test func nothingIsPackedOfEmptyTensorsAndInputs() throws {
    for (m, n, k) in [(0, 33, 9), (16, 0, 9), (16, 33, 0)] {
      try check(try dense(m, n, k), scheduleTargets[1], copies: 0)
    }
    let graph = try makeGraph([TensorType(.f32, [16, 35]), TensorType(.f32, [35, 35])]) {
      builder, x in [try builder.dot(x[0], x[1], contracting: [[1], [0]])]
    }
    try check(graph, scheduleTargets[1], copies: 0)
  }

  @Test func theVerifierKnowsWhatIsConstant() throws {
    var program = try Packed(try dense(16, 35, 35), scheduleTargets[1]).program
    #expect(program.verify().isEmpty)
    let copy = try #require(program.buffers.firstIndex { $0.placement == .packed })
    program.buffers[copy].placement = .arena(offset: 0)
    let messages = program.verify().map(\.message)
    #expect(messages.contains { $0.contains("is taken for constant and is in arena at 0") })
    #expect(messages.contains { $0.contains("is written by the prologue") })
  }
}
