import GraphIR
import LoopIR
import Testing

/// Runs loops on f32 memories of the given contents and gives them afterwards.
private func run(_ loops: Loops, _ contents: [[Float]]) throws -> [[Float]] {
  let memories = contents.map { elements in
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: elements.count * 4, alignment: 64)
    elements.withUnsafeBytes { memory.copyMemory(from: $0) }
    return memory
  }
  defer { memories.forEach { $0.deallocate() } }
  try LoopsEvaluator.run(loops, parameters: memories)
  return memories.map { Array($0.bindMemory(to: Float.self)) }
}

/// A builder over two f32 memories: an input and an output.
private func makeBuilder(_ input: Int, _ output: Int) -> LoopsBuilder {
  LoopsBuilder(
    name: "test",
    memories: [
      LoopMemory(name: "x", dtype: .f32, count: input, kind: .input),
      LoopMemory(name: "y", dtype: .f32, count: output, kind: .output),
    ])
}

private let scalar = LoopType(.f32)
private let vector = LoopType(.f32, lanes: 4)

@Suite("Loops: builder, evaluator, verifier, printer")
struct LoopsTests {
  /// Doubles eleven elements, four at a time and three in a masked rest.
  private func doubling() throws -> Loops {
    let builder = makeBuilder(11, 11)
    try builder.phase(taskCount: 1, workPerTask: 11) { _ throws(Diagnostic) in
      func body(_ at: LoopIndex, _ active: Int?) {
        let x = builder.define(.load(LoopAccess(memory: 0, offset: at, active: active)), vector)
        let sum = builder.define(.binary(.add, x, x), vector)
        builder.store(sum, LoopAccess(memory: 1, offset: at, active: active))
      }
      try builder.loop("i", to: 8, step: 4) { i throws(Diagnostic) in body(i, nil) }
      body(8, 3)
    }
    return builder.loops
  }

  @Test func vectorsAndTails() throws {
    let loops = try doubling()
    #expect(loops.verify().isEmpty)
    let x = (0..<11).map(Float.init)
    let y = try run(loops, [x, [Float](repeating: -1, count: 11)])[1]
    #expect(y == x.map { $0 * 2 })
  }

  /// A multiple of a range stays aligned, however large it is.
  @Test func rangesKeepAlignment() {
    let tasks = IndexRange(0, 63)
    let starts = tasks * 15_625_046_875
    #expect(starts.modulus == 15_625_046_875)
    #expect(starts.upper == 63 * 15_625_046_875)
    let shifted = (IndexRange(0, 1 << 40, modulus: 1 << 20, residue: 5)) * (1 << 12)
    #expect(shifted.modulus == 1 << 32)
    #expect(shifted.residue == 5 << 12)
  }

  /// A prefetch changes nothing and may name what lies behind a memory.
  @Test func prefetches() throws {
    let builder = makeBuilder(4, 4)
    try builder.phase(taskCount: 1, workPerTask: 4) { _ throws(Diagnostic) in
      builder.prefetch(0, 1000)
      let x = builder.define(.load(LoopAccess(memory: 0, offset: 0)), vector)
      builder.store(x, LoopAccess(memory: 1, offset: 0))
    }
    #expect(builder.loops.verify().isEmpty)
    #expect(builder.loops.description.contains("prefetch x[1000]"))
    #expect(try run(builder.loops, [[1, 2, 3, 4], [0, 0, 0, 0]])[1] == [1, 2, 3, 4])
    var loops = builder.loops
    loops.phases[0].body.insert(.prefetch(memory: 7, offset: 0), at: 0)
    #expect(!loops.verify().isEmpty)
  }

  @Test func readable() throws {
    let text = try doubling().description
    #expect(text.contains("parallel t in 0..<1"))
    #expect(text.contains("for i in 0..<8 by 4 {"))
    #expect(text.contains("%0 = load x[i] : f32x4"))
    #expect(text.contains("store %3 to y[8] active 3"))
  }

  /// A variable carries a sum through a loop; lanes are combined in a fixed tree.
  @Test func reduction() throws {
    let builder = makeBuilder(12, 1)
    try builder.phase(taskCount: 1, workPerTask: 12) { _ throws(Diagnostic) in
      let sum = builder.makeVariable(vector)
      builder.assign(sum, builder.define(.constant(0), vector))
      try builder.loop("i", to: 12, step: 4) { i throws(Diagnostic) in
        let x = builder.define(.load(LoopAccess(memory: 0, offset: i)), vector)
        builder.assign(sum, builder.define(.multiplyAdd(x, x, builder.read(sum)), vector))
      }
      let total = builder.define(.reduceLanes(.sum, builder.read(sum)), scalar)
      builder.store(total, LoopAccess(memory: 1, offset: 0))
    }
    let y = try run(builder.loops, [(0..<12).map(Float.init), [0]])[1]
    #expect(y == [506])
  }

  @Test func gathersMasksAndStrides() throws {
    let builder = makeBuilder(16, 12)
    try builder.phase(taskCount: 1, workPerTask: 4) { _ throws(Diagnostic) in
      let strided = builder.define(
        .load(LoopAccess(memory: 0, offset: 1, stride: 4)), vector)
      builder.store(strided, LoopAccess(memory: 1, offset: 0))
      let lanes = builder.define(.lanes(0, stride: 1), LoopType(.i64, lanes: 4))
      let two = builder.define(.constant(2), LoopType(.i64, lanes: 4))
      let mask = builder.define(.compare(.less, lanes, two), LoopType(.bool, lanes: 4))
      let gathered = builder.define(
        .gather(memory: 0, offset: 12, offsets: lanes, mask: mask), vector)
      builder.store(gathered, LoopAccess(memory: 1, offset: 4))
      builder.store(strided, LoopAccess(memory: 1, offset: 8, mask: mask))
    }
    #expect(builder.loops.verify().isEmpty)
    let x = (0..<16).map(Float.init)
    let y = try run(builder.loops, [x, [Float](repeating: -1, count: 12)])[1]
    #expect(y == [1, 5, 9, 13, 12, 13, 0, 0, 1, 5, -1, -1])
  }

  @Test func shufflesAndStreams() throws {
    let builder = makeBuilder(8, 8)
    try builder.phase(taskCount: 1, workPerTask: 8) { _ throws(Diagnostic) in
      let (a, b) = (
        builder.define(.load(LoopAccess(memory: 0, offset: 0)), vector),
        builder.define(.load(LoopAccess(memory: 0, offset: 4)), vector)
      )
      let low = builder.define(.shuffle(a, b, lanes: [0, 4, 1, 5]), vector)
      let high = builder.define(.shuffle(a, b, lanes: [2, 6, 3, 7]), vector)
      builder.store(low, LoopAccess(memory: 1, offset: 0, isStreamed: true))
      builder.store(high, LoopAccess(memory: 1, offset: 4, isStreamed: true))
    }
    #expect(builder.loops.verify().isEmpty)
    #expect(builder.loops.description.contains("shuffle %0, %1 lanes [0, 4, 1, 5] : f32x4"))
    #expect(builder.loops.description.contains("stream %2 to"))
    let x = (0..<8).map(Float.init)
    #expect(try run(builder.loops, [x, x])[1] == [0, 4, 1, 5, 2, 6, 3, 7])
  }

  @Test func refusesLanesThatAreNotThere() throws {
    func problems(_ lanes: [Int], stride: Int = 1) throws -> String {
      let builder = makeBuilder(8, 16)
      try builder.phase(taskCount: 1, workPerTask: 8) { _ throws(Diagnostic) in
        let a = builder.define(.load(LoopAccess(memory: 0, offset: 0)), vector)
        let mixed = builder.define(.shuffle(a, a, lanes: lanes), vector)
        builder.store(
          mixed, LoopAccess(memory: 1, offset: 0, stride: stride, isStreamed: true))
      }
      return builder.loops.verify().map(\.message).joined(separator: "\n")
    }
    #expect(try problems([0, 1, 2, 7]).isEmpty)
    #expect(try problems([0, 1, 2, 8]).contains("takes lane 8 of two vectors of 4"))
    #expect(try problems([0, 1, 2]).contains("instead of"))
    #expect(try problems([0, 1, 2, 3], stride: 2).contains("streamed store has stride 2"))
  }

  /// What an enclosing block has computed is not computed again; writes are not forgotten.
  @Test func sharesValues() throws {
    let builder = makeBuilder(4, 4)
    builder.readOnly = [0]
    try builder.phase(taskCount: 1, workPerTask: 4) { _ throws(Diagnostic) in
      let a = builder.define(.load(LoopAccess(memory: 0, offset: 0)), scalar)
      let b = builder.define(.load(LoopAccess(memory: 0, offset: 0)), scalar)
      #expect(a == b)
      let c = builder.define(.load(LoopAccess(memory: 1, offset: 0)), scalar)
      let d = builder.define(.load(LoopAccess(memory: 1, offset: 0)), scalar)
      #expect(c != d)
    }
  }

  @Test func simplifiesDivisions() throws {
    let builder = makeBuilder(64, 64)
    try builder.phase(taskCount: 4, workPerTask: 4) { t throws(Diagnostic) in
      try builder.loop("i", to: 64, step: 16) { i throws(Diagnostic) in
        #expect(builder.quotient(t * 16 + 3, 16) == t)
        #expect(builder.remainder(t * 16 + 3, 16) == 3)
        #expect(builder.remainder(i + 8, 16) == 8)
        #expect(builder.quotient(i + 8, 16) == builder.quotient(i, 16))
        #expect(builder.remainder(t, 4) == t)
      }
    }
  }

  @Test func outOfBoundsIsReportedNotPerformed() throws {
    let builder = makeBuilder(4, 4)
    try builder.phase(taskCount: 1, workPerTask: 4) { _ throws(Diagnostic) in
      let index = builder.define(.index(7), LoopType(.i64))
      let offsets = builder.define(.broadcast(index), LoopType(.i64, lanes: 4))
      _ = builder.define(.gather(memory: 0, offset: 0, offsets: offsets, mask: nil), vector)
    }
    #expect(throws: Diagnostic.self) { try run(builder.loops, [[0, 0, 0, 0], [0, 0, 0, 0]]) }
  }

  @Test func verifierFindsWhatIsWrong() throws {
    func problems(_ change: (inout Loops) -> Void) throws -> String {
      var loops = try doubling()
      change(&loops)
      return loops.verify().map(\.message).joined(separator: "\n")
    }
    #expect(try problems { $0.memories[1].count = 10 }.contains("may reach"))
    #expect(try problems { $0.memories[1].kind = .input }.contains("store to the input"))
    #expect(try problems { $0.memories[0].dtype = .f64 }.contains("holds f64"))
    #expect(try problems { $0.registers[1] = LoopType(.i32, lanes: 4) }.contains("instead of"))
    #expect(try problems { $0.phases[0].taskCount = 0 }.contains("0 tasks"))
    #expect(
      try problems { $0.phases[0].body.removeAll { if case .define = $0 { true } else { false } } }
        .contains("not defined"))
    #expect(
      try problems { $0.phases[0].body.append($0.phases[0].body[1]) }.contains("defined twice"))
  }
}
