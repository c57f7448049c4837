import Differentiation
import GraphIR
import Interpreter
import TestSupport
import Testing

/// Gradients of attention, whole and written out, against differences.
@Suite struct AttentionTests {
  static let samples = [
    AttentionSample([2], (3, 4, 2, 3), .none, .f64),
    AttentionSample([], (3, 3, 2, 2), .upTo(0), .f64),
    AttentionSample([1, 2], (2, 3, 3, 2), .operand([2, 1, 3]), .f64),
  ]

  func isWhole(_ sample: AttentionSample, masked: Bool) throws -> Bool {
    let graph = try sample.scalarGraph()
    let wanted = masked ? [0, 3] : [0, 1, 2]
    let found = try gradient(of: graph, output: 0, withRespectTo: wanted)
    return found.nodes.contains { $0.isWholeAttention }
  }

  @Test(arguments: samples, [false, true])
  func writtenAttention(_ sample: AttentionSample, isMoved: Bool) throws {
    var sample = sample
    sample.isMoved = isMoved
    #expect(try isWhole(sample, masked: false))
    let inputs = sample.inputs(of: try sample.graph())
    // The mask is no operand whose gradient is asked for.
    try expectGradients(of: Array(inputs.prefix(3))) { builder, x in
      var x = x
      if inputs.count > 3 { x.append(try builder.constant(inputs[3])) }
      return try sample.write(&builder, x)
    }
  }

  @Test(arguments: samples)
  func composite(_ sample: AttentionSample) throws {
    let inputs = sample.inputs(of: try sample.graph())
    try expectGradients(of: Array(inputs.prefix(3))) { builder, x in
      var x = x
      if inputs.count > 3 { x.append(try builder.constant(inputs[3])) }
      return try builder.composite(AttentionForm.name, x) { body, x throws(Diagnostic) in
        [try sample.write(&body, x)]
      }[0]
    }
  }

  /// A mask that is learned gets its gradient from the scores', which then must be in memory.
  @Test func learnedMask() throws {
    let sample = Self.samples[2]
    #expect(try !isWhole(sample, masked: true))
    try expectGradients(of: sample.inputs(of: try sample.graph())) { builder, x in
      try sample.write(&builder, x)
    }
  }

  /// One tensor may be queries, keys and values, and the weights may be needed elsewhere.
  @Test func sharedOperands() throws {
    let sample = AttentionSample([2], (3, 3, 2, 2), .upTo(0), .f64)
    try expectGradients(of: [sample.inputs(of: try sample.graph())[0]]) { builder, x in
      try sample.write(&builder, [x[0], x[0], x[0]])
    }
  }

  /// A composite may begin in the midst of attention: then the scores are what the gradient is asked of.
  @Test(arguments: [0, 1, 2])
  func attentionThatBeginsOutsideOfAComposite(_ inside: Int) throws {
    let sample = AttentionSample([2], (3, 4, 2, 3), .none, .f64)
    try expectGradients(of: sample.inputs(of: try sample.graph())) { builder, x in
      let batch = [[0], [0]]
      let scores = try builder.dot(x[0], x[1], batch: batch, contracting: [[2], [2]])
      func halved(_ builder: inout GraphBuilder, _ scores: Value) throws(Diagnostic) -> Value {
        let half = try builder.splat(0.5, builder.type(of: scores))
        return try builder.multiply(scores, half)
      }
      func softmax(_ builder: inout GraphBuilder, _ logits: Value) throws(Diagnostic) -> Value {
        let whole = builder.type(of: logits).shape
        let maximum = try builder.reduce(.max, logits, dimensions: [2])
        let exponential = try builder.unary(
          .exp, builder.subtract(logits, builder.broadcast(maximum, to: whole, dimensions: [0, 1])))
        let sum = try builder.reduce(.sum, exponential, dimensions: [2])
        return try builder.divide(
          exponential, builder.broadcast(sum, to: whole, dimensions: [0, 1]))
      }
      var first = scores
      if inside < 2 { first = try halved(&builder, first) }
      if inside < 1 { first = try softmax(&builder, first) }
      return try builder.composite("rest", [first, x[2]]) { body, x throws(Diagnostic) in
        var weights = x[0]
        if inside > 1 { weights = try halved(&body, weights) }
        if inside > 0 { weights = try softmax(&body, weights) }
        return [try body.dot(weights, x[1], batch: batch, contracting: [[2], [1]])]
      }[0]
    }
  }
}
