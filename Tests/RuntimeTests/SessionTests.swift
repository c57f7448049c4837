import GraphIR
import Runtime
import Testing

/// A step written by hand: `weight += x`, with the weight donated, and `total` the sum of the new weight.
private final class Step: Executable {
  static let type = TensorType(.f32, [3])
  let inputs: [Input]
  let outputs: [(name: String, type: TensorType)] = [
    ("total", TensorType(.f32, [])), ("next", Step.type),
  ]
  let statistics = ExecutableStatistics()

  init(donating: Bool = true) {
    inputs = [
      Input(
        "weight", Step.type, donatedTo: donating ? 1 : nil,
        location: Location(file: "a.swift", line: 7)),
      Input("x", Step.type), Input("y", Step.type),
    ]
  }

  func makeWorkspace() throws(Diagnostic) -> any Workspace { StepWorkspace() }
}

private final class StepWorkspace: Workspace {
  func run(inputs: [Buffer], outputs: [Buffer]) throws(Diagnostic) {
    let (old, x) = (inputs[0].literal().doubles(), inputs[1].literal().doubles())
    let next = zip(old, x).map { $0 + $1 }
    outputs[0].write(Literal(TensorType(.f32, []), doubles: [next.reduce(0, +)]))
    outputs[1].write(Literal(Step.type, doubles: next))
  }
}

private func vector(_ values: Double...) -> Literal { Literal(Step.type, doubles: values) }

@Suite struct SessionTests {
  @Test func buffersAreZeroedAndAligned() throws {
    let session = try Session(Step())
    for buffer in session.inputs + session.outputs {
      #expect(buffer.literal() == Literal(zeros: buffer.type))
      #expect(Int(bitPattern: buffer.bytes.baseAddress) % Buffer.alignment == 0)
      #expect(buffer.bytes.count >= buffer.type.byteCount + Buffer.alignment)
    }
  }

  @Test func aDonatedInputHoldsTheNewValueAfterARun() throws {
    var session = try Session(Step())
    #expect(session.inputs[0] === session.outputs[1])
    session.inputs[1].write(vector(1, 2, 3))
    try session.run()
    try session.run()
    #expect(session.inputs[0].literal() == vector(2, 4, 6))
    #expect(session.outputs[0].literal().doubles() == [12])
  }

  @Test func anInputThatIsNotDonatedKeepsItsValue() throws {
    var session = try Session(Step(donating: false))
    #expect(session.inputs[0] !== session.outputs[1])
    session.inputs[0].write(vector(5, 5, 5))
    session.inputs[1].write(vector(1, 2, 3))
    try session.run()
    #expect(session.inputs[0].literal() == vector(5, 5, 5))
    #expect(session.outputs[1].literal() == vector(6, 7, 8))
  }

  @Test func theOutputFollowsADonatedInputToAnotherBuffer() throws {
    var session = try Session(Step())
    let first = session.inputs[0]
    let buffer = Buffer(vector(10, 20, 30))
    try session.bind(input: 0, to: buffer)
    session.inputs[1].write(vector(1, 1, 1))
    try session.run()
    #expect(session.outputs[1] === buffer)
    #expect(buffer.literal() == vector(11, 21, 31))
    #expect(first.literal() == vector(0, 0, 0))
  }

  @Test func buffersGivenAtFirstAreTaken() throws {
    let buffer = Buffer(vector(10, 20, 30))
    var session = try Session(Step(), inputs: [0: buffer])
    session.inputs[1].write(vector(1, 1, 1))
    try session.run()
    #expect(session.inputs[0] === buffer && session.outputs[1] === buffer)
    #expect(buffer.literal() == vector(11, 21, 31))
    for wrong in [[0: buffer, 2: buffer], [1: Buffer(TensorType(.f32, [4]))]] {
      #expect(throws: Diagnostic.self) { _ = try Session(Step(), inputs: wrong) }
    }
  }

  @Test func aBufferOfAnotherTypeIsRefused() throws {
    for type in [TensorType(.f32, [4]), TensorType(.f64, [3]), TensorType(.f32, [3, 1])] {
      var session = try Session(Step())
      let before = session.inputs[0]
      let diagnostic = refusal { () throws(Diagnostic) in
        try session.bind(input: 0, to: Buffer(type))
      }
      #expect(diagnostic?.code == .typeMismatch)
      #expect(diagnostic?.message.contains("f32[3]") == true)
      #expect(diagnostic?.message.contains("\(type)") == true)
      #expect(diagnostic?.location == Location(file: "a.swift", line: 7))
      #expect(session.inputs[0] === before)
    }
  }

  /// Whichever of the two is bound first, since the run would overwrite what the other still reads.
  @Test func aDonatedBufferIsNotBoundTwice() throws {
    for (first, second) in [(0, 1), (1, 0), (0, 2), (2, 0)] {
      var session = try Session(Step())
      let buffer = Buffer(Step.type)
      try session.bind(input: first, to: buffer)
      let diagnostic = refusal { () throws(Diagnostic) in
        try session.bind(input: second, to: buffer)
      }
      #expect(diagnostic?.code == .argument)
      #expect(diagnostic?.message.contains("'weight'") == true)
      #expect(session.inputs[second] !== buffer)
    }
  }

  @Test func aBufferThatIsOnlyReadMayBeBoundTwiceAndAgain() throws {
    var session = try Session(Step())
    let buffer = Buffer(vector(1, 2, 3))
    try session.bind(input: 1, to: buffer)
    try session.bind(input: 2, to: buffer)
    try session.bind(input: 1, to: buffer)
    try session.run()
    #expect(session.outputs[0].literal().doubles() == [6])
  }

  private func refusal(_ body: () throws(Diagnostic) -> Void) -> Diagnostic? {
    do throws(Diagnostic) {
      try body()
      return nil
    } catch {
      return error
    }
  }
}
