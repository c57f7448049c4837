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

/// What is wrong with values given for the only result of an operation.
private func wrong(
  _ operation: GraphIR.Operation, _ operands: Literal..., bodies: [Graph] = [],
  change: ([Double]) -> [Double] = { $0 }
) throws -> WrongElement? {
  let graph = try node(operation, operands, bodies: bodies)
  let right = try evaluate(graph.nodes[0], in: graph, operands)[0]
  let given = Literal(right.type, doubles: change(right.doubles()))
  let bounded = try ErrorBounds.evaluate(
    graph.nodes[0], in: graph, operands.map { BoundedValue(exact: $0.widened) })
  return WrongElement.first(in: given, reference: try #require(bounded.first))
}

private func vector(_ dtype: DType, _ values: [Double]) -> Literal {
  Literal(TensorType(dtype, [values.count]), doubles: values)
}

/// The n-th neighbour above each value among f32.
private func raised(_ values: [Double], by ulps: Int) -> [Double] {
  values.map { value in (0..<ulps).reduce(Float(value)) { x, _ in x.nextUp } }.map { Double($0) }
}

@Suite struct ErrorBoundsTests {
  let x = vector(.f32, [0.5, -1.25, 3, 100])

  @Test func exactFunctionsNeedEqualBits() throws {
    for function in [UnaryFunction.negate, .abs, .floor, .round] {
      #expect(try wrong(.unary(Unary(function)), x) == nil)
      #expect(try wrong(.unary(Unary(function)), x) { raised($0, by: 1) } != nil)
    }
    let y = vector(.f32, [3, 3, 3, 3])
    for function in [BinaryFunction.add, .multiply, .divide, .remainder, .maximum] {
      #expect(try wrong(.binary(Binary(function)), x, y) == nil)
      #expect(try wrong(.binary(Binary(function)), x, y) { raised($0, by: 1) } != nil)
    }
  }

  /// What overflows inside of a kernel does not in the f64 that judges it.
  @Test func whatIsBeyondTheRangeIsInfinite() throws {
    let graph = try Graph.parse(
      """
      graph @overflow(%x: f32[4]) -> (y: f32[4]) {
        %0 = multiply %x, %x : f32[4]
        %1 = divide %0, %0 : f32[4]
        %2 = tanh %1 : f32[4]
        %3 = add %x, %x : f32[4]
        %4 = tanh %3 : f32[4]
        %5 = minimum %2, %4 : f32[4]
        return %5
      }
      """, file: "overflow.mir")
    let comparison = try Comparer(options: CompileOptions()).compare(
      graph, [vector(.f32, [1e30, -1e30, 2, 1e19])])
    #expect(comparison.failure == nil, "\(String(describing: comparison.failure?.diagnostic))")
    // In range, or known to be beyond it, everything counts.
    let large = vector(.f32, [1e30, -1e30, 2, 1e19])
    let multiply = GraphIR.Operation.binary(Binary(.multiply))
    #expect(try wrong(multiply, large, large) == nil)
    #expect(try wrong(multiply, large, large) { [$0[0], $0[1], 5, $0[3]] }?.coordinates == [2])
    #expect(try wrong(multiply, large, large) { [1e38] + $0.dropFirst() }?.coordinates == [0])
    // Sums of f16 add up in f32: that their terms are beyond the range together is no excuse.
    let halves = vector(.f16, [60000, 60000, -60000])
    let sum = GraphIR.Operation.reduce(Reduce(.sum, dimensions: [0]))
    #expect(try wrong(sum, halves) == nil)
    #expect(try wrong(sum, halves) { _ in [0] } != nil)
  }

  @Test func aZeroHasItsSign() throws {
    let zero = vector(.f32, [0])
    #expect(try wrong(.unary(Unary(.negate)), zero) == nil)
    #expect(try wrong(.unary(Unary(.negate)), zero) { _ in [0] } != nil)
  }

  @Test func transcendentalFunctionsMayBeTwoUlpsOff() throws {
    for function in [UnaryFunction.exp, .tanh, .sigmoid, .sin, .erf] {
      #expect(try wrong(.unary(Unary(function)), x) { raised($0, by: 1) } == nil, "\(function)")
      #expect(try wrong(.unary(Unary(function)), x) { raised($0, by: 3) } != nil, "\(function)")
    }
  }

  @Test func theFirstWrongElementIsNamed() throws {
    let x = Literal([2, 3], [1, 2, 3, 4, 5, 6] as [Float])
    let first = try #require(
      try wrong(.unary(Unary(.negate)), x) { _ in [-1, -2, -3, 7, -5, 8] })
    #expect(first.coordinates == [1, 0])
    #expect((first.actual, first.expected) == (7, -4) && first.bound < 1e-6)
  }

  @Test func sumsAreJudgedByTheSizeOfTheirTerms() throws {
    // The terms are a million times larger than their sum.
    let terms = vector(.f32, [1e6, -1e6, 1])
    let sum = Operation.reduce(Reduce(.sum, dimensions: [0]))
    let allowed = (4 + 2 * 3.0.squareRoot()) * 0x1p-23 * 2_000_001
    #expect(try wrong(sum, terms) { [$0[0] + allowed * 0.9] } == nil)
    #expect(try wrong(sum, terms) { [$0[0] + allowed * 1.1] } != nil)
    let small = vector(.f32, [1, 1, 1])
    #expect(try wrong(sum, small) { [$0[0] + allowed * 0.9] } != nil)
  }

  @Test func contractionsAreJudgedByTheirProducts() throws {
    let dot = Operation.dot(Dot(contracting: [[0], [0]]))
    let (a, b) = (vector(.f32, [1000, -1000]), vector(.f32, [1, 1]))
    #expect(try wrong(dot, a, b) { [$0[0] + 1e-3] } == nil)
    #expect(try wrong(dot, a, b) { [$0[0] + 1e-2] } != nil)
    let integers = vector(.i32, [1000, -1000])
    #expect(try wrong(dot, integers, integers) { [$0[0] + 1] } != nil)
    let convolution = Operation.convolution(Convolution(stride: [1], padding: [[0, 0]]))
    let image = Literal([1, 2, 1], [1000, -1000] as [Float])
    let filter = Literal([2, 1, 1], [1, 1] as [Float])
    #expect(try wrong(convolution, image, filter) { [$0[0] + 1e-3] } == nil)
    #expect(try wrong(convolution, image, filter) { [$0[0] + 1e-2] } != nil)
  }

  @Test func narrowFloatsAreRoundedOnce() throws {
    let sum = Operation.reduce(Reduce(.sum, dimensions: [0]))
    let terms = vector(.f16, [0.25, 0.25, 0.125])
    #expect(try wrong(sum, terms) { [$0[0] + 0x1p-11] } == nil)
    #expect(try wrong(sum, terms) { [$0[0] + 0x1p-9] } != nil)
  }

  @Test func nanEqualsNaNOnly() throws {
    let root = Operation.unary(Unary(.log))
    let x = vector(.f32, [-1, 1])
    #expect(try wrong(root, x) { _ in [-.nan, 0] } == nil)
    #expect(try wrong(root, x) { _ in [1, 0] } != nil)
    #expect(try wrong(root, x) { _ in [.nan, .nan] } != nil)
    #expect(try wrong(root, x) { _ in [.infinity, 0] } != nil)
  }

  @Test func infinitiesMustBeThere() throws {
    let exp = Operation.unary(Unary(.exp))
    #expect(try wrong(exp, vector(.f32, [100])) == nil)
    #expect(try wrong(exp, vector(.f32, [100])) { _ in [1e38] } != nil)
    #expect(try wrong(exp, vector(.f32, [1])) { _ in [.infinity] } != nil)
    #expect(try wrong(exp, vector(.f32, [-100])) { _ in [0x1p-149 * 27] } == nil)
  }

  @Test(arguments: [DType.f16, .bf16, .f32, .f64])
  func sumsThatAreNotFiniteAreJudged(_ dtype: DType) throws {
    let sum = Operation.reduce(Reduce(.sum, dimensions: [0]))
    for terms in [[Double.infinity, 1], [-.infinity, 1], [.infinity, -.infinity], [.nan, 1]] {
      #expect(try wrong(sum, vector(dtype, terms)) == nil)
      #expect(try wrong(sum, vector(dtype, terms)) { _ in [1] } != nil)
    }
  }

  /// A score that is -infinity is known exactly: the softmax of the others is judged as ever.
  @Test func infiniteSumsAreExact() throws {
    var builder = GraphBuilder(name: "softmax")
    let x = builder.input("x", TensorType(.f32, [4, 2]))
    let scores = try builder.reduce(.sum, x, dimensions: [1])
    let all = builder.type(of: scores).shape
    let maximum = try builder.reduce(.max, scores, dimensions: [0])
    let exponential = try builder.unary(
      .exp, builder.subtract(scores, builder.broadcast(maximum, to: all, dimensions: [])))
    let sum = try builder.reduce(.sum, exponential, dimensions: [0])
    let result = try builder.divide(exponential, builder.broadcast(sum, to: all, dimensions: []))
    let body = try builder.finish([Output("y", result)])
    let composite = Operation.composite(Composite("softmax"))
    let values = Literal([4, 2], [1, 2, -.infinity, 3, 0.5, 0.5, -1, 2] as [Float])
    func changed(_ values: [Double]) -> [Double] {
      zip(values, raised(values, by: 1)).map { $0 == 0 ? 0 : $1 }
    }
    #expect(try wrong(composite, values, bodies: [body], change: changed) == nil)
    #expect(try wrong(composite, values, bodies: [body]) { $0.map { $0 * 1.001 } } != nil)
    #expect(try wrong(composite, values, bodies: [body]) { $0.map { $0 + 1e-4 } } != nil)
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
    #expect(try wrong(composite, large, small, bodies: [body]) { [$0[0] + 1e-5] } == nil)
    #expect(try wrong(composite, large, small, bodies: [body]) { [$0[0] + 1e-2] } != nil)
    let one = vector(.f32, [1])
    #expect(try wrong(composite, one, one, bodies: [body]) { [$0[0] + 1e-5] } != nil)
  }

  @Test(arguments: GraphIR.Operation.Kind.allCases)
  func theInterpretersOwnResultsAreRight(_ kind: GraphIR.Operation.Kind) throws {
    for sample in samples(of: kind) {
      let graph = try sample.graph()
      let operands = sample.inputs()
      let results = try interpret(graph, operands)
      let references = try ErrorBounds.evaluate(
        graph.nodes[0], in: graph, operands.map { BoundedValue(exact: $0.widened) })
      for (result, reference) in zip(results, references) {
        #expect(WrongElement.first(in: result, reference: reference) == nil, "\(sample)")
      }
    }
  }
}
