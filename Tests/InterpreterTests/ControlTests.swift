import GraphIR
import Interpreter
import Testing

private let scalarType = TensorType(.f32, [1])

/// A graph of f32[1] values made by a closure.
private func graph(
  _ name: String, inputs: [TensorType], _ body: (inout GraphBuilder, [Value]) throws -> [Value]
) throws -> Graph {
  var builder = GraphBuilder(name: name)
  let values = inputs.enumerated().map { builder.input("x\($0)", $1) }
  let outputs = try body(&builder, values)
  return try builder.finish(outputs.enumerated().map { Output("y\($0)", $1) })
}

@Suite struct CompositeTests {
  /// (x + y) - x, which f32 cannot hold where y is small beside x.
  private func difference() throws -> Graph {
    try graph("difference", inputs: [scalarType, scalarType]) { builder, x in
      let sum = try builder.append(.binary(Binary(.add)), x)
      return try builder.append(.binary(Binary(.subtract)), [sum[0], x[0]])
    }
  }

  @Test func bodyRunsInDouble() throws {
    let body = try difference()
    let y = try result(
      .composite(Composite("difference")), floats(1), floats(0x1p-30), bodies: [body])
    expect(y, [0x1p-30])
    #expect(y.type == scalarType)
    expect(try interpret(body, [floats(1), floats(0x1p-30)])[0], [0])
  }

  @Test func resultsAreRoundedOnce() throws {
    let body = try graph("third", inputs: [scalarType, scalarType]) { builder, x in
      try builder.append(.binary(Binary(.divide)), x)
    }
    let y = try result(.composite(Composite("third")), floats(1), floats(3), bodies: [body])
    expect(y, [Double(Float(1.0 / 3.0))])
  }

  @Test func integerResultsFollowTheTypedBody() throws {
    let body = try graph("floor", inputs: [scalarType, scalarType]) { builder, x in
      let sum = try builder.append(.binary(Binary(.add)), x)
      return try builder.append(.convert(Convert(.i32)), sum)
    }
    // 1 - 2^-26 is 1 in f32 and truncates to 0 in f64.
    let y = try result(.composite(Composite("floor")), floats(1), floats(-0x1p-26), bodies: [body])
    expect(y, [1])
  }

  @Test func manyResults() throws {
    let body = try graph("pair", inputs: [scalarType]) { builder, x in
      [x[0], try builder.append(.unary(Unary(.negate)), x)[0]]
    }
    let results = try evaluate(.composite(Composite("pair")), [floats(2)], bodies: [body])
    #expect(results.map { $0.doubles() } == [[2], [-2]])
  }
}

@Suite struct InterpretTests {
  private func sample() throws -> Graph {
    try graph("sample", inputs: [TensorType(.f32, [2]), TensorType(.f32, [2])]) { builder, x in
      let sum = try builder.append(.binary(Binary(.add)), x)[0]
      let square = try builder.append(.binary(Binary(.multiply)), [sum, sum])[0]
      _ = try builder.append(.unary(Unary(.negate)), [x[0]])
      return [square, sum, x[1]]
    }
  }

  @Test func outputsMayBeValuesOfAnyKind() throws {
    let outputs = try interpret(try sample(), [floats(1, 2), floats(3, 4)])
    #expect(outputs.map { $0.doubles() } == [[16, 36], [4, 6], [3, 4]])
  }

  @Test func everyValue() throws {
    let values = try interpretEveryValue(try sample(), [floats(1, 2), floats(3, 4)])
    #expect(values.map { $0.doubles() } == [[1, 2], [3, 4], [4, 6], [16, 36], [-1, -2]])
  }

  @Test func doublePrecisionRoundsNothing() throws {
    let graph = try sample()
    let wide = try interpret(
      graph, [floats(1, 1), vector(.f64, [0x1p-30, 0])], precision: .double)
    #expect(wide[1].type == TensorType(.f64, [2]))
    #expect(wide[1].doubles() == [1 + 0x1p-30, 1])
    let every = try interpretEveryValue(
      graph, [floats(1, 1), floats(0x1p-30, 0)], precision: .double)
    #expect(every.allSatisfy { $0.type.dtype == .f64 })
  }

  @Test func wrongInputsAreRefused() throws {
    let graph = try sample()
    func failure(_ inputs: [Literal]) -> Diagnostic? {
      do {
        _ = try interpret(graph, inputs)
        return nil
      } catch { return error }
    }
    #expect(failure([floats(1, 2)])?.code == .wrongCount)
    #expect(failure([floats(1, 2), floats(1)])?.code == .shapeMismatch)
    #expect(failure([floats(1, 2), vector(.i32, [1, 2])])?.code == .typeMismatch)
    #expect(failure([floats(1, 2), vector(.f64, [1, 2])])?.code == .typeMismatch)
    let message = failure([floats(1, 2), floats(1)])?.message ?? ""
    #expect(message == "'x1' is f32[2], but f32[1] was given")
  }

  @Test func nodesAloneAndTheirMagnitudes() throws {
    let graph = try graph("dot", inputs: [TensorType(.f32, [2]), TensorType(.f32, [2])]) {
      try $0.append(.dot(Dot(contracting: [[0], [0]])), $1)
    }
    let node = graph.nodes[0]
    let operands = [floats(1, -2), floats(3, 4)]
    expect(try evaluate(node, in: graph, operands)[0], [], [-5])
    let scale = try magnitudes(of: node, in: graph, operands)[0]
    expect(scale, [], [11])
    #expect(scale.type.dtype == .f64)
  }
}

@Suite struct MagnitudeTests {
  private func magnitude(_ operation: GraphIR.Operation, _ operands: Literal...) throws -> Literal {
    let graph = try graph("one", inputs: operands.map(\.type)) { try $0.append(operation, $1) }
    return try #require(try magnitudes(of: graph.nodes[0], in: graph, operands).first)
  }

  @Test func sumsOfAbsoluteTerms() throws {
    let x = floats(1, -2, 3)
    expect(try magnitude(.reduce(Reduce(.sum, dimensions: [0])), x), [], [6])
    let window = Window(size: [2])
    expect(try magnitude(.reduceWindow(ReduceWindow(.sum, window: window)), x), [3, 5])
    let scattered = try magnitude(
      .scatter(Scatter(.sum, dimensions: [0])), x, literal(.i32, [2, 1], [0, 0]), floats(-5, 4))
    expect(scattered, [10, 2, 3])
    let gradient = try magnitude(
      .reduceWindowGradient(ReduceWindowGradient(.max, window: Window(size: [2]))),
      floats(-9, 5, 1), floats(-1, 1))
    expect(gradient, [0, 2, 0])
    let convolution = try magnitude(
      .convolution(Convolution(stride: [1], padding: [[0, 0]])),
      literal(.f32, [1, 2, 1], [1, -2]),
      literal(.f32, [2, 1, 1], [3, 4]))
    expect(convolution, [1, 1, 1], [11])
  }

  @Test func otherResultsAreTheirOwnScale() throws {
    let x = floats(1, -2, 3)
    expect(try magnitude(.unary(Unary(.negate)), x), [1, 2, 3])
    expect(try magnitude(.reduce(Reduce(.product, dimensions: [0])), x), [], [6])
    expect(try magnitude(.reduce(Reduce(.min, dimensions: [0])), x), [], [2])
    expect(try magnitude(.convert(Convert(.i32)), x), [1, 2, 3])
  }
}
