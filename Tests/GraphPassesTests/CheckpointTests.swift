import GraphIR
import GraphPasses
import Interpreter
import Testing

/// What is computed again, and that it stays so.
@Suite struct CheckpointTests {
  /// `sum(sin(sin(... x)))` of a number of layers, and its gradient.
  private func chain(_ layers: Int, elements: Int = 64) throws -> Graph {
    var builder = GraphBuilder(name: "chain")
    let type = TensorType(.f32, [elements])
    var values = [builder.input("x", type)]
    for _ in 0..<layers { values.append(try builder.unary(.sin, values[values.count - 1])) }
    let loss = try builder.reduce(.sum, values[layers], dimensions: [0])
    var gradient = try builder.splat(1, type)
    for value in values.dropLast().reversed() {
      gradient = try builder.multiply(gradient, builder.unary(.cos, value))
    }
    return try builder.finish([Output("loss", loss), Output("gradient", gradient)])
  }

  private func count(_ graph: Graph, _ mnemonic: String) -> Int {
    graph.nodes.count { $0.operation.mnemonic == mnemonic }
  }

  /// The most bytes of values of the forward pass that are alive at once, from definition to last use.
  private func liveBytes(_ graph: Graph) -> Int {
    var last: [Value: Int] = [:]
    for (place, node) in graph.nodes.enumerated() {
      for operand in node.operands { last[operand] = place }
    }
    return graph.nodes.indices.map { place in
      graph.nodes[...place].reduce(0) { sum, node in
        node.operation.mnemonic == "sin" && (last[node.firstResult] ?? 0) > place
          ? sum + node.types[0].byteCount : sum
      }
    }.max() ?? 0
  }

  @Test(arguments: [16, 25, 100])
  func aChainIsCutAtRoots(layers: Int) throws {
    let graph = try chain(layers)
    var checkpointed = graph
    try PassPipeline.named(["checkpoint", "dce"]).run(&checkpointed)
    let segments = count(checkpointed, "composite") + 1
    #expect(segments > 2 && segments * segments < 4 * layers, "\(segments)")
    // Every layer is computed at most twice.
    #expect((layers + 1..<2 * layers).contains(count(checkpointed, "sin")))
    let root = Double(layers).squareRoot()
    #expect(liveBytes(graph) == 256 * layers)
    #expect(Double(liveBytes(checkpointed)) < 256 * (2 * root + 4), "\(checkpointed)")
    let inputs = [Literal(graph.inputs[0].type, doubles: (0..<64).map { Double($0) / 8 })]
    #expect(try interpret(checkpointed, inputs) == interpret(graph, inputs))
  }

  @Test func noPassMakesOneOfTheCopiesAgain() throws {
    var checkpointed = try chain(20)
    try PassPipeline.named(["checkpoint", "dce"]).run(&checkpointed)
    var again = checkpointed
    try PassPipeline.standard.run(&again)
    #expect(count(again, "sin") == count(checkpointed, "sin"))
    #expect(count(again, "composite") == count(checkpointed, "composite"))
  }

  @Test func whatHasNoLossStays() throws {
    var builder = GraphBuilder(name: "prediction")
    let x = builder.input("x", TensorType(.f32, [8]))
    let y = try builder.unary(.sin, try builder.unary(.sin, x))
    var graph = try builder.finish([Output("y", y)])
    #expect(try !CheckpointActivations().run(&graph, PassContext()))
    var loss = try chain(1)
    #expect(try !CheckpointActivations().run(&loss, PassContext()))
    var given = try parse("(%x: f32) -> f32 {\n  return %x\n}")
    #expect(try !CheckpointActivations().run(&given, PassContext()))
  }

  /// What moves elements is copied with what reads it, inputs and constants are read where they are, and what has two
  /// results is computed again as one.
  @Test func allKindsOfNodesAreCopied() throws {
    var builder = GraphBuilder(name: "mixed")
    let x = builder.input("x", TensorType(.f32, [8, 8]))
    let state = builder.input("state", TensorType(.u64, [2]))
    var h = x
    var saved: [Value] = []
    for layer in 0..<12 {
      let noise = try builder.random(TensorType(.f32, [8, 8]), state: state, stream: layer)
      let parts = try builder.composite("two", [h, noise]) { body, x throws(Diagnostic) in
        [try body.multiply(x[0], x[1]), try body.unary(.exp, x[0])]
      }
      let turned = try builder.transpose(parts[0], [1, 0])
      h = try builder.add(try builder.dot(turned, x, contracting: [[1], [0]]), parts[1])
      saved += [turned, parts[1], noise]
    }
    let loss = try builder.reduce(.sum, h, dimensions: [0, 1])
    var outputs = [Output("loss", loss)]
    for (place, value) in saved.reversed().enumerated() {
      outputs.append(Output("y\(place)", try builder.negate(value)))
    }
    let graph = try builder.finish(outputs)
    var checkpointed = graph
    #expect(try CheckpointActivations().run(&checkpointed, PassContext()))
    try checkpointed.verify()
    let inputs = [
      Literal(graph.inputs[0].type, doubles: (0..<64).map { Double($0 % 7) / 40 }),
      Literal([2], [3, 4] as [UInt64]),
    ]
    #expect(try interpret(checkpointed, inputs) == interpret(graph, inputs))
  }
}
