import Compiler
import FoundationEssentials
import GraphIR
import Testing

/// What has no room is refused before it is allocated.
@Suite struct MemoryBudgetTests {
  /// `-(-x) + y` with tensors of a given shape.
  private func graph(_ shape: Shape) throws -> Graph {
    var builder = GraphBuilder(name: "sum")
    let type = TensorType(.f32, shape)
    let (x, y) = (builder.input("x", type), builder.input("y", type))
    let twice = try builder.negate(try builder.negate(x))
    let sum = try builder.add(twice, y)
    return try builder.finish([Output("z", sum)])
  }

  @Test func theInterpreterHoldsValuesUpToTheirLastUse() throws {
    let graph = try graph([10, 10])
    // x, y and -x; then y, -x and -(-x); then y, -(-x) and the sum.
    #expect(graph.interpreterBytes == 3 * 100 * 8)
    #expect(graph.interfaceBytes == 3 * 100 * 4)
  }

  /// Operands that fit in memory may still have more to compute than a number counts.
  @Test func stepsAreCounted() throws {
    func expectRefusal(
      _ inputs: [Shape], _ build: (inout GraphBuilder, [Value]) throws(Diagnostic) -> Value
    ) throws {
      var builder = GraphBuilder(name: "long")
      let x = inputs.enumerated().map { builder.input("x\($0)", TensorType(.f32, $1)) }
      let y = try build(&builder, x)
      let graph = try builder.finish([Output("y", y)])
      #expect(
        refusal { () throws(Diagnostic) in
          _ = try Compilation(graph, options: CompileOptions())
        } == .sizeOverflow)
    }
    let square: Shape = [1 << 24, 1 << 24]
    try expectRefusal([square, square]) { builder, x throws(Diagnostic) in
      try builder.dot(x[0], x[1], contracting: [[1], [0]])
    }
    let spatial: Shape = [1 << 20, 1 << 13, 1 << 13, 4]
    try expectRefusal([spatial, [1 << 13, 1 << 13, 4, 1 << 20]]) { builder, x throws(Diagnostic) in
      try builder.append(
        .convolution(
          Convolution(
            stride: [1, 1], padding: [[0, 0], [0, 0]], inputDilation: [1, 1],
            kernelDilation: [1, 1], groups: 1)), x)[0]
    }
    // Four taps, far apart: what is padded for them has no shape.
    let far = 1 << 40
    try expectRefusal([[1, 2, 2, 1], [2, 2, 1, 1]]) { builder, x throws(Diagnostic) in
      try builder.append(
        .convolution(
          Convolution(
            stride: [1, 1], padding: [[far, 0], [far, 0]], inputDilation: [1, 1],
            kernelDilation: [far, far], groups: 1)), x)[0]
    }
    try expectRefusal([[1 << 10, 1 << 10]]) { builder, x throws(Diagnostic) in
      let window = Window(
        size: [far, far], stride: [1, 1], padding: [[far - 1, 0], [far - 1, 0]], dilation: [1, 1])
      return try builder.append(.reduceWindow(ReduceWindow(.max, window: window)), x)[0]
    }
  }

  @Test func placesOfMovedElementsAreListed() throws {
    var builder = GraphBuilder(name: "moved")
    let x = builder.input("x", TensorType(.f32, [10, 20]))
    let y = try builder.transpose(x, [1, 0])
    let graph = try builder.finish([Output("y", y)])
    // x, the result, and twice as many places.
    #expect(graph.interpreterBytes == 4 * 200 * 8)
  }

  @Test func aBodyReadsItsOperandsWhereTheyAre() throws {
    var builder = GraphBuilder(name: "nested")
    let type = TensorType(.f32, [10, 10])
    let (x, y) = (builder.input("x", type), builder.input("y", type))
    let z = try builder.composite("sum", [x, y]) { body, inputs throws(Diagnostic) in
      [try body.negate(try body.add(inputs[0], inputs[1]))]
    }
    let graph = try builder.finish([Output("z", z[0])])
    // x, y, and two results: of the sum and its negative, then of the body and rounded.
    #expect(graph.interpreterBytes == 4 * 100 * 8)
  }

  /// What containers look like in both versions, nested and seen from inside.
  @Test(arguments: [
    ("0::/\n", ["memory.max": "1000000\n"], 1e6),
    ("0::/\n", ["memory.max": "max\n"], Double.infinity),
    ("0::/a/b\n", ["a/memory.max": "3000000\n", "a/b/memory.max": "max\n"], 3e6),
    ("0::/a/b\n", ["a/memory.max": "3000000\n", "a/b/memory.max": "2000000\n"], 2e6),
    (
      "5:cpu,cpuacct:/x\n4:memory:/docker/1f\n0::/\n",
      ["memory/memory.limit_in_bytes": "5000000\n"], 5e6
    ),
    (
      "4:memory:/docker/1f\n",
      [
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/docker/1f/memory.limit_in_bytes": "4000000\n",
      ], 4e6
    ),
    ("", [:], .infinity), ("nonsense\n::\n", ["memory.max": "-1\n"], .infinity),
  ])
  func aContainersLimitIsKnown(
    membership: String, files: [String: String], expected: Double
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, content) in files.merging(["self": membership], uniquingKeysWith: { $1 }) {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(content.utf8).write(to: file)
    }
    var groups = ControlGroups()
    groups.mount = folder.path
    groups.membership = folder.appending(path: "self").path
    #expect(groups.memoryLimit == expected)
    let refused = refusal { () throws(Diagnostic) in
      try MemoryBudget.require(6e6, for: "a test", groups: groups)
    }
    #expect(refused == (expected < 6e6 ? .sizeOverflow : nil))
  }

  @Test(arguments: [[1 << 20, 1 << 20], [1 << 24, 1 << 24]])
  func noBackendTakesWhatDoesNotFit(_ extents: [Int]) throws {
    let graph = try graph(Shape(extents))
    #expect(refusal { () throws(Diagnostic) in try JITBackend().prepare(graph) } == .sizeOverflow)
    #expect(
      refusal { () throws(Diagnostic) in try InterpreterBackend().prepare(graph) } == .sizeOverflow)
  }

  /// Each tensor is small enough to be written down, and their sum is not.
  @Test func sumsOfSizesDoNotOverflow() throws {
    var builder = GraphBuilder(name: "many")
    var value = builder.input("x", TensorType(.f64, [1 << 24, 1 << 24]))
    for _ in 0..<5000 { value = try builder.negate(value) }
    let graph = try builder.finish([Output("y", value)])
    let code = refusal { () throws(Diagnostic) in
      try Compilation(graph, options: CompileOptions())
    }
    #expect(code == .sizeOverflow)
  }

  /// A scalar spread out is large without being in memory.
  @Test func countsOfOperationsSaturate() throws {
    var builder = GraphBuilder(name: "product")
    let x = builder.input("x", TensorType(.f32, []))
    let matrix = try builder.broadcast(x, to: [1 << 24, 1 << 24], dimensions: [])
    let product = try builder.dot(matrix, matrix, contracting: [[1], [0]])
    let graph = try builder.finish([Output("y", product)])
    #expect(graph.contractionFlops == Int.max)
  }

  private func refusal<Result>(_ body: () throws(Diagnostic) -> Result) -> Diagnostic.Code? {
    do throws(Diagnostic) {
      _ = try body()
      return nil
    } catch {
      return error.code
    }
  }
}
