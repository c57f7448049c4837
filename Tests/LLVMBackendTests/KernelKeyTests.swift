import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// What tells one kernel's code from another's.
@Suite struct KernelKeyTests {
  private static func loops() -> Loops {
    let (first, second) = (CounterID(0), CounterID(1))
    let index = LoopIndex(
      constant: 1,
      terms: [
        .init(.counter(first), 2),
        .init(.quotient(LoopIndex(terms: [.init(.counter(second), 1)]), 3), 4),
        .init(.remainder(LoopIndex(constant: 5), 6), 7), .init(.register(RegisterID(0)), 8),
      ])
    let access = LoopAccess(
      memory: 0, offset: index, stride: 2, active: 3, mask: RegisterID(1))
    var loops = Loops(name: "loops")
    loops.memories = [
      LoopMemory(name: "x", dtype: .f32, count: 100, kind: .input),
      LoopMemory(name: "y", dtype: .f32, count: 100, kind: .output),
    ]
    loops.registers = [LoopType(.i64), LoopType(.bool, lanes: 4), LoopType(.f32, lanes: 4)]
    loops.variables = [LoopType(.f32, lanes: 4)]
    loops.counters = ["i", "j"]
    loops.phases = [
      LoopPhase(
        task: first, taskCount: 3, workPerTask: 10,
        body: [
          .loop(
            second, start: index, end: LoopIndex(constant: 9), step: 1, unroll: 2,
            [.define(RegisterID(2), .load(access)), .assign(VariableID(0), RegisterID(2))]),
          .conditional(RegisterID(1), then: [.store(access, RegisterID(2))], otherwise: []),
          .prefetch(memory: 1, offset: index),
        ])
    ]
    return loops
  }

  private func bytes(_ change: (inout Loops) -> Void) -> [UInt8] {
    var loops = KernelKeyTests.loops()
    change(&loops)
    return CacheKey(loops, CodeOptions()).bytes
  }

  private func withFirst(_ statement: LoopStatement) -> [UInt8] {
    bytes { $0.phases[0].body[0] = statement }
  }

  @Test func namesAreNotPartOfTheCode() {
    let plain = bytes { _ in }
    let renamed = bytes {
      $0.name = "other"
      $0.memories[0].name = "z"
      $0.counters[0] = "k"
    }
    #expect(plain == renamed)
  }

  @Test func everythingElseIs() {
    let (r, s, t, v) = (RegisterID(0), RegisterID(1), RegisterID(2), VariableID(0))
    let (zero, one) = (LoopIndex(), LoopIndex(constant: 1))
    let access = LoopAccess(memory: 0, offset: zero)
    func changed(_ change: (inout LoopAccess) -> Void) -> LoopInstruction {
      var other = access
      change(&other)
      return .load(other)
    }
    let atoms: [LoopIndex.Atom] = [
      .counter(CounterID(0)), .counter(CounterID(1)), .quotient(zero, 2), .quotient(one, 2),
      .quotient(zero, 3), .remainder(zero, 2), .remainder(one, 2), .remainder(zero, 3),
      .register(r),
      .register(s),
    ]
    let indices =
      atoms.flatMap { atom in [1, 2, -1].map { LoopIndex(terms: [.init(atom, $0)]) } }
      + [zero, one, LoopIndex(constant: -1), LoopIndex(constant: 1 << 40)]
    let instructions: [LoopInstruction] =
      [
        .constant(0), .constant(1), .constant(.max), .lanes(zero, stride: 1),
        .lanes(one, stride: 1), .lanes(zero, stride: 2), .load(access), changed { $0.memory = 1 },
        changed { $0.offset = one }, changed { $0.stride = 2 }, changed { $0.active = 1 },
        changed { $0.active = 0 }, changed { $0.mask = r }, changed { $0.mask = s },
        changed { $0.isStreamed = true }, .shuffle(r, s, lanes: [0, 1]),
        .shuffle(s, s, lanes: [0, 1]), .shuffle(r, r, lanes: [0, 1]),
        .shuffle(r, s, lanes: [0, 2]),
        .shuffle(r, s, lanes: [0]),
        .gather(memory: 0, offset: zero, offsets: r, mask: nil),
        .gather(memory: 1, offset: zero, offsets: r, mask: nil),
        .gather(memory: 0, offset: one, offsets: r, mask: nil),
        .gather(memory: 0, offset: zero, offsets: s, mask: nil),
        .gather(memory: 0, offset: zero, offsets: r, mask: r), .read(v), .read(VariableID(1)),
        .broadcast(r), .broadcast(s), .extract(r, lane: 0), .extract(r, lane: 1),
        .extract(s, lane: 0), .multiplyAdd(r, s, t), .multiplyAdd(s, r, t), .multiplyAdd(r, s, r),
        .select(r, s, t), .select(s, r, t), .select(r, s, r), .convert(r), .convert(s),
        .random(stream: 0, index: r, seed: s, step: t),
        .random(stream: 1, index: r, seed: s, step: t),
        .random(stream: 0, index: s, seed: s, step: t),
        .random(stream: 0, index: r, seed: r, step: t),
        .random(stream: 0, index: r, seed: s, step: s),
      ] + indices.map { .index($0) }
      + ReduceFunction.allCases.flatMap { [.reduceLanes($0, r), .reduceLanes($0, s)] }
      + UnaryFunction.allCases.flatMap { [.unary($0, r), .unary($0, s)] }
      + BinaryFunction.allCases.flatMap {
        [.binary($0, r, s), .binary($0, s, s), .binary($0, r, r)]
      }
      + CompareFunction.allCases.flatMap {
        [.compare($0, r, s), .compare($0, s, s), .compare($0, r, r)]
      }
    let body: [LoopStatement] = [.assign(v, r)]
    let (i, j) = (CounterID(0), CounterID(1))
    let statements: [LoopStatement] =
      instructions.map { .define(r, $0) } + [
        .define(s, .convert(r)), .assign(v, r), .assign(v, s), .assign(VariableID(1), r),
        .store(access, r), .store(access, s), .store(LoopAccess(memory: 1, offset: zero), r),
        .prefetch(memory: 0, offset: zero), .prefetch(memory: 1, offset: zero),
        .prefetch(memory: 0, offset: one),
        .loop(i, start: zero, end: one, step: 1, unroll: 1, body),
        .loop(j, start: zero, end: one, step: 1, unroll: 1, body),
        .loop(i, start: one, end: one, step: 1, unroll: 1, body),
        .loop(i, start: zero, end: zero, step: 1, unroll: 1, body),
        .loop(i, start: zero, end: one, step: 2, unroll: 1, body),
        .loop(i, start: zero, end: one, step: 1, unroll: 2, body),
        .loop(i, start: zero, end: one, step: 1, unroll: 1, body + body),
        .conditional(r, then: body, otherwise: []), .conditional(s, then: body, otherwise: []),
        .conditional(r, then: [], otherwise: body), .conditional(r, then: [], otherwise: []),
      ]
    var all: [[UInt8]] = statements.map { withFirst($0) }
    for dtype in DType.allCases where dtype != .f32 {
      all.append(bytes { $0.memories[0].dtype = dtype })
    }
    all += [
      bytes { _ in }, bytes { $0.memories[0].count = 101 }, bytes { $0.memories[0].kind = .output },
      bytes { $0.memories[0].kind = .shared }, bytes { $0.memories[0].kind = .worker },
      bytes { $0.memories.removeLast() }, bytes { $0.registers[0].lanes = 2 },
      bytes { $0.registers[0].dtype = .u64 }, bytes { $0.registers.append(LoopType(.i64)) },
      bytes { $0.variables[0].lanes = 8 }, bytes { $0.variables[0].dtype = .f64 },
      bytes { $0.variables = [] }, bytes { $0.counters.append("k") },
      bytes { $0.phases[0].task = CounterID(1) }, bytes { $0.phases[0].taskCount = 4 },
      bytes { $0.phases[0].workPerTask = 11 }, bytes { $0.phases[0].body.removeLast() },
      bytes { $0.phases += $0.phases }, bytes { $0.phases = [] },
    ]
    let faulty = CodeOptions(fault: PlantedFault.allCases[0])
    all.append(CacheKey(KernelKeyTests.loops(), faulty).bytes)
    #expect(Set(all).count == all.count)
  }

  /// A property that is added must be encoded, or be a name.
  @Test func noPropertyIsForgotten() {
    func properties(_ value: Any) -> [String] {
      Mirror(reflecting: value).children.compactMap(\.label)
    }
    let loops = KernelKeyTests.loops()
    #expect(
      properties(loops) == ["name", "memories", "registers", "variables", "counters", "phases"])
    #expect(properties(loops.memories[0]) == ["name", "dtype", "count", "kind"])
    #expect(properties(loops.registers[0]) == ["dtype", "lanes"])
    #expect(properties(loops.phases[0]) == ["task", "taskCount", "workPerTask", "body"])
    #expect(properties(LoopIndex(constant: 0)) == ["constant", "terms"])
    #expect(properties(LoopIndex.Term(.counter(CounterID(0)), 1)) == ["atom", "coefficient"])
    #expect(
      properties(LoopAccess(memory: 0, offset: LoopIndex()))
        == ["memory", "offset", "stride", "active", "mask", "isStreamed"])
    #expect(properties(CodeOptions()) == ["fault"])
  }
}
