import Differentiation
import GraphIR
import Interpreter
import Testing

/// The outputs of a graph.
func values(of graph: Graph, _ inputs: [Literal]) throws -> [Literal] {
  try interpret(graph, inputs)
}

@Suite struct GradientTests {
  /// `y = sum(x * x * w)`, `steps = convert(n)`.
  func sample() throws -> Graph {
    var builder = GraphBuilder(name: "sample")
    let x = builder.input("x", TensorType(.f32, [3]))
    let w = builder.input("w", TensorType(.f32, [3]))
    let n = builder.input("n", TensorType(.i32, []))
    builder.location = Location(file: "Sample.swift", line: 4, path: "square")
    let square = try builder.node(.binary(Binary(.multiply)), x, x)
    builder.location = Location(file: "Sample.swift", line: 5, path: "scale")
    let scaled = try builder.node(.binary(Binary(.multiply)), square, w)
    let y = try builder.node(.reduce(Reduce(.sum, dimensions: [0])), scaled)
    let steps = try builder.node(.convert(Convert(.f32)), n)
    return try builder.finish([Output("y", y), Output("steps", steps), Output("square", square)])
  }

  let inputs = [
    Literal([3], [1, 2, 3] as [Float]), Literal([3], [1, 10, 100] as [Float]),
    Literal([], [7 as Int32]),
  ]

  @Test func gradientsFollowTheOriginalOutputs() throws {
    let graph = try gradient(of: sample(), output: "y", withRespectTo: ["w", "x"])
    #expect(
      graph.outputs.map(\.name) == ["y", "steps", "square", "gradient.w", "gradient.x"])
    #expect(graph.inputs == (try sample().inputs))
    let results = try interpret(graph, inputs)
    #expect(results[0] == Literal([], [941 as Float]))
    #expect(results[3] == Literal([3], [1, 4, 9] as [Float]))
    #expect(results[4] == Literal([3], [2, 40, 600] as [Float]))
  }

  @Test func gradientsOfGradientsGetNamesOfTheirOwn() throws {
    let once = try gradient(of: sample(), output: "y", withRespectTo: ["x"])
    let twice = try gradient(of: once, output: "y", withRespectTo: ["x"])
    #expect(twice.outputs.map(\.name).suffix(2) == ["gradient.x", "gradient.gradient.x"])
  }

  @Test func whatDoesNotDependHasAGradientOfZero() throws {
    let graph = try gradient(of: sample(), output: "steps", withRespectTo: ["x"])
    #expect(try interpret(graph, inputs)[3] == Literal([3], [0, 0, 0] as [Float]))
  }

  @Test func onlyNodesOnThePathGetGradients() throws {
    let graph = try gradient(of: sample(), output: "y", withRespectTo: ["w"])
    // The square is not differentiated: besides the seed, one broadcast and one product.
    let added = graph.nodes.dropFirst(try sample().nodes.count)
    #expect(added.map(\.operation.mnemonic) == ["constant", "broadcast", "multiply"])
  }

  @Test func gradientNodesKeepTheForwardLocation() throws {
    let graph = try gradient(of: sample(), output: "y", withRespectTo: ["x"])
    let added = graph.nodes.dropFirst(try sample().nodes.count)
    #expect(added.allSatisfy { $0.location.file == "Sample.swift" })
    #expect(added.last?.location.path == "square")
  }

  @Test func integersAndTensorsAreRefused() throws {
    func code(_ output: String, _ input: String) -> Diagnostic? {
      #expect(throws: Diagnostic.self) {
        try gradient(of: sample(), output: output, withRespectTo: [input])
      }
    }
    #expect(code("y", "n")?.code == .notDifferentiable)
    #expect(code("y", "n")?.message.contains("%n") == true)
    #expect(code("square", "x")?.code == .notDifferentiable)
    #expect(code("z", "x")?.code == .argument)
    #expect(code("y", "z")?.code == .argument)
  }

  @Test func aStepIsOneGraph() throws {
    var builder = GraphBuilder(name: "step")
    let w = builder.input("w", TensorType(.f32, []), donatedTo: 0)
    let square = try builder.node(.binary(Binary(.multiply)), w, w)
    let loss = try builder.node(.binary(Binary(.multiply)), square, w)
    let slopes = try appendGradients(to: &builder, of: loss, withRespectTo: [w, square])
    let next = try builder.node(.binary(Binary(.subtract)), w, slopes[0])
    let graph = try builder.finish([
      Output("w", next), Output("loss", loss), Output("slope", slopes[1]),
    ])
    let results = try interpret(graph, [Literal([], [2 as Float])])
    #expect(results.map { $0.doubles()[0] } == [-10, 8, 2])
  }
}

@Suite struct CompositeTests {
  /// A body with one output.
  func body(
    _ types: [TensorType], _ function: (inout GraphBuilder, [Value]) throws -> Value
  ) throws -> Graph {
    var builder = GraphBuilder(name: "body")
    let values = types.enumerated().map { builder.input("x\($0)", $1) }
    let result = try function(&builder, values)
    return try builder.finish([Output("y", result)])
  }

  func composite(
    _ name: String, _ body: Graph, _ operands: [Value], _ builder: inout GraphBuilder
  ) throws -> Value {
    try builder.append(.composite(Composite(name)), operands, bodies: [body])[0]
  }

  let rows = TensorType(.f64, [2, 5])

  /// The difference of x and its maximum along dimension 1.
  func shifted(_ builder: inout GraphBuilder, _ x: Value) throws -> Value {
    let top = try builder.node(.reduce(Reduce(.max, dimensions: [1])), x)
    let all = try builder.node(.broadcast(Broadcast(shape: [2, 5], dimensions: [0])), top)
    return try builder.node(.binary(Binary(.subtract)), x, all)
  }

  func sumOfExponentials(_ builder: inout GraphBuilder, _ x: Value) throws -> Value {
    let powers = try builder.node(.unary(Unary(.exp)), x)
    return try builder.node(.reduce(Reduce(.sum, dimensions: [1])), powers)
  }

  @Test(arguments: ["softmax", "anything"])
  func softmax(_ name: String) throws {
    let body = try body([rows]) { builder, x in
      let powers = try builder.node(.unary(Unary(.exp)), shifted(&builder, x[0]))
      let sum = try builder.node(.reduce(Reduce(.sum, dimensions: [1])), powers)
      let all = try builder.node(.broadcast(Broadcast(shape: [2, 5], dimensions: [0])), sum)
      return try builder.node(.binary(Binary(.divide)), powers, all)
    }
    try expectGradients(of: [distinct([2, 5])]) { try composite(name, body, $1, &$0) }
  }

  @Test(arguments: ["log_softmax", "anything"])
  func logSoftmax(_ name: String) throws {
    let body = try body([rows]) { builder, x in
      let shifted = try shifted(&builder, x[0])
      let log = try builder.node(.unary(Unary(.log)), sumOfExponentials(&builder, shifted))
      let all = try builder.node(.broadcast(Broadcast(shape: [2, 5], dimensions: [0])), log)
      return try builder.node(.binary(Binary(.subtract)), shifted, all)
    }
    try expectGradients(of: [distinct([2, 5])]) { try composite(name, body, $1, &$0) }
  }

  @Test(arguments: ["softmax_cross_entropy", "anything"])
  func crossEntropy(_ name: String) throws {
    let labels = Literal([2], [3, 0] as [Int32])
    let body = try body([rows, labels.type]) { builder, x in
      let shifted = try shifted(&builder, x[0])
      let classes = try builder.node(.iota(Iota(TensorType(.i32, [2, 5]), dimension: 1)))
      let all = try builder.node(.broadcast(Broadcast(shape: [2, 5], dimensions: [0])), x[1])
      let isLabel = try builder.node(.compare(Compare(.equal)), classes, all)
      let zeros = try builder.constant(Literal(zeros: rows))
      let picked = try builder.node(.select(Select()), isLabel, shifted, zeros)
      let logit = try builder.node(.reduce(Reduce(.sum, dimensions: [1])), picked)
      let log = try builder.node(.unary(Unary(.log)), sumOfExponentials(&builder, shifted))
      return try builder.node(.binary(Binary(.subtract)), log, logit)
    }
    try expectGradients(of: [distinct([2, 5]), labels]) { try composite(name, body, $1, &$0) }
  }

  @Test func bodiesMayTakeOneValueTwice() throws {
    let product = try body([rows, rows]) {
      try $0.node(.binary(Binary(.multiply)), $1[0], $1[1])
    }
    let outer = try body([rows, rows]) {
      try composite("product", product, [$1[0], composite("product", product, $1, &$0)], &$0)
    }
    try expectGradients(of: [distinct([2, 5])]) {
      try composite("outer", outer, [$1[0], $1[0]], &$0)
    }
  }

  @Test func aGradientCanBeStopped() throws {
    let identity = try body([rows]) { $1[0] }
    let found = try gradients(of: [tensor([2, 5])]) {
      let constant = try composite("stop_gradient", identity, $1, &$0)
      return try $0.node(.binary(Binary(.subtract)), $1[0], constant)
    }
    #expect(found == [[Double](repeating: 1, count: 10)])
  }
}
