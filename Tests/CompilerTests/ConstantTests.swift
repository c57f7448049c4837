import Compiler
import GraphIR
import Interpreter
import LoopIR
import Runtime
import Synchronization
import TestSupport
import Testing

/// Constant operands in native code: packed once, and shared by the executables of the process.
@Suite struct ConstantTests {
  /// A dense layer whose weight is data or an input.
  private func dense(
    _ m: Int, _ n: Int, _ k: Int, _ dtype: DType = .f32, isConstant: Bool = true,
    transposed: Bool = false, seed: UInt64 = 3, name: String = "dense"
  ) throws -> (graph: Graph, weight: Literal) {
    var builder = GraphBuilder(name: name)
    let x = builder.input("x", TensorType(dtype, [m, k]))
    var generator = SplitMix64(seed: seed)
    let type = TensorType(dtype, transposed ? [n, k] : [k, n])
    let weight = Literal(
      type, doubles: (0..<n * k).map { _ in .random(in: -1...1, using: &generator) })
    let operand = try isConstant ? builder.constant(weight) : builder.input("w", type)
    let product = try builder.dot(x, operand, contracting: [[1], [transposed ? 1 : 0]])
    let result = try builder.unary(.tanh, product)
    return (try builder.finish([Output("y", result)]), weight)
  }

  private func run(
    _ graph: Graph, _ inputs: [Literal], threads: Int = 1
  ) throws -> (executable: ProgramExecutable, outputs: [Literal]) {
    let executable = try JITBackend(threads: threads).prepareProgram(graph)
    var session = try Session(executable)
    for (buffer, literal) in zip(session.inputs, inputs) { buffer.write(literal) }
    var outputs: [[Literal]] = []
    for _ in 0..<2 {
      try session.run()
      outputs.append(session.outputs.map { $0.literal() })
    }
    #expect(outputs[0] == outputs[1])
    return (executable, outputs[0])
  }

  /// With rows enough for a copy in each run, the order of the sums is the same.
  @Test(arguments: [DType.f32, .f64, .f16, .bf16])
  func theBitsAreThoseOfAnOperandThatIsCopiedInEachRun(dtype: DType) throws {
    for (m, n, k, transposed) in [(128, 67, 131, false), (131, 300, 257, true)] {
      let (graph, weight) = try dense(m, n, k, dtype, transposed: transposed)
      let (plain, _) = try dense(m, n, k, dtype, isConstant: false, transposed: transposed)
      let x = graph.seededInputs(seed: 1)[0]
      let expected = try run(plain, [x, weight])
      #expect(expected.executable.plan.prologue.isEmpty)
      for threads in [1, 2, 4] {
        let found = try run(graph, [x], threads: threads)
        #expect(found.executable.plan.prologue.count == 1)
        #expect(found.outputs == expected.outputs, "\(m)x\(n)x\(k) on \(threads) threads")
      }
    }
  }

  @Test(arguments: [DType.f32, .f64, .f16, .bf16])
  func fewRowsAgreeWithTheInterpreter(dtype: DType) throws {
    for (m, n, k) in [(2, 67, 33), (8, 300, 1031), (8, 1024, 512), (17, 1030, 65), (3, 0, 5)] {
      for transposed in [false, true] {
        let (graph, _) = try dense(m, n, k, dtype, transposed: transposed)
        let comparison = try Comparer(options: CompileOptions()).compare(
          graph, graph.seededInputs(seed: 2))
        #expect(comparison.failure == nil, "\(m)x\(n)x\(k): \(comparison.failure as Any)")
        let alone = try run(graph, graph.seededInputs(seed: 2))
        let shared = try run(graph, graph.seededInputs(seed: 2), threads: 4)
        #expect(alone.outputs == shared.outputs)
      }
    }
  }

  @Test func convolutionsAgreeWithTheInterpreter() throws {
    for (stride, dilation, groups, filters) in [(1, 1, 1, 67), (2, 1, 1, 130), (1, 2, 2, 68)] {
      var builder = GraphBuilder(name: "convolution")
      let x = builder.input("x", TensorType(.f32, [1, 13, 13, 18]))
      var generator = SplitMix64(seed: 8)
      let filter = try builder.constant(
        Literal(
          TensorType(.f32, [3, 3, 18 / groups, filters]),
          doubles: (0..<162 / groups * filters).map { _ in .random(in: -1...1, using: &generator) })
      )
      let y = try builder.convolution(
        x, filter,
        Convolution(
          stride: [stride, stride], padding: [[1, 1], [1, 1]],
          kernelDilation: [dilation, dilation], groups: groups))
      let graph = try builder.finish([Output("y", y)])
      let comparison = try Comparer(options: CompileOptions()).compare(
        graph, graph.seededInputs(seed: 2))
      #expect(comparison.failure == nil, "\(comparison.failure as Any)")
    }
  }

  // MARK: Sharing

  @Test func executablesOfOneConstantShareItsCopy() throws {
    let (graph, _) = try dense(16, 67, 131, seed: 11)
    let (batch, _) = try dense(16, 67, 131, seed: 11, name: "other")
    let (different, _) = try dense(16, 67, 131, seed: 12)
    let first = try run(graph, graph.seededInputs(seed: 1))
    let second = try run(batch, graph.seededInputs(seed: 1), threads: 2)
    let third = try run(different, graph.seededInputs(seed: 1))
    #expect(first.outputs == second.outputs && first.outputs != third.outputs)
    // The constant itself is gone: only the copy is read.
    #expect(first.executable.constantBuffers.count == 1)
    #expect(first.executable.constantBuffers[0] === second.executable.constantBuffers[0])
    #expect(first.executable.constantBuffers[0] !== third.executable.constantBuffers[0])
  }

  @Test func whatNobodyHoldsIsFreed() throws {
    let (graph, _) = try dense(16, 67, 131, seed: 21)
    weak var copy: Buffer?
    do {
      let first = try run(graph, graph.seededInputs(seed: 1))
      copy = first.executable.constantBuffers[0]
      withExtendedLifetime(first) {}
    }
    #expect(copy == nil)
    let again = try run(graph, graph.seededInputs(seed: 1))
    let other = try run(graph, graph.seededInputs(seed: 1))
    #expect(again.outputs == other.outputs)
    #expect(again.executable.constantBuffers[0] === other.executable.constantBuffers[0])
  }

  /// A constant that several kernels read as it is lies in memory once, too.
  @Test func plainConstantsAreShared() throws {
    func graph(_ name: String) throws -> Graph {
      var builder = GraphBuilder(name: name)
      let x = builder.input("x", TensorType(.f32, [5000]))
      let data = try builder.constant(Literal([5000], (0..<5000).map { Float($0) }))
      let product = try builder.multiply(x, data)
      return try builder.finish([Output("y", product)])
    }
    let first = try run(try graph("a"), try graph("a").seededInputs(seed: 1))
    let second = try run(try graph("b"), try graph("a").seededInputs(seed: 1))
    #expect(first.executable.constantBuffers[0] === second.executable.constantBuffers[0])
  }

  /// Whoever comes second waits for the copy that the first one makes.
  @Test func concurrentCompilationsMakeOneCopy() async throws {
    let (graph, _) = try dense(16, 530, 131, seed: 31)
    let inputs = graph.seededInputs(seed: 1)
    let results = try await withThrowingTaskGroup(
      of: (executable: ProgramExecutable, outputs: [Literal]).self
    ) { group in
      for threads in [1, 2, 1, 4, 1, 2] {
        group.addTask { try run(graph, inputs, threads: threads) }
      }
      var all: [(executable: ProgramExecutable, outputs: [Literal])] = []
      for try await result in group { all.append(result) }
      return all
    }
    #expect(results.count == 6)
    #expect(results.allSatisfy { $0.outputs == results[0].outputs })
    let copies = Set(results.map { ObjectIdentifier($0.executable.constantBuffers[0]) })
    #expect(copies.count == 1)
  }
}
