import GraphIR
import Interpreter
import LoopIR
import Lowering
import TestSupport
import Testing

@Suite("Schedules of whole programs")
struct ScheduleModelTests {
  @Test(arguments: Operation.Kind.allCases)
  func operations(kind: Operation.Kind) throws {
    for (place, sample) in samples(of: kind).enumerated() {
      let target = scheduleTargets[place % scheduleTargets.count]
      let graph = try sample.graph()
      let inputs = sample.inputs()
      let expected = try interpret(graph, inputs)
      let program = try lower(graph)
      let found = try program.evaluateLoops(inputs, target)
      for (a, b) in zip(found, expected) {
        let message = mismatch(a, b, 64 * (a.type.dtype.epsilon ?? 0))
        #expect(message == nil, "\(sample), \(target.vectorBytes) bytes: \(message ?? "")")
      }
    }
  }

  @Test(arguments: scheduleTargets)
  func trainingSteps(target: Target) throws {
    let graphs = [
      try perceptronStep(batch: 5, inputs: 13, hidden: 19, classes: 3),
      try lenetStep(batch: 2, size: 16, filters: (6, 16)),
    ]
    for graph in graphs {
      var generator = SplitMix64(seed: 3)
      let inputs = graph.inputs.map { input -> Literal in
        input.name == "step" ? .scalar(1, .f32) : generator.literal(input.type).positive(input)
      }
      let program = try lower(graph)
      let found = try program.evaluateLoops(inputs, target)
      for (place, (a, b)) in zip(found, try program.evaluate(inputs)).enumerated() {
        let message = mismatch(a, b, 1e-4)
        #expect(message == nil, "\(graph.outputs[place].name): \(message ?? "")")
      }
    }
  }
}

extension Literal {
  /// Without signs, for a second moment; as it is for other inputs.
  fileprivate func positive(_ input: Input) -> Literal {
    input.name.hasSuffix(".v") ? Literal(type, doubles: doubles().map(abs)) : self
  }
}

extension Program {
  /// Runs the program with the evaluator of loops, in memory laid out as planned.
  ///
  /// - Parameter scheduled: the loops of the kernels; nil to schedule them.
  func evaluateLoops(
    _ inputs: [Literal], _ target: Target, _ scheduled: [Loops]? = nil
  ) throws -> [Literal] {
    let arena = UnsafeMutableRawBufferPointer.allocate(
      byteCount: arenaBytes + 64, alignment: 64)
    for place in arena.indices { arena[place] = 0xFF }
    let memories = buffers.map { buffer -> UnsafeMutableRawBufferPointer in
      let size = max(buffer.type.byteCount, 1)
      if case .arena(let offset) = buffer.placement {
        return UnsafeMutableRawBufferPointer(rebasing: arena[offset..<offset + size])
      }
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
      for place in memory.indices { memory[place] = 0xFF }
      if case .input(let place) = buffer.placement { memory.copyBytes(from: inputs[place].bytes) }
      if case .constant(let literal) = buffer.placement { memory.copyBytes(from: literal.bytes) }
      return memory
    }
    defer {
      for (buffer, memory) in zip(buffers, memories) {
        if case .arena = buffer.placement { continue }
        memory.deallocate()
      }
      arena.deallocate()
    }
    let loops = try scheduled ?? kernels.map { try schedule($0, for: target) }
    for launch in prologue + launches {
      try LoopsEvaluator.run(
        loops[launch.kernel], parameters: launch.arguments.map { memories[$0.index] })
    }
    return try outputs.map { id in
      let type = buffers[id.index].type
      return try #require(Literal(type, bytes: Array(memories[id.index].prefix(type.byteCount))))
    }
  }
}
