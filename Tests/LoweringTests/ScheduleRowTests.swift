import GraphIR
import LoopIR
import Lowering
import Testing

@Suite("Schedules of folds")
struct ScheduleRowTests {
  @Test(arguments: [(1, 1), (3, 10), (5, 7), (2, 33), (4, 130), (2, 277)])
  func softmax(rows: Int, columns: Int) throws {
    var maker = KernelMaker("softmax")
    let (r, c) = (maker.dimension("r", rows), maker.dimension("c", columns))
    let x = maker.input(.f32, [rows, columns])
    let out = maker.output(.f32, [rows, columns])
    let (top, sum) = (maker.local(.f32), maker.local(.f32))
    let powers = maker.local(.f32, [columns])
    maker.kernel.outer = [r]
    maker.stage(top, [], .fold(.max, over: [c]), [load(x, [at(r), at(c)])])
    maker.stage(
      powers, [at(c)], over: [c], .map,
      [
        load(x, [at(r), at(c)]), load(top, []),
        ScalarInstruction(.binary(.subtract), [0, 1], .f32),
        ScalarInstruction(.unary(.exp), [2], .f32),
      ])
    maker.stage(sum, [], .fold(.sum, over: [c]), [load(powers, [at(c)])])
    maker.stage(
      out, [at(r), at(c)], over: [c], .map,
      [
        load(powers, [at(c)]), load(sum, []), ScalarInstruction(.binary(.divide), [0, 1], .f32),
      ])
    if rows > 3 {
      // The row before is divided and stored in the loop of the next one's exponentials.
      let loops = try schedule(maker.finished, for: scheduleTargets[1])
      #expect("\(loops)".contains("- \(columns)]"), "\(loops)")
    }
    try checkSchedule(maker)
  }

  /// The sum is of the long chains, and the last stage reads the rows again.
  @Test(arguments: [(3, 33), (4, 130), (2, 277)])
  func logSoftmax(rows: Int, columns: Int) throws {
    var maker = KernelMaker("logsoftmax")
    let (r, c) = (maker.dimension("r", rows), maker.dimension("c", columns))
    let x = maker.input(.f32, [rows, columns])
    let out = maker.output(.f32, [rows, columns])
    let (sum, log) = (maker.local(.f32), maker.local(.f32))
    maker.kernel.outer = [r]
    maker.stage(
      sum, [], .fold(.sum, over: [c]),
      [load(x, [at(r), at(c)]), ScalarInstruction(.unary(.exp), [0], .f32)])
    maker.stage(log, [], .map, [load(sum, []), ScalarInstruction(.unary(.log), [0], .f32)])
    maker.stage(
      out, [at(r), at(c)], over: [c], .map,
      [
        load(x, [at(r), at(c)]), load(log, []),
        ScalarInstruction(.binary(.subtract), [0, 1], .f32),
      ])
    try checkSchedule(maker)
  }

  /// Zeros of both signs, NaN of both signs and infinities, in rows long enough to be told apart at the end only.
  @Test(arguments: [ReduceFunction.max, .min], [DType.f32, .f64])
  func extremes(function: ReduceFunction, dtype: DType) throws {
    let specials = [0, -0.0, 1, -1, .infinity, -.infinity, .nan, -.nan].map {
      ScalarArithmetic.bits($0, dtype)
    }
    let rows = specials.flatMap { a in specials.map { [a, $0] } }
    for along in [0, 1] {
      let (count, length) = (rows.count, 131)
      var maker = KernelMaker("extreme")
      let (r, c) = (maker.dimension("r", count), maker.dimension("c", length))
      let x = maker.input(dtype, along == 1 ? [count, length] : [length, count])
      let out = maker.output(dtype, [count])
      maker.kernel.outer = [r]
      maker.stage(
        out, [at(r)], .fold(function, over: [c]),
        [load(x, along == 1 ? [at(r), at(c)] : [at(c), at(r)], dtype)])
      // The second value stands in one place of each row.
      let elements = (0..<count * length).map { place -> UInt64 in
        let (row, column) =
          along == 1
          ? (place / length, place % length) : (place % count, place / count)
        return rows[row][column == (37 * row) % length ? 1 : 0]
      }
      let kernel = maker.finished
      let parameters = [elements, [UInt64](repeating: 0, count: count)]
      let expected = try meaning(of: kernel, parameters)[1]
      for target in scheduleTargets {
        let found = try evaluate(try schedule(kernel, for: target), kernel, parameters)[1]
        for (row, values) in zip(found, expected).enumerated() {
          let isNaN = ScalarArithmetic.double(values.1, dtype).isNaN
          #expect(
            values.0 == values.1 || isNaN && ScalarArithmetic.double(values.0, dtype).isNaN,
            "\(function) of \(rows[row]), \(target.vectorBytes) vector bytes")
        }
      }
    }
  }

  /// Rows that no cache holds are taken from several parts at once.
  @Test(arguments: [(24, 64), (12, 37), (7, 130), (13, 64)], [ReduceFunction.sum, .max])
  func farRows(shape: (rows: Int, columns: Int), function: ReduceFunction) throws {
    var maker = KernelMaker("rows")
    let (r, c) = (maker.dimension("r", shape.rows), maker.dimension("c", shape.columns))
    let x = maker.input(.f32, [shape.rows, shape.columns])
    let out = maker.output(.f32, [shape.rows])
    maker.kernel.outer = [r]
    maker.stage(out, [at(r)], .fold(function, over: [c]), [load(x, [at(r), at(c)])])
    let target = Target(
      vectorBytes: 32, vectorRegisters: 16, firstLevelCacheBytes: 256, secondLevelCacheBytes: 512,
      lastLevelCacheBytes: 1 << 10)
    let loops = try schedule(maker.finished, for: target)
    let far = shape.rows / 4 * shape.columns
    if shape.rows % 4 == 0 { #expect("\(loops)".contains("+ \(far)]"), "\(loops)") }
    try checkSchedule(maker, targets: [target])
  }

  /// The rows are the contiguous direction: ranked locals have lanes.
  @Test(arguments: [(5, 3), (20, 4), (33, 2), (139, 2)])
  func softmaxOverLeading(columns: Int, rows: Int) throws {
    var maker = KernelMaker("softmax0")
    let (r, c) = (maker.dimension("r", rows), maker.dimension("c", columns))
    let x = maker.input(.f32, [rows, columns])
    let out = maker.output(.f32, [rows, columns])
    let sum = maker.local(.f32)
    let powers = maker.local(.f32, [rows])
    maker.kernel.outer = [c]
    maker.stage(
      powers, [at(r)], over: [r], .map,
      [load(x, [at(r), at(c)]), ScalarInstruction(.unary(.exp), [0], .f32)])
    maker.stage(sum, [], .fold(.sum, over: [r]), [load(powers, [at(r)])])
    maker.stage(
      out, [at(r), at(c)], over: [r], .map,
      [load(powers, [at(r)]), load(sum, []), ScalarInstruction(.binary(.divide), [0, 1], .f32)])
    try checkSchedule(maker)
  }

  @Test(arguments: [ReduceFunction.sum, .product, .max, .min], [DType.f32, .f16, .i32, .u8])
  func reductions(function: ReduceFunction, dtype: DType) throws {
    for shape in [[1, 1, 1], [3, 5, 7], [2, 20, 6], [1, 3, 37]] {
      for over in [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]] {
        var maker = KernelMaker("reduce")
        let dimensions = shape.map { maker.dimension("d", $0) }
        let x = maker.input(dtype, shape)
        let kept = [0, 1, 2].filter { !over.contains($0) }
        let out = maker.output(dtype, kept.map { shape[$0] })
        maker.kernel.outer = kept.map { dimensions[$0] }
        maker.stage(
          out, kept.map { at(dimensions[$0]) }, .fold(function, over: over.map { dimensions[$0] }),
          [load(x, dimensions.map(at), dtype)])
        try checkSchedule(maker, tolerance: dtype == .f16 ? 2e-3 : 1e-4)
      }
    }
  }

  @Test(arguments: [1, 2, 6, 16, 19])
  func pooling(channels: Int) throws {
    var maker = KernelMaker("pool")
    let (n, h) = (maker.dimension("n", 2), maker.dimension("h", 3))
    let (w, c) = (maker.dimension("w", 5), maker.dimension("c", channels))
    let (i, j) = (maker.dimension("i", 2), maker.dimension("j", 2))
    let x = maker.input(.f32, [2, 6, 10, channels])
    let out = maker.output(.f32, [2, 3, 5, channels])
    let sum = maker.local(.f32)
    maker.kernel.outer = [n, h, w, c]
    maker.stage(
      sum, [], .fold(.sum, over: [i, j]),
      [load(x, [at(n), at(h) * 2 + at(i), at(w) * 2 + at(j), at(c)])])
    maker.stage(
      out, [at(n), at(h), at(w), at(c)], .map,
      [
        load(sum, []), ScalarInstruction(.constant(UInt64(Float(0.25).bitPattern)), [], .f32),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    try checkSchedule(maker)
  }

  @Test(arguments: [ArgReduceFunction.argmax, .argmin], [DType.i32, .i64])
  func argReduce(function: ArgReduceFunction, dtype: DType) throws {
    for (outer, inner, along) in [(7, 5, 1), (4, 20, 1), (4, 20, 0), (1, 1, 0), (9, 1, 1)] {
      var maker = KernelMaker("arg")
      let (i, j) = (maker.dimension("i", outer), maker.dimension("j", inner))
      let x = maker.input(.f32, [outer, inner])
      let kept = along == 0 ? j : i
      let out = maker.output(dtype, [along == 0 ? inner : outer])
      maker.kernel.outer = [kept]
      maker.stage(
        out, [at(kept)], .argFold(function, over: along == 0 ? i : j), [load(x, [at(i), at(j)])])
      try checkSchedule(maker)
      var elements = maker.kernel.parameters.enumerated().map { sampleElements($1.type, seed: $0) }
      for place in elements[0].indices where place % 3 == 1 {
        elements[0][place] = UInt64(Float.nan.bitPattern)
      }
      try checkSchedule(maker, inputs: elements)
    }
  }
}
