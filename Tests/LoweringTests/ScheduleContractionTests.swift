import GraphIR
import LoopIR
import Lowering
import Testing

@Suite("Schedules of contractions")
struct ScheduleContractionTests {
  /// How the factors of a product lie in memory.
  enum Layout: CaseIterable {
    case plain, transposedLeft, transposedRight, bothTransposed
  }

  func dot(
    _ m: Int, _ n: Int, _ k: Int, _ layout: Layout, _ dtype: DType = .f32, epilogue: Bool = true
  ) -> KernelMaker {
    var maker = KernelMaker("dot_\(m)_\(n)_\(k)")
    let (i, j) = (maker.dimension("i", m), maker.dimension("j", n))
    let r = maker.dimension("r", k)
    let left = layout == .transposedLeft || layout == .bothTransposed
    let right = layout == .transposedRight || layout == .bothTransposed
    let x = maker.input(dtype, left ? [k, m] : [m, k])
    let y = maker.input(dtype, right ? [n, k] : [k, n])
    let bias = maker.input(dtype, [n])
    let out = maker.output(dtype, [m, n])
    maker.kernel.outer = [i, j]
    let product = [
      load(x, left ? [at(r), at(i)] : [at(i), at(r)], dtype),
      load(y, right ? [at(j), at(r)] : [at(r), at(j)], dtype),
      ScalarInstruction(.binary(.multiply), [0, 1], dtype),
    ]
    guard epilogue else {
      maker.stage(out, [at(i), at(j)], .fold(.sum, over: [r]), product)
      return maker
    }
    let sum = maker.local(dtype)
    maker.stage(sum, [], .fold(.sum, over: [r]), product)
    maker.stage(
      out, [at(i), at(j)], .map,
      [
        load(sum, [], dtype), load(bias, [at(j)], dtype),
        ScalarInstruction(.binary(.add), [0, 1], dtype),
        ScalarInstruction(.unary(.abs), [2], dtype),
      ])
    return maker
  }

  @Test(arguments: Layout.allCases)
  func products(layout: Layout) throws {
    for (m, n, k) in [
      (1, 1, 1), (1, 17, 5), (13, 1, 7), (2, 3, 4), (7, 19, 33), (12, 32, 16), (25, 50, 3),
      (31, 8, 20), (64, 10, 21),
    ] {
      try checkSchedule(dot(m, n, k, layout))
    }
  }

  @Test(arguments: [DType.f64, .f16, .i32, .u8, .i64])
  func elementTypes(dtype: DType) throws {
    try checkSchedule(dot(9, 21, 11, .plain, dtype), tolerance: 2e-2)
    try checkSchedule(dot(9, 21, 11, .transposedRight, dtype, epilogue: false), tolerance: 2e-2)
  }

  /// The heads of the loops over a dimension, as they are printed.
  private func heads(of name: Character, in loops: Loops) -> [Substring] {
    loops.description.split(separator: "\n").filter { line in
      let words = line.split(separator: " ")
      return words.count > 1 && words[0] == "for" && words[1].first == name
    }
  }

  /// What a tile of rows leaves over, two of 128, is a tile of its own where tasks share the rows, too.
  @Test func rowsLeftOverStayTogether() throws {
    let loops = try schedule(dot(128, 128, 128, .plain).finished, for: scheduleTargets[1])
    #expect((loops.phases.last?.taskCount ?? 0) > 1)
    #expect(heads(of: "r", in: loops).count == 2)
  }

  /// Tasks share the columns rather than rows, of which a panel needs several tiles.
  @Test func panelsServeSeveralTiles() throws {
    let loops = try schedule(dot(256, 512, 256, .plain).finished, for: scheduleTargets[1])
    let columns = heads(of: "j", in: loops)
    #expect(!columns.isEmpty && !columns.contains { $0.contains("0..<512") })
  }

  /// A vector by a matrix: tasks read whole rows, where there are enough.
  @Test func vectorByMatrix() throws {
    let loops = try schedule(
      dot(1, 1024, 4096, .plain, epilogue: false).finished, for: scheduleTargets[1])
    #expect((loops.phases.first?.taskCount ?? 0) > 8)
    let columns = heads(of: "j", in: loops)
    #expect(!columns.isEmpty && columns.allSatisfy { $0.contains("0..<1024") })
  }

  /// Machines with caches so small that a product of a few hundred is cut into blocks.
  private let smallCaches = [(16, 32), (32, 16), (64, 32)].map { bytes, registers in
    Target(
      vectorBytes: bytes, vectorRegisters: registers, firstLevelCacheBytes: 2 << 10,
      secondLevelCacheBytes: 16 << 10)
  }

  /// Blocks of the reduction, rows and columns, each with a rest.
  @Test(arguments: Layout.allCases)
  func blocks(layout: Layout) throws {
    // Where both sides need a copy for vectors, either may have them.
    let rows = layout == .plain || layout == .transposedLeft ? 65 : 131
    let maker = dot(rows, 133, 261, layout)
    let targets = rows == 65 ? smallCaches : [smallCaches[1]]
    for target in targets {
      let loops = try schedule(maker.finished, for: target)
      #expect((loops.phases.last?.taskCount ?? 0) > 1)
      #expect(loops.memories.contains { $0.name == "sums" && $0.kind == .worker })
      // Columns that have to be turned are copied once.
      let isTurned = layout == .transposedRight || layout == .bothTransposed
      #expect(loops.memories.contains { $0.name == "panels" && $0.kind == .shared } || !isTurned)
    }
    try checkSchedule(maker, tolerance: 1e-4, targets: targets)
  }

  /// Few rows, and a column factor that fills the caches: its panels are copied by the task that needs them.
  @Test(arguments: [(13, 1045, 163), (30, 516, 160)])
  func panelsOfTheTask(rows: Int, columns: Int, steps: Int) throws {
    let maker = dot(rows, columns, steps, .plain)
    let loops = try schedule(maker.finished, for: smallCaches[1])
    #expect(loops.phases.count == 1)
    #expect(loops.memories.contains { $0.name == "panel" && $0.kind == .worker })
    try checkSchedule(maker, tolerance: 1e-4, targets: smallCaches)
  }

  /// Rows that the tasks of many blocks of panels need are copied once, for all blocks of the reduction.
  @Test func rowsOfAllTasks() throws {
    let maker = dot(26, 517, 163, .transposedLeft)
    let target = Target(
      vectorBytes: 32, vectorRegisters: 16, firstLevelCacheBytes: 8 << 10,
      secondLevelCacheBytes: 1 << 10)
    let loops = try schedule(maker.finished, for: target)
    #expect(loops.memories.contains { $0.name == "rows" && $0.kind == .shared })
    #expect((loops.phases.last?.taskCount ?? 0) > 1)
    try checkSchedule(maker, tolerance: 1e-4, targets: [target])
  }

  /// Few rows, and columns in memory: they are read in its order, where they lie.
  @Test(arguments: [(2, 1045, 163), (5, 516, 160), (12, 257, 165)], [false, true])
  func columnsInPlace(sizes: (Int, Int, Int), isTransposed: Bool) throws {
    let maker = dot(sizes.0, sizes.1, sizes.2, isTransposed ? .transposedLeft : .plain)
    let loops = try schedule(maker.finished, for: smallCaches[1])
    #expect(loops.phases.count == 1)
    #expect(loops.memories.contains { $0.name == "sums" && $0.kind == .worker })
    #expect(!loops.memories.contains { $0.name == "panel" || $0.kind == .shared })
    try checkSchedule(maker, tolerance: 1e-4, targets: smallCaches)
  }

  /// Few rows, and both factors contiguous along the reduction: vectors go along it, and tiles share what they load.
  @Test(arguments: [1, 2, 3, 5, 7], [(37, 64), (12, 45), (24, 1031)])
  func tilesOfFolds(rows: Int, size: (columns: Int, steps: Int)) throws {
    let maker = dot(rows, size.columns, size.steps, .transposedRight)
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    #expect(loops.phases.count == 1)
    #expect(loops.memories.allSatisfy { $0.kind != .shared && $0.kind != .worker })
    try checkSchedule(maker, tolerance: 1e-4)
  }

  /// Infinities and NaN stay in their own rows and columns of a tile.
  @Test func tilesOfFoldsKeepSpecialValuesApart() throws {
    let maker = dot(3, 11, 21, .transposedRight, epilogue: false)
    var inputs = maker.finished.parameters.enumerated().map { sampleElements($1.type, seed: $0) }
    inputs[0][21 + 20] = UInt64(Float.infinity.bitPattern)
    inputs[1][10 * 21 + 3] = UInt64(Float.nan.bitPattern)
    try checkSchedule(maker, inputs: inputs)
  }

  @Test(arguments: [DType.f64, .f16, .bf16, .i32, .u8])
  func elementTypesOfTiles(dtype: DType) throws {
    try checkSchedule(dot(4, 9, 67, .transposedRight, dtype), tolerance: 4e-2)
  }

  /// Whole blocks only, and no stage after the sums.
  @Test(arguments: [DType.f64, .i32])
  func wholeBlocks(dtype: DType) throws {
    let maker = dot(96, 128, 256, .transposedLeft, dtype, epilogue: false)
    let loops = try schedule(maker.finished, for: smallCaches[1])
    #expect(loops.phases.count == 2)
    try checkSchedule(maker, tolerance: 1e-4, targets: [smallCaches[1]])
  }

  /// Factors that are converted while they are copied.
  @Test(arguments: [DType.f16, .bf16], [false, true])
  func blocksOfNarrowFloats(dtype: DType, transposed: Bool) throws {
    var maker = KernelMaker("narrow")
    let (i, j) = (maker.dimension("i", 33), maker.dimension("j", 35))
    let r = maker.dimension("r", 261)
    let x = maker.input(dtype, transposed ? [261, 33] : [33, 261])
    let y = maker.input(dtype, [261, 35])
    let out = maker.output(dtype, [33, 35])
    let sum = maker.local(.f32)
    maker.kernel.outer = [i, j]
    maker.stage(
      sum, [], .fold(.sum, over: [r]),
      [
        load(x, transposed ? [at(r), at(i)] : [at(i), at(r)], dtype),
        ScalarInstruction(.convert, [0], .f32), load(y, [at(r), at(j)], dtype),
        ScalarInstruction(.convert, [2], .f32),
        ScalarInstruction(.binary(.multiply), [1, 3], .f32),
      ])
    maker.stage(
      out, [at(i), at(j)], .map,
      [load(sum, [], .f32), ScalarInstruction(.convert, [0], dtype)])
    let loops = try schedule(maker.finished, for: smallCaches[1])
    #expect(loops.memories.contains { $0.name == "rows" && $0.dtype == .f32 })
    try checkSchedule(maker, tolerance: 2e-2, targets: [smallCaches[1]])
  }

  /// Two row dimensions, two of the reduction that do not follow each other, and one of batch.
  @Test func blocksOfSeveralDimensions() throws {
    var maker = KernelMaker("blocks")
    let (b, i) = (maker.dimension("b", 2), maker.dimension("i", 5))
    let (h, j) = (maker.dimension("h", 13), maker.dimension("j", 128))
    let (r, s) = (maker.dimension("r", 7), maker.dimension("s", 37))
    let x = maker.input(.f32, [5, 2, 7, 13, 37])
    let y = maker.input(.f32, [2, 37, 7, 128])
    let out = maker.output(.f32, [2, 5, 13, 128])
    maker.kernel.outer = [b, i, h, j]
    maker.stage(
      out, [at(b), at(i), at(h), at(j)], .fold(.sum, over: [r, s]),
      [
        load(x, [at(i), at(b), at(r), at(h), at(s)]), load(y, [at(b), at(s), at(r), at(j)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    let loops = try schedule(maker.finished, for: smallCaches[1])
    #expect(loops.memories.contains { $0.name == "sums" && $0.kind == .worker })
    try checkSchedule(maker, tolerance: 1e-4, targets: [smallCaches[1]])
  }

  /// Windows that overlap, copied into blocks.
  @Test func blocksOfWindows() throws {
    var maker = KernelMaker("windows")
    let (h, w) = (maker.dimension("h", 9), maker.dimension("w", 9))
    let (o, i) = (maker.dimension("o", 256), maker.dimension("i", 3))
    let (j, c) = (maker.dimension("j", 3), maker.dimension("c", 30))
    let x = maker.input(.f32, [11, 11, 30])
    let filter = maker.input(.f32, [3, 3, 30, 256])
    let out = maker.output(.f32, [9, 9, 256])
    maker.kernel.outer = [h, w, o]
    maker.stage(
      out, [at(h), at(w), at(o)], .fold(.sum, over: [i, j, c]),
      [
        load(x, [at(h) + at(i), at(w) + at(j), at(c)]),
        load(filter, [at(i), at(j), at(c), at(o)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    let loops = try schedule(maker.finished, for: smallCaches[1])
    #expect(loops.phases.count == 2)
    try checkSchedule(maker, tolerance: 1e-4, targets: [smallCaches[1]])
  }

  /// The gradient of a filter: rows that lie next to each other for each tap, and a reduction over pixels, in blocks of
  /// several lines of the picture or of pieces of one.
  @Test(arguments: [(2, 7, 19, 1), (2, 2, 67, 2)])
  func blocksOfNeighbouringRows(images: Int, height: Int, width: Int, stride: Int) throws {
    var maker = KernelMaker("filter")
    let (h, w) = (maker.dimension("h", 3), maker.dimension("w", 2))
    let (c, o) = (maker.dimension("c", 11), maker.dimension("o", 133))
    let (n, i) = (maker.dimension("n", images), maker.dimension("i", height))
    let j = maker.dimension("j", width)
    let x = maker.input(.f32, [images, stride * height + 2, stride * width + 1, 11])
    let gradient = maker.input(.f32, [images, height, width, 133])
    let out = maker.output(.f32, [3, 2, 11, 133])
    maker.kernel.outer = [h, w, c, o]
    maker.stage(
      out, [at(h), at(w), at(c), at(o)], .fold(.sum, over: [n, i, j]),
      [
        load(x, [at(n), at(i) * stride + at(h), at(j) * stride + at(w), at(c)]),
        load(gradient, [at(n), at(i), at(j), at(o)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    for target in smallCaches {
      let loops = try schedule(maker.finished, for: target)
      #expect(loops.memories.contains { $0.name == "sums" && $0.kind == .worker })
    }
    try checkSchedule(maker, tolerance: 1e-4, targets: smallCaches)
  }

  /// A long reduction to few results is summed in parts, however many threads there are.
  @Test func splits() throws {
    var maker = KernelMaker("split")
    let (i, j) = (maker.dimension("i", 3), maker.dimension("j", 9))
    let (n, r) = (maker.dimension("n", 24), maker.dimension("r", 1100))
    let x = maker.input(.f32, [24, 1100, 3])
    let y = maker.input(.f32, [24, 1100, 9])
    let out = maker.output(.f32, [3, 9])
    maker.kernel.outer = [i, j]
    maker.stage(
      out, [at(i), at(j)], .fold(.sum, over: [n, r]),
      [
        load(x, [at(n), at(r), at(i)]), load(y, [at(n), at(r), at(j)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    #expect(loops.phases.count == 2)
    #expect(loops.phases[0].taskCount > 1)
    try checkSchedule(maker, tolerance: 1e-3)
  }

  /// NHWC convolutions with padding and stride.
  @Test(arguments: [(1, 6, 1, 0), (3, 16, 1, 1), (6, 5, 2, 2), (16, 6, 1, 2), (4, 33, 3, 1)])
  func convolution(inputs: Int, outputs: Int, stride: Int, padding: Int) throws {
    var maker = KernelMaker("convolution")
    let (height, width) = (9, 13)
    let (rows, columns) = (
      (height + 2 * padding - 3) / stride + 1, (width + 2 * padding - 3) / stride + 1
    )
    let (n, h) = (maker.dimension("n", 2), maker.dimension("h", rows))
    let (w, o) = (maker.dimension("w", columns), maker.dimension("o", outputs))
    let (i, j) = (maker.dimension("i", 3), maker.dimension("j", 3))
    let c = maker.dimension("c", inputs)
    let x = maker.input(.f32, [2, height, width, inputs])
    let filter = maker.input(.f32, [3, 3, inputs, outputs])
    let out = maker.output(.f32, [2, rows, columns, outputs])
    let sum = maker.local(.f32)
    maker.kernel.outer = [n, h, w, o]
    let border = IndexExpression(constant: padding)
    let (y, z) = (at(h) * stride + at(i) - border, at(w) * stride + at(j) - border)
    let guards = [IndexGuard(y, below: height), IndexGuard(z, below: width)]
    maker.stage(
      sum, [], .fold(.sum, over: [i, j, c]),
      [
        ScalarInstruction(.constant(0), [], .f32),
        load(
          x, [at(n), y, z, at(c)], guards: padding > 0 ? guards : [],
          otherwise: padding > 0 ? [0] : []),
        load(filter, [at(i), at(j), at(c), at(o)]),
        ScalarInstruction(.binary(.multiply), [1, 2], .f32),
      ])
    maker.stage(
      out, [at(n), at(h), at(w), at(o)], .map,
      [load(sum, []), ScalarInstruction(.unary(.sigmoid), [0], .f32)])
    try checkSchedule(maker)
  }

  /// The gradient of a filter: few results, taps and channels as rows, a reduction over all pixels.
  @Test(arguments: [(1, 6), (6, 16), (3, 7)])
  func filterGradient(inputs: Int, outputs: Int) throws {
    var maker = KernelMaker("filter_gradient")
    let (n, h) = (maker.dimension("n", 4), maker.dimension("h", 5))
    let (w, o) = (maker.dimension("w", 6), maker.dimension("o", outputs))
    let (i, j) = (maker.dimension("i", 3), maker.dimension("j", 5))
    let c = maker.dimension("c", inputs)
    let x = maker.input(.f32, [4, 7, 10, inputs])
    let gradient = maker.input(.f32, [4, 5, 6, outputs])
    let out = maker.output(.f32, [3, 5, inputs, outputs])
    maker.kernel.outer = [i, j, c, o]
    maker.stage(
      out, [at(i), at(j), at(c), at(o)], .fold(.sum, over: [n, h, w]),
      [
        load(x, [at(n), at(h) + at(i), at(w) + at(j), at(c)]),
        load(gradient, [at(n), at(h), at(w), at(o)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    try checkSchedule(maker)
  }

  @Test(arguments: [
    PlantedFault.scheduleSkipsTail, .scheduleWrongReductionStart, .scheduleSwapsRows,
  ])
  func plantedFaultsShow(fault: PlantedFault) throws {
    let maker = dot(13, 27, 8, .plain)
    let kernel = maker.finished
    let elements = kernel.parameters.enumerated().map { sampleElements($1.type, seed: $0) }
    let target = scheduleTargets[1]
    let right = try evaluate(schedule(kernel, for: target), kernel, elements)
    let wrong = try evaluate(
      schedule(kernel, for: target, options: ScheduleOptions(fault: fault)), kernel, elements)
    #expect(right[3] != wrong[3])
  }
}
