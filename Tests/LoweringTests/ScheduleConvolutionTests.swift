import GraphIR
import LoopIR
import Lowering
import Testing

/// Convolutions with few channels in each group, and the gradients of their filters.
@Suite("Schedules of grouped convolutions")
struct ScheduleConvolutionTests {
  /// How often loops load a parameter, and how many products they sum, as written.
  private func counts(_ loops: Loops, _ parameter: Int) -> (loads: Int, products: Int) {
    var (loads, products) = (0, 0)
    func count(_ statements: [LoopStatement]) {
      for statement in statements {
        switch statement {
        case .define(_, .load(let access)):
          if access.memory == parameter { loads += 1 }
        case .define(_, .multiplyAdd): products += 1
        case .define, .assign, .store, .prefetch: break
        case .loop(_, _, _, _, _, let body): count(body)
        case .conditional(_, let then, let otherwise): count(then + otherwise)
        }
      }
    }
    for phase in loops.phases { count(phase.body) }
    return (loads, products)
  }

  /// A filter of its own for each channel: neighbouring points share what they read, also those of the last tile.
  @Test(arguments: [(3, 1, 1), (3, 2, 1), (3, 3, 1), (5, 1, 2), (7, 1, 1), (2, 4, 3)])
  func depthwise(size: Int, stride: Int, dilation: Int) throws {
    var maker = KernelMaker("depthwise")
    let (h, w) = (maker.dimension("h", 3), maker.dimension("w", 7))
    let c = maker.dimension("c", 19)
    let (i, j) = (maker.dimension("i", size), maker.dimension("j", size))
    let more = (size - 1) * dilation + 1
    let x = maker.input(.f32, [2 * stride + more, 6 * stride + more, 19])
    let filter = maker.input(.f32, [size, size, 19])
    let out = maker.output(.f32, [3, 7, 19])
    maker.kernel.outer = [h, w, c]
    maker.stage(
      out, [at(h), at(w), at(c)], .fold(.sum, over: [i, j]),
      [
        load(
          x, [at(h) * stride + at(i) * dilation, at(w) * stride + at(j) * dilation, at(c)]),
        load(filter, [at(i), at(j), at(c)]), ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    try checkSchedule(maker)
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    let (loads, products) = counts(loops, 1)
    #expect(2 * loads <= products, "several points share an element of the filter")
    if stride < size, dilation == 1 {
      let (loads, products) = counts(loops, 0)
      #expect(loads < products, "neighbours share elements of the input")
    }
  }

  /// Windows that reach beyond the input: points inside of it check nothing, wherever the tasks begin.
  @Test(arguments: [
    (3, 1, 1, 1), (3, 1, 0, 1), (3, 2, 1, 1), (5, 1, 2, 1), (3, 1, 2, 2), (2, 3, 1, 1),
    (7, 1, 3, 1),
  ])
  func paddedDepthwise(size: Int, stride: Int, before: Int, dilation: Int) throws {
    for (images, height, width, channels) in [(3, 19, 23, 21), (1, 4, 6, 40), (1, 1, 9, 8)] {
      var maker = KernelMaker("padded")
      let more = (size - 1) * dilation + 1
      let (rows, columns) = (
        (height + 2 * before - more) / stride + 1, (width + before + 1 - more) / stride + 1
      )
      guard rows > 0, columns > 0 else { continue }
      let (n, h) = (maker.dimension("n", images), maker.dimension("h", rows))
      let (w, c) = (maker.dimension("w", columns), maker.dimension("c", channels))
      let (i, j) = (maker.dimension("i", size), maker.dimension("j", size))
      let x = maker.input(.f32, [images, height, width, channels])
      let filter = maker.input(.f32, [size, size, channels])
      let out = maker.output(.f32, [images, rows, columns, channels])
      let y = at(h) * stride + at(i) * dilation - IndexExpression(constant: before)
      let z = at(w) * stride + at(j) * dilation - IndexExpression(constant: before)
      maker.kernel.outer = [n, h, w, c]
      maker.stage(
        out, [at(n), at(h), at(w), at(c)], .fold(.sum, over: [i, j]),
        [
          ScalarInstruction(.constant(0), [], .f32),
          load(
            x, [at(n), y, z, at(c)],
            guards: [IndexGuard(y, below: height), IndexGuard(z, below: width)], otherwise: [0]),
          load(filter, [at(i), at(j), at(c)]),
          ScalarInstruction(.binary(.multiply), [1, 2], .f32),
        ])
      try checkSchedule(maker)
      let far = Target(
        vectorBytes: 32, vectorRegisters: 16, firstLevelCacheBytes: 2 << 10,
        secondLevelCacheBytes: 16 << 10)
      try checkSchedule(maker, targets: [far])
      guard size == 3, stride == 1, before == 1, images == 3 else { continue }
      for target in [scheduleTargets[1], far] {
        let loops = try schedule(maker.finished, for: target)
        #expect(loops.phases[0].taskCount > 1)
        #expect(!loops.description.contains("mask"))
      }
    }
  }

  /// A filter's gradient of windows that reach beyond the image: it is read row by row, by all channels in turn, and in
  /// the middle of it nothing is checked.
  @Test(arguments: [(3, 1, 1), (3, 2, 1), (5, 1, 2), (4, 2, 1)])
  func paddedFilterGradient(size: Int, stride: Int, before: Int) throws {
    for (images, height, width, channels) in [(2, 12, 42, 21), (4, 48, 36, 17)] {
      if images == 4, size > 3 { continue }
      var maker = KernelMaker("gradient")
      let (rows, columns) = (
        (height + 2 * before - size) / stride + 1, (width + 2 * before - size) / stride + 1
      )
      let (i, j) = (maker.dimension("i", size), maker.dimension("j", size))
      let (c, n) = (maker.dimension("c", channels), maker.dimension("n", images))
      let (h, w) = (maker.dimension("h", rows), maker.dimension("w", columns))
      let x = maker.input(.f32, [images, height, width, channels])
      let gradient = maker.input(.f32, [images, rows, columns, channels])
      let out = maker.output(.f32, [size, size, channels])
      let y = at(h) * stride + at(i) - IndexExpression(constant: before)
      let z = at(w) * stride + at(j) - IndexExpression(constant: before)
      maker.kernel.outer = [i, j, c]
      maker.stage(
        out, [at(i), at(j), at(c)], .fold(.sum, over: [n, h, w]),
        [
          ScalarInstruction(.constant(0), [], .f32),
          load(
            x, [at(n), y, z, at(c)],
            guards: [IndexGuard(y, below: height), IndexGuard(z, below: width)], otherwise: [0]),
          load(gradient, [at(n), at(h), at(w), at(c)]),
          ScalarInstruction(.binary(.multiply), [1, 2], .f32),
        ])
      let near = scheduleTargets[1]
      let far = Target(
        vectorBytes: 32, vectorRegisters: 16, firstLevelCacheBytes: 2 << 10,
        secondLevelCacheBytes: 16 << 10)
      try checkSchedule(maker, tolerance: 1e-3, targets: [near, far])
      let loops = try schedule(maker.finished, for: far)
      #expect(loops.memories.contains { $0.name == "sums0" })
    }
  }

  /// The gradient of a filter of few channels: its rows stay in the cache where they lie, and the last tile is smaller.
  @Test(arguments: [(1, 21), (2, 16)])
  func blocksInPlace(stride: Int, outputs: Int) throws {
    var maker = KernelMaker("place")
    let (h, w) = (maker.dimension("h", 2), maker.dimension("w", 2))
    let (c, o) = (maker.dimension("c", 19), maker.dimension("o", outputs))
    let (i, j) = (maker.dimension("i", 6), maker.dimension("j", 67))
    let x = maker.input(.f32, [stride * 6 + 1, stride * 67 + 1, 19])
    let gradient = maker.input(.f32, [6, 67, outputs])
    let out = maker.output(.f32, [2, 2, 19, outputs])
    maker.kernel.outer = [h, w, c, o]
    maker.stage(
      out, [at(h), at(w), at(c), at(o)], .fold(.sum, over: [i, j]),
      [
        load(x, [at(i) * stride + at(h), at(j) * stride + at(w), at(c)]),
        load(gradient, [at(i), at(j), at(o)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    let target = Target(
      vectorBytes: 32, vectorRegisters: 16, firstLevelCacheBytes: 12 << 10,
      secondLevelCacheBytes: 64 << 10)
    let loops = try schedule(maker.finished, for: target)
    let names = Set(loops.memories.map(\.name))
    #expect(names.contains("sums") && names.isDisjoint(with: ["rows", "panels"]), "\(names)")
    try checkSchedule(maker, tolerance: 1e-4, targets: [target])
  }

  /// The filter's gradient: the taps share the results' gradient, and each part of the sum stays in a cache.
  @Test(arguments: [(3, 1), (5, 2), (7, 1)])
  func depthwiseFilterGradient(size: Int, stride: Int) throws {
    var maker = KernelMaker("gradient")
    let (i, j) = (maker.dimension("i", size), maker.dimension("j", size))
    let c = maker.dimension("c", 13)
    let (n, h, w) = (maker.dimension("n", 4), maker.dimension("h", 24), maker.dimension("w", 25))
    let x = maker.input(.f32, [4, 23 * stride + size, 24 * stride + size, 13])
    let gradient = maker.input(.f32, [4, 24, 25, 13])
    let out = maker.output(.f32, [size, size, 13])
    maker.kernel.outer = [i, j, c]
    maker.stage(
      out, [at(i), at(j), at(c)], .fold(.sum, over: [n, h, w]),
      [
        load(x, [at(n), at(h) * stride + at(i), at(w) * stride + at(j), at(c)]),
        load(gradient, [at(n), at(h), at(w), at(c)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    try checkSchedule(maker, tolerance: 1e-3)
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    let (loads, products) = counts(loops, 1)
    #expect(3 * loads <= products)
    try #require(loops.phases.count == 2)
    // The images, and then rows of each.
    let parts = try #require(loops.memories.first { $0.name == "parts" })
    #expect(parts.count > 4 * size * size * 13)
  }

  /// Groups with few results lie side by side in vectors, also where one has lanes of parts of groups.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 12, 13], [1, 3, 4])
  func fewResults(results: Int, channels: Int) throws {
    for dtype in [DType.f32, .f64, .bf16, .i32] {
      let maker = grouped(groups: 11, channels: channels, results: results, dtype)
      try checkSchedule(maker, tolerance: dtype == .bf16 ? 5e-2 : 1e-4)
      guard dtype == .f32, channels == 1, 2...4 ~= results else { continue }
      let loops = try schedule(maker.finished, for: scheduleTargets[1]).description
      #expect(loops.contains("shuffle"))
    }
  }

  /// The gradient of the filters of groups: taps slide over what they read, and each vector has the results of several
  /// groups.
  @Test(arguments: [
    (2, 2, 7, 1), (3, 4, 3, 1), (6, 1, 3, 2), (12, 4, 3, 1), (1, 1, 5, 1), (5, 3, 2, 1),
  ])
  func groupedFilterGradient(results: Int, channels: Int, size: Int, stride: Int) throws {
    let groups = 6
    var maker = KernelMaker("gradient")
    let (i, j) = (maker.dimension("i", size), maker.dimension("j", size))
    let (k, o) = (maker.dimension("k", channels), maker.dimension("o", groups * results))
    let (n, h, w) = (maker.dimension("n", 2), maker.dimension("h", 5), maker.dimension("w", 23))
    let x = maker.input(
      .f32, [2, 4 * stride + size, 22 * stride + size, groups * channels])
    let gradient = maker.input(.f32, [2, 5, 23, groups * results])
    let out = maker.output(.f32, [size, size, channels, groups * results])
    let group = at(o).quotient(by: results, in: maker.kernel.bounds)
    maker.kernel.outer = [i, j, k, o]
    maker.stage(
      out, [at(i), at(j), at(k), at(o)], .fold(.sum, over: [n, h, w]),
      [
        load(
          x,
          [at(n), at(h) * stride + at(i), at(w) * stride + at(j), group * channels + at(k)]),
        load(gradient, [at(n), at(h), at(w), at(o)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    try checkSchedule(maker, tolerance: 1e-3)
  }

  /// Inputs of a group that are neighbours in memory: vectors go along the groups, and take every second element.
  @Test(arguments: [2, 3, 7])
  func neighboursOfGroups(channels: Int) throws {
    var maker = KernelMaker("groups")
    let (h, w) = (maker.dimension("h", 5), maker.dimension("w", 17))
    let c = maker.dimension("c", 19)
    let (i, j) = (maker.dimension("i", 3), maker.dimension("j", 3))
    let k = maker.dimension("k", channels)
    let x = maker.input(.f32, [7, 19, 19 * channels])
    let filter = maker.input(.f32, [3, 3, 19 * channels])
    let out = maker.output(.f32, [5, 17, 19])
    maker.kernel.outer = [h, w, c]
    let place = at(c) * channels + at(k)
    maker.stage(
      out, [at(h), at(w), at(c)], .fold(.sum, over: [i, j, k]),
      [
        load(x, [at(h) + at(i), at(w) + at(j), place]), load(filter, [at(i), at(j), place]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    try checkSchedule(maker)
    guard channels == 2 else { return }
    let loops = try schedule(maker.finished, for: scheduleTargets[1]).description
    #expect(loops.contains("by 2") && !loops.contains("by 38"))
  }

  private func grouped(
    groups: Int, channels: Int, results: Int, _ dtype: DType
  ) -> KernelMaker {
    var maker = KernelMaker("grouped")
    let (h, w) = (maker.dimension("h", 3), maker.dimension("w", 6))
    let o = maker.dimension("o", groups * results)
    let (i, j) = (maker.dimension("i", 3), maker.dimension("j", 2))
    let k = maker.dimension("k", channels)
    let x = maker.input(dtype, [5, 7, groups * channels])
    let filter = maker.input(dtype, [3, 2, channels, groups * results])
    let bias = maker.input(dtype, [groups * results])
    let out = maker.output(dtype, [3, 6, groups * results])
    let wide = dtype == .bf16 ? DType.f32 : dtype
    let sum = maker.local(wide)
    maker.kernel.outer = [h, w, o]
    let group = at(o).quotient(by: results, in: maker.kernel.bounds)
    var product = [
      load(x, [at(h) + at(i), at(w) + at(j), group * channels + at(k)], dtype),
      load(filter, [at(i), at(j), at(k), at(o)], dtype),
    ]
    if wide != dtype {
      product += [
        ScalarInstruction(.convert, [0], wide), ScalarInstruction(.convert, [1], wide),
      ]
    }
    product.append(
      ScalarInstruction(.binary(.multiply), [product.count - 2, product.count - 1], wide))
    maker.stage(sum, [], .fold(.sum, over: [i, j, k]), product)
    maker.stage(
      out, [at(h), at(w), at(o)], .map,
      [
        load(sum, [], wide), ScalarInstruction(.convert, [0], dtype), load(bias, [at(o)], dtype),
        ScalarInstruction(.binary(.add), [1, 2], dtype),
      ])
    return maker
  }

  /// Results of neighbouring groups lie side by side: all groups of some rows are computed before the next rows.
  @Test func groupsInsideOfRows() throws {
    var maker = KernelMaker("rows")
    let (r, g) = (maker.dimension("r", 700), maker.dimension("g", 8))
    let (o, k) = (maker.dimension("o", 16), maker.dimension("k", 5))
    let x = maker.input(.f32, [700, 8, 5])
    let filter = maker.input(.f32, [5, 8, 16])
    let out = maker.output(.f32, [700, 8, 16])
    maker.kernel.outer = [r, g, o]
    maker.stage(
      out, [at(r), at(g), at(o)], .fold(.sum, over: [k]),
      [
        load(x, [at(r), at(g), at(k)]), load(filter, [at(k), at(g), at(o)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    let target = Target(
      vectorBytes: 32, vectorRegisters: 16, firstLevelCacheBytes: 4 << 10,
      secondLevelCacheBytes: 64 << 10)
    let loops = try schedule(maker.finished, for: target)
    #expect(loops.phases[0].taskCount > 8)
    let outermost = loops.phases[0].body.first { if case .loop = $0 { true } else { false } }
    guard case .loop(let counter, _, let end, _, _, _)? = outermost else {
      Issue.record("a task has no loop over the groups")
      return
    }
    #expect(loops.counters[counter.index] == "g" && end == LoopIndex(constant: 8))
    try checkSchedule(maker, tolerance: 1e-4, targets: [target])
  }
}
