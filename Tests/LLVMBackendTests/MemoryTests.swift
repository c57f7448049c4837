import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// Loads and stores of all dtypes, lanes, strides and masks, against the evaluator, with memory watched around them.
@Suite struct MemoryTests {
  static let lanes = [1, 4, 8, 16]

  private func memories(_ dtype: DType, _ input: Int, _ output: Int) -> [LoopMemory] {
    [
      LoopMemory(name: "x", dtype: dtype, count: input, kind: .input),
      LoopMemory(name: "y", dtype: dtype, count: output, kind: .output),
    ]
  }

  @Test(arguments: DType.allCases)
  func denseParts(_ dtype: DType) throws {
    for lanes in MemoryTests.lanes {
      for active in Set([1, 3, lanes - 1, lanes]).filter({ 1...lanes ~= $0 }) {
        let loops = try buildLoops(memories(dtype, 3 + active, 5 + lanes)) {
          (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
          let type = LoopType(dtype, lanes: lanes)
          let whole = builder.define(
            .load(LoopAccess(memory: 0, offset: 3, active: active)), type)
          builder.store(whole, LoopAccess(memory: 1, offset: 5, active: active))
        }
        try LoopsHarness(loops).check("\(active) of \(lanes) \(dtype)")
      }
      // The lanes that are not loaded are zero.
      let loops = try buildLoops(memories(dtype, 1, lanes)) {
        (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
        let part = builder.define(
          .load(LoopAccess(memory: 0, offset: 0, active: 1)), LoopType(dtype, lanes: lanes))
        builder.store(part, LoopAccess(memory: 1, offset: 0))
      }
      try LoopsHarness(loops).check("zeros beyond 1 of \(lanes) \(dtype)")
    }
  }

  @Test(arguments: DType.allCases)
  func strides(_ dtype: DType) throws {
    for lanes in MemoryTests.lanes {
      for stride in [1, 2, 3, 4, 7] {
        for active in Set([lanes, max(1, lanes - 3)]) {
          let span = (active - 1) * stride + 1
          let loops = try buildLoops(memories(dtype, span + 1, 2 * span + 9)) {
            (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
            let type = LoopType(dtype, lanes: lanes)
            let value = builder.define(
              .load(LoopAccess(memory: 0, offset: 1, stride: stride, active: active)), type)
            builder.store(
              value, LoopAccess(memory: 1, offset: 2, stride: stride, active: active))
          }
          try LoopsHarness(loops).check("\(active) of \(lanes) \(dtype), \(stride) apart")
        }
      }
    }
  }

  /// Streamed stores at multiples of the vector and elsewhere, whole and in part.
  @Test(arguments: DType.allCases)
  func streams(_ dtype: DType) throws {
    for lanes in MemoryTests.lanes {
      for (first, active) in [(0, lanes), (1, lanes), (lanes, max(1, lanes - 1))] {
        let loops = try buildLoops(memories(dtype, 4 * lanes, 5 * lanes)) {
          (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
          try builder.loop("i", to: LoopIndex(constant: 4 * lanes), step: lanes) {
            i throws(Diagnostic) in
            let value = builder.define(
              .load(LoopAccess(memory: 0, offset: i)), LoopType(dtype, lanes: lanes))
            let place = i + LoopIndex(constant: first)
            builder.store(
              value, LoopAccess(memory: 1, offset: place, active: active, isStreamed: true))
          }
        }
        try LoopsHarness(loops).check("stream \(active) of \(lanes) \(dtype) from \(first)")
      }
    }
  }

  @Test(arguments: DType.allCases)
  func shuffles(_ dtype: DType) throws {
    for lanes in [2, 4, 8, 16] {
      let type = LoopType(dtype, lanes: lanes)
      let loops = try buildLoops(memories(dtype, 2 * lanes, 2 * lanes)) {
        (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
        let a = builder.define(.load(LoopAccess(memory: 0, offset: 0)), type)
        let b = builder.define(
          .load(LoopAccess(memory: 0, offset: LoopIndex(constant: lanes))), type)
        let mixed = builder.define(
          .shuffle(a, b, lanes: (0..<lanes).map { $0 / 2 + $0 % 2 * lanes }), type)
        let turned = builder.define(
          .shuffle(b, a, lanes: (0..<lanes).map { 2 * lanes - 1 - $0 }), type)
        builder.store(mixed, LoopAccess(memory: 1, offset: 0))
        builder.store(turned, LoopAccess(memory: 1, offset: LoopIndex(constant: lanes)))
      }
      try LoopsHarness(loops).check("shuffle of \(lanes) \(dtype)")
    }
  }

  /// A prefetch of anything, even outside of the memory, changes nothing.
  @Test func prefetches() throws {
    let loops = try buildLoops(memories(.f32, 8, 8)) {
      (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
      for place in [0, 7, 4096, 1 << 30] { builder.prefetch(0, LoopIndex(constant: place)) }
      let value = builder.define(
        .load(LoopAccess(memory: 0, offset: 0)), LoopType(.f32, lanes: 8))
      builder.store(value, LoopAccess(memory: 1, offset: 0))
    }
    try LoopsHarness(loops).check("prefetch")
  }

  /// Masks from data; where they are false, neither load nor store may touch memory, even outside of it.
  @Test(arguments: DType.allCases)
  func masks(_ dtype: DType) throws {
    for lanes in MemoryTests.lanes {
      for stride in [1, 3] {
        let inside = 2 * lanes
        let loops = try buildLoops(
          memories(dtype, inside, inside)
            + [LoopMemory(name: "z", dtype: dtype, count: lanes, kind: .output)]
        ) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
          let type = LoopType(dtype, lanes: lanes)
          let (numbers, bools) = (LoopType(.i64, lanes: lanes), LoopType(.bool, lanes: lanes))
          // Lanes outside of the memory, and every second one, are masked off.
          let start = LoopIndex(constant: -2 * stride)
          let places = builder.define(.lanes(start, stride: stride), numbers)
          let zero = builder.define(.constant(0), numbers)
          let end = builder.define(.constant(UInt64(inside)), numbers)
          let one = builder.define(.constant(1), numbers)
          let isAfter = builder.define(.compare(.greaterEqual, places, zero), bools)
          let isBefore = builder.define(.compare(.less, places, end), bools)
          let parity = builder.define(.binary(.and, places, one), numbers)
          let isEven = builder.define(.compare(.equal, parity, zero), bools)
          let isInside = builder.define(.binary(.and, isAfter, isBefore), bools)
          let mask = builder.define(.binary(.and, isInside, isEven), bools)
          let value = builder.define(
            .load(LoopAccess(memory: 0, offset: start, stride: stride, mask: mask)), type)
          builder.store(value, LoopAccess(memory: 2, offset: 0))
          builder.store(
            value, LoopAccess(memory: 1, offset: start, stride: stride, mask: mask))
        }
        try LoopsHarness(loops).check("\(lanes) masked \(dtype), \(stride) apart")
      }
    }
  }

  /// A store of one lane of what was just made narrower, at the front and elsewhere, leaves all other elements.
  @Test(arguments: [
    (DType.f32, DType.bf16), (.f32, .f16), (.f64, .f32), (.i64, .i32), (.i64, .i8), (.i32, .i16),
    (.i32, .u8), (.i16, .i8),
  ])
  func oneLaneOfNarrowed(_ wide: DType, _ narrow: DType) throws {
    for lanes in MemoryTests.lanes {
      for lane in Set([0, lanes / 2, lanes - 1]) {
        let loops = try buildLoops([
          LoopMemory(name: "x", dtype: wide, count: lanes, kind: .input),
          LoopMemory(name: "y", dtype: narrow, count: 2 * lanes, kind: .output),
        ]) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
          let bools = LoopType(.bool, lanes: lanes)
          let numbers = LoopType(.i64, lanes: lanes)
          let value = builder.define(
            .load(LoopAccess(memory: 0, offset: 0)), LoopType(wide, lanes: lanes))
          let converted = builder.define(.convert(value), LoopType(narrow, lanes: lanes))
          let places = builder.define(.lanes(0, stride: 1), numbers)
          let place = builder.define(.constant(UInt64(lane)), numbers)
          let mask = builder.define(.compare(.equal, places, place), bools)
          builder.store(converted, LoopAccess(memory: 1, offset: 0, mask: mask))
          builder.store(
            converted, LoopAccess(memory: 1, offset: LoopIndex(constant: lanes), active: 1))
        }
        try LoopsHarness(loops).check("lane \(lane) of \(lanes), \(wide) to \(narrow)")
      }
    }
  }

  @Test(arguments: DType.allCases)
  func gathers(_ dtype: DType) throws {
    for lanes in MemoryTests.lanes {
      let loops = try buildLoops(
        memories(dtype, 40, 2 * lanes)
          + [LoopMemory(name: "p", dtype: .u8, count: lanes, kind: .input)]
      ) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
        let type = LoopType(dtype, lanes: lanes)
        let (numbers, bools) = (LoopType(.i64, lanes: lanes), LoopType(.bool, lanes: lanes))
        let bytes = builder.define(
          .load(LoopAccess(memory: 2, offset: 0)), LoopType(.u8, lanes: lanes))
        let wide = builder.define(.convert(bytes), numbers)
        let limit = builder.define(.constant(36), numbers)
        let rest = builder.define(.binary(.remainder, wide, limit), numbers)
        let all = builder.define(.gather(memory: 0, offset: 4, offsets: rest, mask: nil), type)
        builder.store(all, LoopAccess(memory: 1, offset: 0))
        let isSmall = builder.define(.compare(.less, wide, limit), bools)
        let some = builder.define(
          .gather(memory: 0, offset: 4, offsets: wide, mask: isSmall), type)
        builder.store(some, LoopAccess(memory: 1, offset: LoopIndex(constant: lanes)))
      }
      try LoopsHarness(loops).check("gather of \(lanes) \(dtype)")
    }
  }

  /// An output that takes over an input's buffer is read before it is written, element by element.
  @Test(arguments: [DType.f32, .i8, .f64])
  func inPlace(_ dtype: DType) throws {
    for lanes in MemoryTests.lanes {
      let loops = try buildLoops(memories(dtype, 16 * 9, 16 * 9)) {
        (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
        try builder.loop("i", to: 16 * 9, step: lanes, unroll: 3) {
          (at: LoopIndex) throws(Diagnostic) in
          let type = LoopType(dtype, lanes: lanes)
          let x = builder.define(.load(LoopAccess(memory: 0, offset: at)), type)
          let sum = builder.define(.binary(.add, x, x), type)
          builder.store(sum, LoopAccess(memory: 1, offset: at))
        }
      }
      try LoopsHarness(loops).check("in place, \(lanes) \(dtype)", aliased: [0: 1])
      try LoopsHarness(loops).check("apart, \(lanes) \(dtype)")
    }
  }

  /// Scratch of a worker and scratch shared between phases.
  @Test func scratch() throws {
    let builder = LoopsBuilder(
      name: "scratch", memories: memories(.f32, 4 * 24, 4 * 24))
    let own = builder.addMemory(LoopMemory(name: "own", dtype: .i16, count: 5, kind: .worker))
    let shared = builder.addMemory(
      LoopMemory(name: "shared", dtype: .f32, count: 4 * 24, kind: .shared))
    let worker = builder.addMemory(
      LoopMemory(name: "worker", dtype: .f32, count: 24, kind: .worker))
    let type = LoopType(.f32, lanes: 8)
    try builder.phase(taskCount: 4, workPerTask: 1) { (task: LoopIndex) throws(Diagnostic) in
      let mark = builder.define(.constant(7), LoopType(.i16))
      builder.store(mark, LoopAccess(memory: own, offset: 4))
      try builder.loop("i", to: 24, step: 8) { (at: LoopIndex) throws(Diagnostic) in
        let x = builder.define(.load(LoopAccess(memory: 0, offset: task * 24 + at)), type)
        builder.store(x, LoopAccess(memory: worker, offset: at))
      }
      try builder.loop("i", to: 24) { (at: LoopIndex) throws(Diagnostic) in
        let x = builder.define(
          .load(LoopAccess(memory: worker, offset: 23 - at)), LoopType(.f32))
        builder.store(x, LoopAccess(memory: shared, offset: task * 24 + at))
      }
    }
    try builder.phase(taskCount: 3, workPerTask: 1) { (task: LoopIndex) throws(Diagnostic) in
      try builder.loop("i", to: 32, step: 8) { (at: LoopIndex) throws(Diagnostic) in
        let x = builder.define(.load(LoopAccess(memory: shared, offset: task * 32 + at)), type)
        builder.store(x, LoopAccess(memory: 1, offset: task * 32 + at))
      }
    }
    try LoopsHarness(builder.loops).check("scratch")
    #expect(builder.loops.workerScratchBytes == 64 + 128)
    #expect(builder.loops.sharedScratchBytes == 4 * 24 * 4)
    #expect(builder.loops.scratchOffset(of: worker) == 64)
  }
}
