import GraphIR
import LLVMBackend
import LoopIR
import Runtime

/// What this machine can do at most, measured with code that does nothing else.
public struct MachineLimits: Sendable {
  /// Fused multiply-adds of f32 vectors in registers, in operations per second on all threads (two each).
  public var flopsPerSecond: Double
  /// Reading memory that no cache holds, in bytes per second on all threads.
  public var bytesPerSecond: Double

  /// Measures; takes about a fifth of a second.
  ///
  /// - Throws: when the code cannot be compiled.
  public static func measure(threads: Int) throws(Diagnostic) -> MachineLimits {
    let target = Target.host
    let peak = try best(of: fusedMultiplyAdds(target, tasks: threads), threads: threads, [])
    let bytes = 64 << 20
    let memory = Buffer(TensorType(.f32, [bytes / 4]))
    let read = try best(
      of: reading(target, bytes: bytes, tasks: threads), threads: threads, [memory])
    return MachineLimits(
      flopsPerSecond: Double(2 * chains * target.lanes * iterations * threads) / peak,
      bytesPerSecond: Double(bytes) / read)
  }

  /// Independent sums: enough to hide the latency of a multiply-add (at most 5 cycles, two a cycle).
  private static let chains = 10
  private static let iterations = 1 << 20

  /// Each task runs `chains` sums of `iterations` products.
  private static func fusedMultiplyAdds(_ target: Target, tasks: Int) -> Loops {
    var loops = Loops(name: "fma_peak")
    let vector = LoopType(.f32, lanes: target.lanes)
    loops.memories = [
      LoopMemory(name: "sums", dtype: .f32, count: tasks * target.lanes, kind: .output)
    ]
    loops.counters = ["task", "i"]
    let (task, i) = (CounterID(0), CounterID(1))
    func register(_ type: LoopType) -> RegisterID {
      loops.registers.append(type)
      return RegisterID(loops.registers.count - 1)
    }
    let factor = register(vector)
    // Factors of 1 keep the sums finite; the loads of the loop-carried sums cannot be folded away.
    var before: [LoopStatement] = [.define(factor, .constant(UInt64(Float(0.5).bitPattern)))]
    var body: [LoopStatement] = []
    for chain in 0..<chains {
      loops.variables.append(vector)
      let variable = VariableID(chain)
      let (start, old, new) = (register(vector), register(vector), register(vector))
      before.append(.define(start, .constant(UInt64(Float(chain).bitPattern))))
      before.append(.assign(variable, start))
      body.append(.define(old, .read(variable)))
      body.append(.define(new, .multiplyAdd(old, factor, factor)))
      body.append(.assign(variable, new))
    }
    var after: [LoopStatement] = []
    var sum = factor
    for chain in 0..<chains {
      let (value, next) = (register(vector), register(vector))
      after.append(.define(value, .read(VariableID(chain))))
      after.append(.define(next, .binary(.add, sum, value)))
      sum = next
    }
    let place = LoopIndex(terms: [LoopIndex.Term(.counter(task), target.lanes)])
    after.append(.store(LoopAccess(memory: 0, offset: place), sum))
    let loop = LoopStatement.loop(
      i, start: LoopIndex(), end: LoopIndex(constant: iterations), step: 1, unroll: 1, body)
    loops.phases = [
      LoopPhase(task: task, taskCount: tasks, workPerTask: 1 << 30, body: before + [loop] + after)
    ]
    return loops
  }

  /// Each task sums its share of the memory.
  private static func reading(_ target: Target, bytes: Int, tasks: Int) -> Loops {
    var loops = Loops(name: "read_bandwidth")
    let vector = LoopType(.f32, lanes: target.lanes)
    let sums = 8
    let step = sums * target.lanes
    let share = bytes / 4 / tasks / step * step
    loops.memories = [
      LoopMemory(name: "data", dtype: .f32, count: bytes / 4, kind: .input),
      LoopMemory(name: "sums", dtype: .f32, count: tasks * target.lanes, kind: .output),
    ]
    loops.counters = ["task", "i"]
    let (task, i) = (CounterID(0), CounterID(1))
    func register() -> RegisterID {
      loops.registers.append(vector)
      return RegisterID(loops.registers.count - 1)
    }
    var before: [LoopStatement] = []
    var body: [LoopStatement] = []
    var after: [LoopStatement] = []
    let zero = register()
    before.append(.define(zero, .constant(0)))
    var total = zero
    for index in 0..<sums {
      loops.variables.append(vector)
      let variable = VariableID(index)
      before.append(.assign(variable, zero))
      let place = LoopIndex(
        constant: index * target.lanes,
        terms: [LoopIndex.Term(.counter(task), share), LoopIndex.Term(.counter(i), 1)])
      let (old, value, new) = (register(), register(), register())
      body.append(.define(old, .read(variable)))
      body.append(.define(value, .load(LoopAccess(memory: 0, offset: place))))
      body.append(.define(new, .binary(.add, old, value)))
      body.append(.assign(variable, new))
      let (last, next) = (register(), register())
      after.append(.define(last, .read(variable)))
      after.append(.define(next, .binary(.add, total, last)))
      total = next
    }
    let place = LoopIndex(terms: [LoopIndex.Term(.counter(task), target.lanes)])
    after.append(.store(LoopAccess(memory: 1, offset: place), total))
    let loop = LoopStatement.loop(
      i, start: LoopIndex(), end: LoopIndex(constant: share), step: step, unroll: 1, body)
    loops.phases = [
      LoopPhase(task: task, taskCount: tasks, workPerTask: 1 << 30, body: before + [loop] + after)
    ]
    return loops
  }

  /// The shortest of several runs, in seconds.
  private static func best(
    of loops: Loops, threads: Int, _ inputs: [Buffer]
  ) throws(Diagnostic) -> Double {
    let library = try JITLibrary([loops], options: CodeOptions())
    let result = Buffer(TensorType(.f32, [threads * Target.host.lanes]))
    var memories = (inputs + [result]).map { $0.bytes.baseAddress }
    let function = library.functions(ofKernel: 0)[0]
    let pool = ThreadPool(threads: threads)
    defer { withExtendedLifetime((library, result, inputs)) {} }
    return memories.withUnsafeMutableBufferPointer { memories in
      var context = (function, memories.baseAddress!)
      var shortest = Double.infinity
      for _ in 0..<7 {
        let started = ContinuousClock.now
        pool.run(
          taskCount: threads,
          { context, task, _ in
            let (function, memories) = context.assumingMemoryBound(
              to: (PhaseFunction, UnsafeMutablePointer<UnsafeMutableRawPointer?>).self
            ).pointee
            function(memories, task, task + 1, nil)
          }, &context)
        shortest = min(shortest, ContinuousClock.now.seconds(since: started))
      }
      return shortest
    }
  }
}

extension Target {
  /// The f32 lanes of a vector register.
  var lanes: Int { vectorBytes / 4 }
}
