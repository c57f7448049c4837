import Compiler
import GraphIR
import Interpreter
import TestSupport
import Testing

/// A graph with one node.
private func node(
  _ operation: GraphIR.Operation, _ operands: [Literal], bodies: [Graph] = []
) throws -> Graph {
  var builder = GraphBuilder(name: "one")
  let inputs = operands.enumerated().map { builder.input("x\($0)", $1.type) }
  let results = try builder.append(operation, inputs, bodies: bodies)
  return try builder.finish([Output("y", results[0])])
}

/// The verdict on values for the only result of an operation.
private func judge(
  _ operation: GraphIR.Operation, _ operands: Literal..., bodies: [Graph] = [],
  change: ([Double]) -> [Double] = { $0 }
) throws -> Judge.Verdict {
  let graph = try node(operation, operands, bodies: bodies)
  let right = try evaluate(graph.nodes[0], in: graph, operands)[0]
  let given = Literal(right.type, doubles: change(right.doubles()))
  let verdicts = try Judge.judge(graph.nodes[0], in: graph, operands: operands, results: [given])
  return try #require(verdicts.first)
}

private func vector(_ dtype: DType, _ values: [Double]) -> Literal {
  Literal(TensorType(dtype, [values.count]), doubles: values)
}

/// The n-th neighbour above each value among f32.
private func raised(_ values: [Double], by ulps: Int) -> [Double] {
  values.map { value in (0..<ulps).reduce(Float(value)) { x, _ in x.nextUp } }.map { Double($0) }
}

@Suite struct JudgeTests {
  let x = vector(.f32, [0.5, -1.25, 3, 100])

  @Test func exactFunctionsNeedEqualBits() throws {
    for function in [UnaryFunction.negate, .abs, .floor, .round] {
      #expect(try judge(.unary(Unary(function)), x).isRight)
      let off = try judge(.unary(Unary(function)), x) { raised($0, by: 1) }
      #expect(off.wrongCount == 4)
      #expect(off.allowance == .equalBits)
    }
    let y = vector(.f32, [3, 3, 3, 3])
    for function in [BinaryFunction.add, .multiply, .divide, .remainder, .maximum] {
      #expect(try judge(.binary(Binary(function)), x, y).isRight)
      #expect(try !judge(.binary(Binary(function)), x, y) { raised($0, by: 1) }.isRight)
    }
  }

  @Test func aZeroHasItsSign() throws {
    let zero = vector(.f32, [0])
    #expect(try judge(.unary(Unary(.negate)), zero).isRight)
    #expect(try !judge(.unary(Unary(.negate)), zero) { _ in [0] }.isRight)
  }

  @Test func transcendentalFunctionsMayBeTwoUlpsOff() throws {
    for function in [UnaryFunction.exp, .tanh, .sigmoid, .sin, .erf] {
      let near = try judge(.unary(Unary(function)), x) { raised($0, by: 1) }
      #expect(near.isRight, "\(function)")
      #expect(near.statistics.maximumUlps > 0.4 && near.statistics.maximumUlps <= 1.5)
      let far = try judge(.unary(Unary(function)), x) { raised($0, by: 3) }
      #expect(far.wrongCount > 0, "\(function)")
    }
  }

  @Test func theFirstWrongElementIsNamed() throws {
    let x = Literal([2, 3], [1, 2, 3, 4, 5, 6] as [Float])
    let verdict = try judge(.unary(Unary(.negate)), x) { _ in [-1, -2, -3, 7, -5, 8] }
    #expect(verdict.wrongCount == 2)
    let first = try #require(verdict.first)
    #expect(first.index == [1, 0])
    #expect((first.actual, first.expected, first.bound) == (7, -4, 0))
    #expect(verdict.statistics.maximumAbsolute == 14)
  }

  @Test func sumsAreJudgedByTheSizeOfTheirTerms() throws {
    // The terms are a million times larger than their sum.
    let terms = vector(.f32, [1e6, -1e6, 1])
    let sum = Operation.reduce(Reduce(.sum, dimensions: [0]))
    let allowed = (4 + 2 * 3.0.squareRoot()) * 0x1p-23 * 2_000_001
    #expect(try judge(sum, terms) { [$0[0] + allowed * 0.9] }.isRight)
    #expect(try !judge(sum, terms) { [$0[0] + allowed * 1.1] }.isRight)
    let small = vector(.f32, [1, 1, 1])
    #expect(try !judge(sum, small) { [$0[0] + allowed * 0.9] }.isRight)
  }

  @Test func contractionsAreJudgedByTheirProducts() throws {
    let dot = Operation.dot(Dot(contracting: [[0], [0]]))
    let (a, b) = (vector(.f32, [1000, -1000]), vector(.f32, [1, 1]))
    #expect(try judge(dot, a, b) { [$0[0] + 1e-3] }.isRight)
    #expect(try !judge(dot, a, b) { [$0[0] + 1e-2] }.isRight)
    let integers = vector(.i32, [1000, -1000])
    #expect(try !judge(dot, integers, integers) { [$0[0] + 1] }.isRight)
    let convolution = Operation.convolution(Convolution(stride: [1], padding: [[0, 0]]))
    let image = Literal([1, 2, 1], [1000, -1000] as [Float])
    let filter = Literal([2, 1, 1], [1, 1] as [Float])
    #expect(try judge(convolution, image, filter) { [$0[0] + 1e-3] }.isRight)
    #expect(try !judge(convolution, image, filter) { [$0[0] + 1e-2] }.isRight)
  }

  @Test func narrowFloatsAreRoundedOnce() throws {
    let sum = Operation.reduce(Reduce(.sum, dimensions: [0]))
    let terms = vector(.f16, [0.25, 0.25, 0.125])
    #expect(try judge(sum, terms) { [$0[0] + 0x1p-11] }.isRight)
    #expect(try !judge(sum, terms) { [$0[0] + 0x1p-9] }.isRight)
  }

  @Test func nanEqualsNaNOnly() throws {
    let root = Operation.unary(Unary(.log))
    let x = vector(.f32, [-1, 1])
    #expect(try judge(root, x) { _ in [-.nan, 0] }.isRight)
    #expect(try judge(root, x) { _ in [1, 0] }.wrongCount == 1)
    #expect(try judge(root, x) { _ in [.nan, .nan] }.wrongCount == 1)
    #expect(try judge(root, x) { _ in [.infinity, 0] }.wrongCount == 1)
  }

  @Test func infinitiesMustBeThere() throws {
    let exp = Operation.unary(Unary(.exp))
    #expect(try judge(exp, vector(.f32, [100])).isRight)
    #expect(try !judge(exp, vector(.f32, [100])) { _ in [1e38] }.isRight)
    #expect(try !judge(exp, vector(.f32, [1])) { _ in [.infinity] }.isRight)
    #expect(try judge(exp, vector(.f32, [-100])) { _ in [0x1p-149 * 27] }.isRight)
  }

  @Test func compositesAreJudgedByWhatRoundingDoes() throws {
    var builder = GraphBuilder(name: "difference")
    let x = builder.input("x", TensorType(.f32, [1]))
    let y = builder.input("y", TensorType(.f32, [1]))
    let sum = try builder.append(.binary(Binary(.add)), [x, y])[0]
    let difference = try builder.append(.binary(Binary(.subtract)), [sum, x])[0]
    let body = try builder.finish([Output("d", difference)])
    let composite = Operation.composite(Composite("difference"))
    let (large, small) = (vector(.f32, [1000]), vector(.f32, [0.1]))
    #expect(try judge(composite, large, small, bodies: [body]) { [$0[0] + 1e-5] }.isRight)
    #expect(try !judge(composite, large, small, bodies: [body]) { [$0[0] + 1e-2] }.isRight)
    let one = vector(.f32, [1])
    #expect(try !judge(composite, one, one, bodies: [body]) { [$0[0] + 1e-5] }.isRight)
  }

  @Test(arguments: GraphIR.Operation.Kind.allCases)
  func theInterpretersOwnResultsAreRight(_ kind: GraphIR.Operation.Kind) throws {
    for sample in samples(of: kind) {
      let graph = try sample.graph()
      let operands = sample.inputs()
      let results = try interpret(graph, operands)
      let verdicts = try Judge.judge(
        graph.nodes[0], in: graph, operands: operands, results: results)
      #expect(!verdicts.contains { !$0.isRight }, "\(sample)")
    }
  }

  @Test func resultsOfAnotherTypeAreRefused() throws {
    let graph = try node(.unary(Unary(.exp)), [x])
    #expect(throws: Diagnostic.self) {
      try Judge.judge(
        graph.nodes[0], in: graph, operands: [x], results: [vector(.f64, [1, 2, 3, 4])])
    }
    #expect(throws: Diagnostic.self) {
      try Judge.judge(graph.nodes[0], in: graph, operands: [], results: [x])
    }
  }
}

@Suite struct AllowanceTests {
  private func allowance(_ operation: GraphIR.Operation, _ types: TensorType...) throws -> Allowance
  {
    let graph = try node(operation, types.map { Literal(zeros: $0) })
    return Allowance(graph.nodes[0], in: graph)
  }

  @Test func termsAreCounted() throws {
    let f32 = { (extents: [Int]) in TensorType(.f32, Shape(extents)) }
    let dot = try allowance(
      .dot(Dot(batch: [[0], [0]], contracting: [[2, 3], [1, 2]])), f32([2, 5, 3, 4]),
      f32([2, 3, 4]))
    #expect(dot == .sum(terms: 12))
    let convolution = try allowance(
      .convolution(Convolution(stride: [1, 1], padding: [[0, 0], [0, 0]], groups: 2)),
      f32([1, 5, 5, 8]), f32([3, 2, 4, 6]))
    #expect(convolution == .sum(terms: 24))
    #expect(
      try allowance(.reduce(Reduce(.sum, dimensions: [0, 2])), f32([2, 3, 5])) == .sum(terms: 10))
    #expect(
      try allowance(.reduce(Reduce(.product, dimensions: [1])), f32([2, 3])) == .product(factors: 3)
    )
    #expect(try allowance(.reduce(Reduce(.max, dimensions: [0])), f32([2])) == .equalBits)
    #expect(
      try allowance(.reduceWindow(ReduceWindow(.sum, window: Window(size: [2, 3]))), f32([4, 4]))
        == .sum(terms: 6))
    let scatter = try allowance(
      .scatter(Scatter(.sum, dimensions: [0])), f32([9]), TensorType(.i32, [7, 1]), f32([7]))
    #expect(scatter == .sum(terms: 8))
    #expect(try allowance(.unary(Unary(.exp)), TensorType(.f64, [1])) == .ulps(4))
    #expect(try allowance(.unary(Unary(.sqrt)), f32([1])) == .equalBits)
    #expect(
      try allowance(.reduce(Reduce(.sum, dimensions: [0])), TensorType(.i8, [2])) == .equalBits)
  }
}
