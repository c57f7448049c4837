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
}
