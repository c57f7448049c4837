import Differentiation
import GraphIR
import Interpreter
import Testing

/// Functions of one tensor, element by element, that use it several times.
@Suite struct ScalarFunctionTests {
  private let x = tensor([2, 5], -1.5, 1.5)

  @Test func swish() throws {
    try expectGradients(of: [x]) { builder, inputs in
      let gate = try builder.node(.unary(Unary(.sigmoid)), inputs[0])
      return try builder.node(.binary(Binary(.multiply)), inputs[0], gate)
    }
  }

  @Test func polynomial() throws {
    // ((x + w) x + w) x: ways of three lengths, and a tensor w that has a gradient of its own.
    try expectGradients(of: [x, tensor([2, 5], 0.5, 1, seed: 3)]) { builder, inputs in
      var sum = inputs[0]
      for _ in 0..<3 {
        sum = try builder.node(.binary(Binary(.add)), sum, inputs[1])
        sum = try builder.node(.binary(Binary(.multiply)), sum, inputs[0])
      }
      return sum
    }
  }

  @Test func whatLiesBetweenIsUsedElsewhere() throws {
    // tanh(x) is in x * tanh(x), beside it, and in a sum over rows.
    try expectGradients(of: [x]) { builder, inputs in
      let inner = try builder.node(.unary(Unary(.tanh)), inputs[0])
      let product = try builder.node(.binary(Binary(.multiply)), inputs[0], inner)
      let rows = try builder.node(.reduce(Reduce(.sum, dimensions: [1])), inner)
      let spread = try builder.node(
        .broadcast(Broadcast(shape: [2, 5], dimensions: [0])), rows)
      let both = try builder.node(.binary(Binary(.multiply)), product, spread)
      return try builder.node(.binary(Binary(.subtract)), both, inner)
    }
  }

  @Test func operandsOfACompositeAreItsArguments() throws {
    var body = GraphBuilder(name: "product")
    let type = TensorType(.f64, [2, 5])
    let (a, b) = (body.input("a", type), body.input("b", type))
    let product = try body.node(.binary(Binary(.multiply)), a, b)
    let graph = try body.finish([Output("y", product)])
    try expectGradients(of: [x]) { builder, inputs in
      let tangent = try builder.node(.unary(Unary(.tanh)), inputs[0])
      let gate = try builder.node(.unary(Unary(.sigmoid)), inputs[0])
      return try builder.append(
        .composite(Composite("product")), [tangent, gate], bodies: [graph])[0]
    }
  }

  @Test func theGradientIsMultipliedOnce() throws {
    var builder = GraphBuilder(name: "f")
    let x = builder.input("x", TensorType(.f32, [7]))
    let weights = builder.input("w", TensorType(.f32, [7]))
    let gate = try builder.node(.unary(Unary(.sigmoid)), x)
    let swish = try builder.node(.binary(Binary(.multiply)), x, gate)
    let weighted = try builder.node(.binary(Binary(.multiply)), swish, weights)
    let y = try builder.node(.reduce(Reduce(.sum, dimensions: [0])), weighted)
    let graph = try gradient(
      of: try builder.finish([Output("y", y)]), output: 0, withRespectTo: [0])
    // The weights are read by the product above, and by the gradient of x.
    #expect(graph.nodes.count { $0.operands.contains(weights) } == 2)
    let slope = try #require(graph.definition(of: graph.outputs[1].value))
    #expect(slope.operation == .binary(Binary(.multiply)))
  }

  /// The maximum only keeps exponentials in range: it cancels, and no gradient flows through it.
  @Test func aSeveredMaximumLiesBetween() throws {
    var body = GraphBuilder(name: "log_softmax")
    let x = body.input("x", TensorType(.f64, [2, 5]))
    func rows(_ function: ReduceFunction, _ value: Value) throws -> Value {
      let row = try body.node(.reduce(Reduce(function, dimensions: [1])), value)
      return try body.node(.broadcast(Broadcast(shape: [2, 5], dimensions: [0])), row)
    }
    // x - maximum, by way of x + (-x + (x - maximum)).
    let negative = try body.node(.unary(Unary(.negate)), x)
    let shifted = try body.node(.binary(Binary(.subtract)), x, rows(.max, x))
    let inner = try body.node(.binary(Binary(.add)), negative, shifted)
    let logits = try body.node(.binary(Binary(.add)), x, inner)
    let sum = try rows(.sum, try body.node(.unary(Unary(.exp)), logits))
    let logarithm = try body.node(.unary(Unary(.log)), sum)
    let y = try body.node(.binary(Binary(.subtract)), logits, logarithm)
    let graph = try body.finish([Output("y", y)])
    try expectGradients(of: [self.x]) { builder, inputs in
      try builder.append(.composite(Composite("log_softmax")), inputs, bodies: [graph])[0]
    }
  }

  /// The slope of 1 / x + x is beyond the largest f16, but not what a small gradient makes of it.
  @Test func gradientsOfHalvesComeStepByStep() throws {
    var builder = GraphBuilder(name: "f")
    let type = TensorType(.f16, [1])
    let (x, weights) = (builder.input("x", type), builder.input("w", type))
    let one = try builder.splat(1, type)
    let inverse = try builder.node(.binary(Binary(.divide)), one, x)
    let sum = try builder.node(.binary(Binary(.add)), inverse, x)
    let weighted = try builder.node(.binary(Binary(.multiply)), sum, weights)
    let y = try builder.node(.reduce(Reduce(.sum, dimensions: [0])), weighted)
    let graph = try gradient(
      of: try builder.finish([Output("y", y)]), output: 0, withRespectTo: [0])
    let found = try interpret(
      graph, [Literal(type, doubles: [0x1p-10]), Literal(type, doubles: [0x1p-8])])
    #expect(abs(found[1].doubles()[0] + 0x1p12) <= 4)
  }

  @Test func longChainsTakeTheirTimeOnce() throws {
    var builder = GraphBuilder(name: "f")
    let x = builder.input("x", TensorType(.f64, []))
    var y = x
    for _ in 0..<4000 {
      let sine = try builder.node(.unary(Unary(.sin)), y)
      y = try builder.node(.binary(Binary(.subtract)), y, sine)
    }
    let graph = try gradient(
      of: try builder.finish([Output("y", y)]), output: 0, withRespectTo: [0])
    #expect(graph.nodes.count < 40 * 4000)
  }
}
