import GraphIR
import LoopIR
import Lowering
import Testing

/// Machines whose caches are so small that little tensors are large.
private let smallCaches = scheduleTargets.map { target in
  Target(
    vectorBytes: target.vectorBytes, vectorRegisters: target.vectorRegisters,
    firstLevelCacheBytes: 1 << 10, secondLevelCacheBytes: 2 << 10, lastLevelCacheBytes: 4 << 10)
}

@Suite("Schedules for memory")
struct ScheduleMemoryTests {
  @Test(arguments: [DType.f32, .f64, .bf16, .i8])
  func transposes(dtype: DType) throws {
    for (rows, columns) in [(16, 16), (8, 33), (40, 24), (19, 130), (200, 9), (3, 50), (50, 2)] {
      var maker = KernelMaker("transpose")
      let (r, c) = (maker.dimension("r", columns), maker.dimension("c", rows))
      let x = maker.input(dtype, [rows, columns])
      let out = maker.output(dtype, [columns, rows])
      maker.kernel.outer = [r, c]
      maker.stage(out, [at(r), at(c)], .map, [load(x, [at(c), at(r)], dtype)])
      try checkSchedule(maker, tolerance: 0)
      try checkSchedule(maker, tolerance: 0, targets: smallCaches)
    }
  }

  /// Channels go from last to second, while another operand is read in the order of the result.
  @Test(arguments: [(2, 5, 19), (3, 24, 16), (1, 17, 70)])
  func layoutChanges(batch: Int, channels: Int, points: Int) throws {
    var maker = KernelMaker("layout")
    let (n, c) = (maker.dimension("n", batch), maker.dimension("c", channels))
    let p = maker.dimension("p", points)
    let x = maker.input(.f32, [batch, points, channels])
    let y = maker.input(.f32, [batch, channels, points])
    let out = maker.output(.f32, [batch, channels, points])
    maker.kernel.outer = [n, c, p]
    maker.stage(
      out, [at(n), at(c), at(p)], .map,
      [
        load(x, [at(n), at(p), at(c)]), load(y, [at(n), at(c), at(p)]),
        ScalarInstruction(.binary(.subtract), [0, 1], .f32),
      ])
    try checkSchedule(maker, tolerance: 0)
    try checkSchedule(maker, tolerance: 0, targets: smallCaches)
  }

  /// What no cache holds is put together in scratch by blocks, of which the last ones may be smaller, and then streamed,
  /// while the next block is asked for.
  @Test(arguments: [(2, 24, 70), (1, 19, 130), (1, 70, 24)], [DType.f32, .f64, .bf16, .i8])
  func gathersWhatIsTransposed(extents: (Int, Int, Int), dtype: DType) throws {
    let (batch, channels, points) = extents
    var maker = KernelMaker("layout")
    let (n, c) = (maker.dimension("n", batch), maker.dimension("c", channels))
    let p = maker.dimension("p", points)
    let x = maker.input(dtype, [batch, points, channels])
    let out = maker.output(dtype, [batch, channels, points])
    let twice = maker.output(dtype, [batch, channels, points])
    maker.kernel.outer = [n, c, p]
    let loads = load(x, [at(n), at(p), at(c)], dtype)
    maker.stage(out, [at(n), at(c), at(p)], .map, [loads])
    maker.stage(
      twice, [at(n), at(c), at(p)], .map,
      [loads, ScalarInstruction(.binary(.add), [0, 0], dtype)])
    try checkSchedule(maker, tolerance: 0, targets: smallCaches)
    guard dtype == .f32, points > 64 else { return }
    let text = try schedule(maker.finished, for: smallCaches[1]).description
    #expect(text.contains("worker block") && text.contains("prefetch p0["), "\(text)")
    #expect(text.contains("stream %"), "\(text)")
  }

  /// Rows that change places are streamed in the order in which they are read, but not where a second operand lies
  /// as the result.
  @Test(arguments: [false, true])
  func readsRowsInOrder(hasSecond: Bool) throws {
    var maker = KernelMaker("heads")
    let (h, w) = (maker.dimension("h", 5), maker.dimension("w", 7))
    let c = maker.dimension("c", 64)
    let x = maker.input(.f32, [7, 5, 64])
    let y = maker.input(.f32, [5, 7, 64])
    let out = maker.output(.f32, [5, 7, 64])
    maker.kernel.outer = [h, w, c]
    let first = load(x, [at(w), at(h), at(c)])
    let loads = [first, hasSecond ? load(y, [at(h), at(w), at(c)]) : first]
    maker.stage(
      out, [at(h), at(w), at(c)], .map, loads + [ScalarInstruction(.binary(.add), [0, 1], .f32)])
    try checkSchedule(maker, tolerance: 0, targets: smallCaches)
    let text = try schedule(maker.finished, for: smallCaches[1]).description
    let places = ["for w in", "for h in"].map {
      text.firstRange(of: $0)?.lowerBound ?? text.endIndex
    }
    #expect((places[0] < places[1]) == !hasSecond, "\(text)")
  }

  /// A transpose loads and stores whole vectors, and moves lanes in registers.
  @Test func transposesInRegisters() throws {
    var maker = KernelMaker("transpose")
    let (r, c) = (maker.dimension("r", 64), maker.dimension("c", 32))
    let x = maker.input(.f32, [32, 64])
    let out = maker.output(.f32, [64, 32])
    maker.kernel.outer = [r, c]
    maker.stage(out, [at(r), at(c)], .map, [load(x, [at(c), at(r)])])
    for target in scheduleTargets {
      let text = try schedule(maker.finished, for: target).description
      #expect(text.contains("shuffle") && !text.contains("] by "), "\(text)")
    }
  }

  /// Columns longer than the caches are folded in the order of memory, and what follows sees all of them.
  @Test(arguments: [ReduceFunction.sum, .max], [DType.f32, .f16, .i32])
  func longColumns(function: ReduceFunction, dtype: DType) throws {
    for (rows, columns) in [(64, 40), (70, 67), (65, 129), (300, 16), (67, 300)] {
      var maker = KernelMaker("columns")
      let (c, r) = (maker.dimension("c", columns), maker.dimension("r", rows))
      let x = maker.input(dtype, [rows, columns])
      let out = maker.output(dtype, [columns])
      let sum = maker.local(dtype)
      maker.kernel.outer = [c]
      maker.stage(sum, [], .fold(function, over: [r]), [load(x, [at(r), at(c)], dtype)])
      maker.stage(
        out, [at(c)], .map,
        [load(sum, [], dtype), ScalarInstruction(.binary(.add), [0, 0], dtype)])
      let tolerance = dtype == .f16 ? 2e-2 : 1e-4
      try checkSchedule(maker, tolerance: tolerance, targets: smallCaches)
    }
  }

  /// Two sums over the same rows, one of them stored at once, are folded in one pass.
  @Test(arguments: [(80, 48), (71, 131), (64, 200)])
  func twoColumnSums(rows: Int, columns: Int) throws {
    var maker = KernelMaker("sums")
    let (c, r) = (maker.dimension("c", columns), maker.dimension("r", rows))
    let x = maker.input(.f32, [rows, columns])
    let y = maker.input(.f32, [rows, columns])
    let (first, second) = (maker.output(.f32, [columns]), maker.output(.f32, [columns]))
    let sum = maker.local(.f32)
    maker.kernel.outer = [c]
    maker.stage(first, [at(c)], .fold(.sum, over: [r]), [load(x, [at(r), at(c)])])
    maker.stage(
      sum, [], .fold(.sum, over: [r]),
      [
        load(x, [at(r), at(c)]), load(y, [at(r), at(c)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    maker.stage(
      second, [at(c)], .map,
      [load(sum, []), ScalarInstruction(.unary(.negate), [0], .f32)])
    try checkSchedule(maker, tolerance: 1e-4, targets: smallCaches)
    try checkSchedule(maker, tolerance: 1e-4)
  }

  /// Long sums of few results are split in parts, all of them together.
  @Test func splitsSeveralSums() throws {
    let (rows, columns) = (8192, 80)
    var maker = KernelMaker("sums")
    let (c, r) = (maker.dimension("c", columns), maker.dimension("r", rows))
    let x = maker.input(.f32, [rows, columns])
    let outputs = [maker.output(.f32, [columns]), maker.output(.f32, [columns])]
    maker.kernel.outer = [c]
    maker.stage(outputs[0], [at(c)], .fold(.sum, over: [r]), [load(x, [at(r), at(c)])])
    maker.stage(
      outputs[1], [at(c)], .fold(.max, over: [r]),
      [load(x, [at(r), at(c)]), ScalarInstruction(.unary(.abs), [0], .f32)])
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    #expect(loops.phases.count == 2)
    try checkSchedule(maker, tolerance: 1e-4, targets: [scheduleTargets[1]])
  }

  /// Long rows that are needed again after they were summed are read in one phase, where there are enough of them.
  @Test func rowsStayWhole() throws {
    let (rows, columns) = (64, 4096)
    var maker = KernelMaker("rows")
    let (r, c) = (maker.dimension("r", rows), maker.dimension("c", columns))
    let x = maker.input(.f32, [rows, columns])
    let out = maker.output(.f32, [rows, columns])
    let sum = maker.local(.f32)
    maker.kernel.outer = [r]
    maker.stage(sum, [], .fold(.sum, over: [c]), [load(x, [at(r), at(c)])])
    maker.stage(
      out, [at(r), at(c)], over: [c], .map,
      [
        load(x, [at(r), at(c)]), load(sum, []),
        ScalarInstruction(.binary(.subtract), [0, 1], .f32),
      ])
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    #expect(loops.phases.count == 1, "\(loops)")
    try checkSchedule(maker, tolerance: 1e-3, targets: [scheduleTargets[1]])
  }

  /// Rows of a middle axis that come from memory are read in their order, however few there are at each place.
  @Test func middleAxesInTheOrderOfMemory() throws {
    var maker = KernelMaker("middle")
    let (n, c) = (maker.dimension("n", 16), maker.dimension("c", 256))
    let r = maker.dimension("r", 64)
    let x = maker.input(.f32, [16, 64, 256])
    let out = maker.output(.f32, [16, 256])
    maker.kernel.outer = [n, c]
    maker.stage(out, [at(n), at(c)], .fold(.sum, over: [r]), [load(x, [at(n), at(r), at(c)])])
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    #expect(loops.memories.contains { $0.name == "sums0" }, "\(loops)")
    try checkSchedule(maker)
  }

  /// What no cache holds is stored past them, and only that.
  @Test func streamsWhatIsLarge() throws {
    for (extent, isStreamed) in [(1 << 12, true), (64, false)] {
      var maker = KernelMaker("copy")
      let n = maker.dimension("n", extent)
      let x = maker.input(.f32, [extent])
      let out = maker.output(.f32, [extent])
      maker.kernel.outer = [n]
      maker.stage(
        out, [at(n)], .map, [load(x, [at(n)]), ScalarInstruction(.unary(.negate), [0], .f32)])
      try checkSchedule(maker, targets: smallCaches)
      let text = try schedule(maker.finished, for: smallCaches[1]).description
      #expect(text.contains("stream %") == isStreamed, "\(text)")
    }
  }

  /// A kernel of windows of three rows and columns, every other one: sums, or products with a filter.
  private func windows(channels: Int, hasFilter: Bool) -> KernelMaker {
    var maker = KernelMaker("windows")
    let (n, h) = (maker.dimension("n", 1), maker.dimension("h", 2))
    let (w, c) = (maker.dimension("w", 20), maker.dimension("c", channels))
    let (i, j) = (maker.dimension("i", 3), maker.dimension("j", 3))
    let x = maker.input(.f32, [1, 4, 40, channels])
    let filter = maker.input(.f32, [3, 3, channels])
    let out = maker.output(.f32, [1, 2, 20, channels])
    let sum = maker.local(.f32)
    maker.kernel.outer = [n, h, w, c]
    let places = [at(h) * 2 + at(i) - 1, at(w) * 2 + at(j) - 1]
    var body = [
      ScalarInstruction(.constant(0), [], .f32),
      load(
        x, [at(n)] + places + [at(c)],
        guards: [IndexGuard(places[0], below: 4), IndexGuard(places[1], below: 40)], otherwise: [0]),
    ]
    if hasFilter {
      body += [
        load(filter, [at(i), at(j), at(c)]), ScalarInstruction(.binary(.multiply), [1, 2], .f32),
      ]
    }
    maker.stage(sum, [], .fold(.sum, over: [i, j]), body)
    maker.stage(out, [at(n), at(h), at(w), at(c)], .map, [load(sum, [])])
    return maker
  }

  /// Windows pass by rows of memory; but where neither they nor a filter stay in the first-level cache, by lines.
  @Test(arguments: [(40, false), (40, true), (19, false), (160, true), (160, false)])
  func windowsPassByRows(channels: Int, hasFilter: Bool) throws {
    let maker = windows(channels: channels, hasFilter: hasFilter)
    try checkSchedule(maker)
    try checkSchedule(maker, targets: smallCaches)
    let target = Target(
      vectorBytes: 32, vectorRegisters: 16, firstLevelCacheBytes: 18 << 10,
      secondLevelCacheBytes: 128 << 10, lastLevelCacheBytes: 1 << 20)
    try checkSchedule(maker, targets: [target])
    let text = try schedule(maker.finished, for: target).description
    #expect(hasLoop("w", inside: "c", text) == (channels == 160 && hasFilter), "\(text)")
  }

  /// Whether a loop over a dimension lies inside of one over another.
  private func hasLoop(_ inner: String, inside outer: String, _ text: String) -> Bool {
    var depth: Int?
    for line in text.split(separator: "\n") {
      let indent = line.prefix { $0 == " " }.count
      if let open = depth, indent <= open { depth = nil }
      if depth == nil, line.dropFirst(indent).hasPrefix("for \(outer)") { depth = indent }
      if depth != nil, line.dropFirst(indent).hasPrefix("for \(inner)") { return true }
    }
    return false
  }
}
