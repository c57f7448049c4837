import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// Loops, conditionals, indices, variables and tasks, against the evaluator.
@Suite struct ControlTests {
  private let output = LoopMemory(name: "y", dtype: .i64, count: 400, kind: .output)

  /// Stores a number at a place of the output that is used once.
  private func store(_ builder: LoopsBuilder, _ value: LoopIndex, at place: LoopIndex) {
    let register = builder.define(.index(value), LoopType(.i64))
    builder.store(register, LoopAccess(memory: 0, offset: place))
  }

  @Test(arguments: [1, 2, 3, 4, 8], [0, 1, 2, 3, 5, 7, 8, 9, 16, 17])
  func constantLoops(_ unroll: Int, _ end: Int) throws {
    for step in [1, 2, 3] {
      let loops = try buildLoops([output]) {
        (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
        // One turn more than the builder takes for a body without a loop.
        try builder.loop("o", to: 2) { (outer: LoopIndex) throws(Diagnostic) in
          try builder.loop("i", from: -1, to: LoopIndex(constant: end), step: step, unroll: unroll)
          {
            (at: LoopIndex) throws(Diagnostic) in
            store(builder, at * 3 + outer, at: outer * 100 + at + 1)
          }
        }
      }
      try LoopsHarness(loops).check("to \(end) by \(step), unrolled \(unroll)")
    }
  }

  @Test(arguments: [1, 2, 4])
  func loopsWithBoundsOfOtherLoops(_ unroll: Int) throws {
    for step in [1, 3] {
      let loops = try buildLoops([output]) {
        (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
        try builder.loop("o", to: 12) { (outer: LoopIndex) throws(Diagnostic) in
          try builder.loop(
            "i", from: outer * 2 - 6, to: outer + 3, step: step, unroll: unroll
          ) { (at: LoopIndex) throws(Diagnostic) in
            store(builder, at + outer * 7, at: outer * 30 + at + 6)
          }
        }
      }
      try LoopsHarness(loops).check("by \(step), unrolled \(unroll)")
    }
  }

  @Test(arguments: [1, 2, 3, 5, 8, 28, 64, 1000])
  func quotientsAndRemainders(_ divisor: Int) throws {
    let loops = try buildLoops([output]) {
      (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
      for (part, start) in [-150, 0].enumerated() {
        try builder.loop("i", to: 90) { (i: LoopIndex) throws(Diagnostic) in
          let x = i * 5 + LoopIndex(constant: start)
          let quotient = LoopIndex(terms: [LoopIndex.Term(.quotient(x, divisor), 1)])
          let remainder = LoopIndex(terms: [LoopIndex.Term(.remainder(x, divisor), 1)])
          let nested = LoopIndex(terms: [LoopIndex.Term(.quotient(remainder + 1, 2), 3)])
          let place = i + LoopIndex(constant: part * 180)
          store(builder, quotient * 10_000 + remainder, at: place)
          store(builder, nested - 1, at: place + 90)
        }
      }
    }
    try LoopsHarness(loops).check("by \(divisor)")
  }

  @Test func indicesFromRegisters() throws {
    let loops = try buildLoops(
      [output, LoopMemory(name: "x", dtype: .u8, count: 30, kind: .input)]
    ) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
      try builder.loop("i", to: 30, unroll: 4) { (i: LoopIndex) throws(Diagnostic) in
        let byte = builder.define(.load(LoopAccess(memory: 1, offset: i)), LoopType(.u8))
        let wide = builder.define(.convert(byte), LoopType(.i64))
        let x = LoopIndex.register(wide) - 100
        let rest = LoopIndex(terms: [LoopIndex.Term(.remainder(x, 13), 1)])
        store(builder, x * 2 + i, at: i * 13 + rest)
      }
    }
    try LoopsHarness(loops).check("registers as indices")
  }

  @Test func variablesAndConditionals() throws {
    let loops = try buildLoops(
      [output, LoopMemory(name: "x", dtype: .i32, count: 64, kind: .input)]
    ) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
      let type = LoopType(.i32, lanes: 8)
      let (sum, count) = (builder.makeVariable(type), builder.makeVariable(LoopType(.i64)))
      builder.assign(sum, builder.define(.constant(0), type))
      builder.assign(count, builder.define(.constant(0), LoopType(.i64)))
      try builder.loop("i", to: 64, step: 8, unroll: 3) { (i: LoopIndex) throws(Diagnostic) in
        let x = builder.define(.load(LoopAccess(memory: 1, offset: i)), type)
        builder.assign(sum, builder.define(.binary(.add, builder.read(sum), x), type))
        let first = builder.define(.extract(x, lane: 5), LoopType(.i32))
        let zero = builder.define(.constant(0), LoopType(.i32))
        let isPositive = builder.define(.compare(.greater, first, zero), LoopType(.bool))
        try builder.conditional(isPositive) { () throws(Diagnostic) in
          let one = builder.define(.constant(1), LoopType(.i64))
          builder.assign(
            count, builder.define(.binary(.add, builder.read(count), one), LoopType(.i64)))
        } otherwise: { () throws(Diagnostic) in
          builder.store(
            builder.define(.index(i), LoopType(.i64)), LoopAccess(memory: 0, offset: i + 100))
        }
      }
      for (place, function) in ReduceFunction.allCases.enumerated() {
        let total = builder.define(.reduceLanes(function, builder.read(sum)), LoopType(.i32))
        builder.store(
          builder.define(.convert(total), LoopType(.i64)),
          LoopAccess(memory: 0, offset: LoopIndex(constant: place)))
      }
      builder.store(builder.read(count), LoopAccess(memory: 0, offset: 10))
    }
    try LoopsHarness(loops).check("variables")
  }

  @Test func tasks() throws {
    let loops = try buildLoops([output], tasks: 37) { builder, task in
      store(builder, task * task.terms.count + 5, at: task * 2)
    }
    try LoopsHarness(loops).check("tasks")
  }

  /// The tree of lane reductions: floats tell one order from another.
  @Test(arguments: [DType.f32, .f64, .f16, .bf16, .u16, .i64])
  func laneReductions(_ dtype: DType) throws {
    for lanes in [1, 2, 4, 8, 16, 32] {
      for function in ReduceFunction.allCases {
        let loops = try buildLoops([
          LoopMemory(name: "y", dtype: dtype, count: 4, kind: .output),
          LoopMemory(name: "x", dtype: dtype, count: 4 * lanes, kind: .input),
        ]) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
          try builder.loop("i", to: 4) { (i: LoopIndex) throws(Diagnostic) in
            let x = builder.define(
              .load(LoopAccess(memory: 1, offset: i * lanes)), LoopType(dtype, lanes: lanes))
            let total = builder.define(.reduceLanes(function, x), LoopType(dtype))
            builder.store(total, LoopAccess(memory: 0, offset: i))
          }
        }
        try LoopsHarness(loops).check("\(function) of \(lanes) \(dtype)")
      }
    }
  }

  @Test(arguments: DType.allCases)
  func broadcastAndExtract(_ dtype: DType) throws {
    for lanes in [1, 4, 16] {
      let loops = try buildLoops([
        LoopMemory(name: "y", dtype: dtype, count: 2 * lanes, kind: .output),
        LoopMemory(name: "x", dtype: dtype, count: lanes, kind: .input),
      ]) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
        let type = LoopType(dtype, lanes: lanes)
        let x = builder.define(.load(LoopAccess(memory: 1, offset: 0)), type)
        let last = builder.define(.extract(x, lane: lanes - 1), LoopType(dtype))
        builder.store(
          builder.define(.broadcast(last), type), LoopAccess(memory: 0, offset: 0))
        let bits = dtype == .bool ? 1 : dtype == .f16 ? 0xBC01 : UInt64(0x7FC0_3F81_4049_0FDB)
        let mask = dtype.bitCount == 64 ? UInt64.max : (1 << UInt64(dtype.bitCount)) - 1
        builder.store(
          builder.define(.constant(bits & mask), type),
          LoopAccess(memory: 0, offset: LoopIndex(constant: lanes)))
      }
      try LoopsHarness(loops).check("\(lanes) \(dtype)")
    }
  }

  @Test func malformedLoopsAreDiagnosed() throws {
    var loops = try buildLoops([output]) { builder, _ in store(builder, 1, at: 0) }
    loops.phases[0].body.reverse()
    #expect(throws: Diagnostic.self) { try JITLibrary([loops], options: CodeOptions()) }
    loops.phases[0].body = [
      .store(LoopAccess(memory: 9, offset: 0), RegisterID(0))
    ]
    #expect(throws: Diagnostic.self) { try JITLibrary([loops], options: CodeOptions()) }
  }
}
