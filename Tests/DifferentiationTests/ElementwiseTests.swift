import GraphIR
import Testing

@Suite struct ElementwiseTests {
  @Test(arguments: UnaryFunction.allCases)
  func unary(_ function: UnaryFunction) throws {
    let anywhere = tensor([2, 3], -0.9, 0.9)
    let positive = tensor([5], 0.3, 2)
    switch function {
    case .negate:
      try expectGradients(.linear, of: [anywhere]) { try $0.node(.unary(Unary(function)), $1[0]) }
    case .abs:
      try expectGradients(.linear, of: [anywhere]) { try $0.node(.unary(Unary(function)), $1[0]) }
    case .sign, .floor, .ceil, .round:
      try expectGradients(.constant, of: [positive]) {
        try $0.node(.unary(Unary(function)), $1[0])
      }
    case .log, .sqrt, .rsqrt:
      try expectGradients(of: [positive]) { try $0.node(.unary(Unary(function)), $1[0]) }
    case .exp, .expm1, .log1p, .sin, .cos, .tanh, .sigmoid, .softplus, .erf:
      try expectGradients(of: [anywhere]) { try $0.node(.unary(Unary(function)), $1[0]) }
    case .not:
      break  // Takes no float.
    }
  }

  @Test(arguments: BinaryFunction.allCases)
  func binary(_ function: BinaryFunction) throws {
    let (x, y) = (tensor([7], 0.4, 2, seed: 1), tensor([7], 0.4, 2, seed: 2))
    switch function {
    case .add, .subtract, .remainder, .maximum, .minimum:
      try expectGradients(.linear, of: [x, y]) {
        try $0.node(.binary(Binary(function)), $1[0], $1[1])
      }
    case .multiply, .divide, .power:
      try expectGradients(of: [x, y]) { try $0.node(.binary(Binary(function)), $1[0], $1[1]) }
    case .and, .or, .xor, .shiftLeft, .shiftRightArithmetic, .shiftRightLogical:
      break  // Take no floats.
    }
  }

  @Test func remainderOfNegativeNumbers() throws {
    let x = Literal([4], [-5.3, 5.3, -5.3, 0.2])
    let y = Literal([4], [1.7, -1.7, -1.7, 0.9])
    try expectGradients(.linear, of: [x, y]) {
      try $0.node(.binary(Binary(.remainder)), $1[0], $1[1])
    }
  }

  @Test func powerAtZero() throws {
    // x^0 is constant, 0^2 has slope 0 and 0^1 slope 1; log(0) must not spoil any of them.
    let values = try gradients(of: [Literal([4], [0, 0, 0, -2.0]), Literal([4], [0, 2, 1, 2.0])]) {
      try $0.node(.binary(Binary(.power)), $1[0], $1[1])
    }
    #expect(values[0] == [0, 0, 1, -4])
    #expect(values[1].prefix(3) == [0, 0, 0])
  }

  @Test func tiesFlowToTheSecondOperand() throws {
    for function in [BinaryFunction.maximum, .minimum] {
      let values = try gradients(of: [Literal([2], [0.0, 1]), Literal([2], [0.0, 1])]) {
        try $0.node(.binary(Binary(function)), $1[0], $1[1])
      }
      #expect(values == [[0, 0], [1, 1]])
    }
  }

  @Test func selectRoutesByItsCondition() throws {
    let condition = Literal(TensorType(.bool, [5]), doubles: [1, 0, 1, 1, 0])
    try expectGradients(.linear, of: [condition, tensor([5]), tensor([5], seed: 2)]) {
      try $0.node(.select(Select()), $1[0], $1[1], $1[2])
    }
  }

  @Test func clampRoutesToWhatItGives() throws {
    let x = tensor([9], -2, 2)
    let (low, high) = (tensor([9], -1, -0.5, seed: 3), tensor([9], 0.5, 1, seed: 4))
    try expectGradients(.linear, of: [low, x, high]) {
      try $0.node(.clamp(Clamp()), $1[0], $1[1], $1[2])
    }
    // Bounds in the wrong order give the upper one.
    try expectGradients(.linear, of: [high, x, low]) {
      try $0.node(.clamp(Clamp()), $1[0], $1[1], $1[2])
    }
  }

  @Test func clampIncludesItsBounds() throws {
    let values = try gradients(of: [
      Literal([2], [-1, -1.0]), Literal([2], [-1, 1.0]), Literal([2], [1, 1.0]),
    ]) {
      try $0.node(.clamp(Clamp()), $1[0], $1[1], $1[2])
    }
    #expect(values == [[0, 0], [1, 1], [0, 0]])
  }

  @Test func gradientsKeepTheTypeOfWhatWasConverted() throws {
    var builder = GraphBuilder(name: "f")
    let x = builder.input("x", TensorType(.f32, []))
    let wide = try builder.node(.convert(Convert(.f64)), x)
    let y = try builder.node(.binary(Binary(.multiply)), wide, wide)
    let graph = try builder.finish([Output("y", y)])
    let result = try outputs(of: graph, withRespectTo: ["x"], [Literal([], [3 as Float])])
    #expect(result == [Literal([], [6 as Float])])
  }

  @Test func gradientsDoNotFlowThroughIntegers() throws {
    try expectGradients(.constant, of: [tensor([4], 0.2, 3)]) {
      let whole = try $0.node(.convert(Convert(.i32)), $1[0])
      return try $0.node(.convert(Convert(.f64)), whole)
    }
  }
}
