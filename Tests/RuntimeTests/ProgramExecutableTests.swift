import GraphIR
import LoopIR
import Runtime
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How many elements the tensors of these programs have.
private let count = 1000

private func floats(
  _ memories: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ index: Int
) -> UnsafeMutablePointer<Float> {
  memories[index]!.assumingMemoryBound(to: Float.self)
}

/// `out = in + 1`, an element per task, as the code generator would write it.
private let increment: PhaseFunction = { memories, first, end, _ in
  for task in first..<end { floats(memories, 1)[task] = floats(memories, 0)[task] + 1 }
}

/// `out = a * b`.
private let multiply: PhaseFunction = { memories, first, end, _ in
  for task in first..<end {
    floats(memories, 2)[task] = floats(memories, 0)[task] * floats(memories, 1)[task]
  }
}

/// Two phases that reverse a tensor through shared scratch; the worker's own scratch holds an element meanwhile.
private let copyToScratch: PhaseFunction = { memories, first, end, worker in
  let own = worker!.assumingMemoryBound(to: Float.self)
  for task in first..<end {
    own[0] = floats(memories, 0)[task]
    floats(memories, 2)[task] = own[0]
  }
}
private let reverseFromScratch: PhaseFunction = { memories, first, end, _ in
  for task in first..<end { floats(memories, 1)[task] = floats(memories, 2)[count - 1 - task] }
}

/// `out = reverse((x + 1) * c)`, where `c` is 3 and made by the prologue from the constant 2.
private func makeExecutable(threads: Int) throws -> ProgramExecutable {
  let type = TensorType(.f32, [count])
  let bytes = type.byteCount
  var program = Program(name: "reversed")
  program.buffers = [
    ProgramBuffer(type, .input(0)), ProgramBuffer(type, .output(0)),
    ProgramBuffer(type, .constant(Literal(type, doubles: Array(repeating: 2, count: count)))),
    ProgramBuffer(type, .persistent), ProgramBuffer(type, .arena(offset: 0)),
    ProgramBuffer(type, .arena(offset: (bytes + 63) & -64)),
  ]
  func kernel(_ name: String, inputs: Int) -> Kernel {
    let inputs = (0..<inputs).map { KernelParameter(name: "x\($0)", type: type, role: .input) }
    let output = KernelParameter(name: "y", type: type, role: .output)
    return Kernel(name: name, parameters: inputs + [output])
  }
  program.kernels = [
    kernel("increment", inputs: 1), kernel("multiply", inputs: 2), kernel("reverse", inputs: 1),
  ]
  program.inputs = [BufferID(0)]
  program.outputs = [BufferID(1)]
  program.arenaBytes = 2 * ((bytes + 63) & -64)
  func launch(_ kernel: Int, _ arguments: Int...) -> Launch {
    Launch(
      kernel: kernel, arguments: arguments.map { BufferID($0) },
      values: arguments.map { _ in nil }, location: .unknown)
  }
  program.prologue = [launch(0, 2, 3)]
  program.launches = [launch(0, 0, 4), launch(1, 4, 3, 5), launch(2, 5, 1)]

  // Much work, so that every phase is split over the threads.
  func phase(_ function: @escaping PhaseFunction) -> KernelCode.Phase {
    KernelCode.Phase(function: function, taskCount: count, workPerTask: 1 << 20)
  }
  func code(_ phases: [KernelCode.Phase]) -> KernelCode {
    KernelCode(phases: phases, sharedOffsets: [], sharedScratchBytes: 0, workerScratchBytes: 0)
  }
  let reverse = KernelCode(
    phases: [phase(copyToScratch), phase(reverseFromScratch)], sharedOffsets: [64],
    sharedScratchBytes: 64 + bytes, workerScratchBytes: 4)
  var builder = GraphBuilder(name: "reversed")
  let x = builder.input("x", type)
  let graph = try builder.finish([Output("y", x)])
  return try ProgramExecutable(
    plan: ExecutionPlan(program), graph: graph,
    code: [code([phase(increment)]), code([phase(multiply)]), reverse],
    codeOwner: CodeOwner(), pool: ThreadPool(threads: threads), statistics: ExecutableStatistics())
}

private final class CodeOwner: Sendable {}

private let x = Literal(TensorType(.f32, [count]), doubles: (0..<count).map(Double.init))
private let expected = Literal(
  x.type, doubles: (0..<count).map { 3 * (Double(count - 1 - $0) + 1) })

@Suite struct ProgramExecutableTests {
  @Test(arguments: [1, 2, 4]) func runsPrologueLaunchesAndPhases(_ threads: Int) throws {
    var session = try Session(try makeExecutable(threads: threads))
    session.inputs[0].write(x)
    for _ in 0..<3 {
      try session.run()
      #expect(session.outputs[0].literal() == expected)
      session.outputs[0].write(Literal(zeros: x.type))
    }
  }

  @Test func aBoundBufferIsReadInItsPlace() throws {
    var session = try Session(try makeExecutable(threads: 1))
    try session.run()
    #expect(session.outputs[0].literal().doubles() == Array(repeating: 3, count: count))
    try session.bind(input: 0, to: Buffer(x))
    try session.run()
    #expect(session.outputs[0].literal() == expected)
  }

  /// Two sessions of one executable have an arena each.
  @Test func sessionsRunAtTheSameTime() async throws {
    let executable = try makeExecutable(threads: 2)
    let rights = try await withThrowingTaskGroup(of: Int.self) { group in
      for shift in 0..<4 {
        group.addTask {
          let input = Literal(x.type, doubles: x.doubles().map { $0 + Double(shift) })
          let right = Literal(x.type, doubles: expected.doubles().map { $0 + 3 * Double(shift) })
          var session = try Session(executable)
          session.inputs[0].write(input)
          var rights = 0
          for _ in 0..<50 {
            try session.run()
            if session.outputs[0].literal() == right { rights += 1 }
          }
          return rights
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(rights == [50, 50, 50, 50])
  }

  @Test func observersSeeEachLaunchAndItsBuffers() throws {
    let executable = try makeExecutable(threads: 1)
    let observer = Observer()
    try executable.makeProgramWorkspace().run(
      inputs: [Buffer(x)], outputs: [Buffer(x.type)], observer: observer)
    #expect(observer.events == ["will 0", "did 0", "will 1", "did 1", "will 2", "did 2"])
    #expect(observer.firsts == [1, 3, 3 * Double(count)])
  }

  /// What `compare` and profiles do: one kernel, on tensors of their own.
  @Test func oneKernelRunsOnItsOwn() throws {
    let workspace = try makeExecutable(threads: 2).makeProgramWorkspace()
    let contents = workspace.run(kernel: 2, on: [x, Literal(zeros: x.type)])
    #expect(contents[0] == x)
    #expect(contents[1].doubles() == x.doubles().reversed())
  }
}

/// Notes the launches, and the first element of what each has written.
private final class Observer: LaunchObserver {
  var events: [String] = []
  var firsts: [Double] = []

  func willRun(_ launch: Int, in workspace: ProgramWorkspace) { events.append("will \(launch)") }

  func didRun(_ launch: Int, in workspace: ProgramWorkspace) {
    events.append("did \(launch)")
    let written = workspace.executable.plan.launches[launch].arguments.last
    if let written, let literal = workspace.literal(of: written) {
      firsts.append(literal.doubles()[0])
    }
  }
}
