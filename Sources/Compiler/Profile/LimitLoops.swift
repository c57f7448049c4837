import GraphIR
import LLVMBackend
import LoopIR
import Runtime

/// Loops that do one thing as fast as a machine can, with a task for each thread.
enum LimitLoops {
  /// Independent sums: enough to hide the latency of a multiply-add (at most 5 cycles, two a cycle).
  private static let chains = 10
  /// Independent loads or copies an iteration.
  private static let streams = 8

  /// The operations of `multiplyAdds` on each thread.
  static func operations(_ target: Target, iterations: Int) -> Int {
    2 * chains * target.lanes * iterations
  }

  /// Sums of products in registers; the only memory is what the sums are stored to.
  static func multiplyAdds(
    _ target: Target, iterations: Int, tasks: Int
  ) throws(Diagnostic) -> Loops {
    let vector = LoopType(.f32, lanes: target.lanes)
    let builder = LoopsBuilder(name: "multiply_adds", memories: [sums(target, tasks)])
    try builder.phase(taskCount: tasks, workPerTask: 1 << 30) { task throws(Diagnostic) in
      // A factor of 1/2 keeps the sums finite, and carried sums cannot be folded away.
      let factor = builder.define(.constant(UInt64(Float(0.5).bitPattern)), vector)
      let variables = (0..<chains).map { _ in builder.makeVariable(vector) }
      for (chain, variable) in variables.enumerated() {
        let start = UInt64(Float(chain).bitPattern)
        builder.assign(variable, builder.define(.constant(start), vector))
      }
      try builder.loop("i", to: LoopIndex(constant: iterations)) { _ in
        for variable in variables {
          let sum = builder.define(.multiplyAdd(builder.read(variable), factor, factor), vector)
          builder.assign(variable, sum)
        }
      }
      store(variables, to: 0, task, builder, vector)
    }
    return builder.loops
  }

  /// Each task sums its share of a memory, several times over.
  static func reading(
    _ target: Target, bytes: Int, passes: Int, tasks: Int
  ) throws(Diagnostic) -> Loops {
    let vector = LoopType(.f32, lanes: target.lanes)
    let share = elements(target, bytes: bytes, tasks: tasks)
    let memories = [
      LoopMemory(name: "data", dtype: .f32, count: bytes / 4, kind: .input), sums(target, tasks),
    ]
    let builder = LoopsBuilder(name: "reading", memories: memories)
    try builder.phase(taskCount: tasks, workPerTask: 1 << 30) { task throws(Diagnostic) in
      let zero = builder.define(.constant(0), vector)
      let variables = (0..<streams).map { _ in builder.makeVariable(vector) }
      for variable in variables { builder.assign(variable, zero) }
      try eachVector(target, task, share, passes, builder) { stream, offset in
        let value = builder.define(.load(LoopAccess(memory: 0, offset: offset)), vector)
        let sum = builder.define(.binary(.add, builder.read(variables[stream]), value), vector)
        builder.assign(variables[stream], sum)
      }
      store(variables, to: 1, task, builder, vector)
    }
    return builder.loops
  }

  /// Each task copies its share of one memory to another, several times over.
  ///
  /// - Parameter bytes: the size of each of the two.
  static func copying(
    _ target: Target, bytes: Int, passes: Int, tasks: Int
  ) throws(Diagnostic) -> Loops {
    let vector = LoopType(.f32, lanes: target.lanes)
    let share = elements(target, bytes: bytes, tasks: tasks)
    let memories = [
      LoopMemory(name: "source", dtype: .f32, count: bytes / 4, kind: .input),
      LoopMemory(name: "copy", dtype: .f32, count: bytes / 4, kind: .output),
    ]
    let builder = LoopsBuilder(name: "copying", memories: memories)
    try builder.phase(taskCount: tasks, workPerTask: 1 << 30) { task throws(Diagnostic) in
      try eachVector(target, task, share, passes, builder) { _, offset in
        let value = builder.define(.load(LoopAccess(memory: 0, offset: offset)), vector)
        builder.store(value, LoopAccess(memory: 1, offset: offset))
      }
    }
    return builder.loops
  }

  /// The bytes that all tasks together work on, which is all but what no full iteration holds.
  static func coveredBytes(_ target: Target, bytes: Int, tasks: Int) -> Int {
    4 * elements(target, bytes: bytes, tasks: tasks) * tasks
  }

  private static func elements(_ target: Target, bytes: Int, tasks: Int) -> Int {
    let step = streams * target.lanes
    return bytes / 4 / tasks / step * step
  }

  private static func sums(_ target: Target, _ tasks: Int) -> LoopMemory {
    LoopMemory(name: "sums", dtype: .f32, count: tasks * target.lanes, kind: .output)
  }

  /// Calls the body for each vector of an iteration over a task's share.
  private static func eachVector(
    _ target: Target, _ task: LoopIndex, _ share: Int, _ passes: Int, _ builder: LoopsBuilder,
    _ body: (_ stream: Int, _ offset: LoopIndex) -> Void
  ) throws(Diagnostic) {
    let step = streams * target.lanes
    try builder.loop("pass", to: LoopIndex(constant: passes)) { _ throws(Diagnostic) in
      try builder.loop("i", to: LoopIndex(constant: share), step: step) { i in
        for stream in 0..<streams {
          body(stream, task * share + i + LoopIndex(constant: stream * target.lanes))
        }
      }
    }
  }

  /// Stores the sum of variables, so that all of them are needed.
  private static func store(
    _ variables: [VariableID], to memory: Int, _ task: LoopIndex, _ builder: LoopsBuilder,
    _ vector: LoopType
  ) {
    var total = builder.read(variables[0])
    for variable in variables.dropFirst() {
      total = builder.define(.binary(.add, total, builder.read(variable)), vector)
    }
    builder.store(total, LoopAccess(memory: memory, offset: task * vector.lanes))
  }
}

extension Target {
  /// The f32 lanes of a vector register.
  var lanes: Int { vectorBytes / 4 }
}
