import GraphIR
import LoopIR
import Lowering
import Testing

@Suite("Schedules: loops mean what their kernel means")
struct ScheduleTests {
  @Test(arguments: [1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 33, 64, 100, 131, 277])
  func elementwise(count: Int) throws {
    var maker = KernelMaker("chain")
    let i = maker.dimension("i", count)
    let (x, y) = (maker.input(.f32, [count]), maker.input(.f32, [count]))
    let out = maker.output(.f32, [count])
    maker.kernel.outer = [i]
    maker.stage(
      out, [at(i)], .map,
      [
        load(x, [at(i)]), load(y, [at(i)]), ScalarInstruction(.binary(.multiply), [0, 1], .f32),
        ScalarInstruction(.unary(.tanh), [2], .f32),
        ScalarInstruction(.binary(.add), [3, 0], .f32),
      ])
    try checkSchedule(maker)
  }

  @Test(arguments: [DType.f64, .f16, .bf16, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64])
  func elementTypes(dtype: DType) throws {
    var maker = KernelMaker("types")
    let (i, j) = (maker.dimension("i", 5), maker.dimension("j", 19))
    let (x, y) = (maker.input(dtype, [5, 19]), maker.input(dtype, [19]))
    let (out, mask) = (maker.output(dtype, [5, 19]), maker.output(.bool, [5, 19]))
    maker.kernel.outer = [i, j]
    maker.stage(
      out, [at(i), at(j)], .map,
      [
        load(x, [at(i), at(j)], dtype), load(y, [at(j)], dtype),
        ScalarInstruction(.binary(.multiply), [0, 1], dtype),
        ScalarInstruction(.binary(.maximum), [2, 1], dtype),
      ])
    maker.stage(
      mask, [at(i), at(j)], .map,
      [
        load(x, [at(i), at(j)], dtype), load(y, [at(j)], dtype),
        ScalarInstruction(.compare(.less), [0, 1], .bool),
      ])
    try checkSchedule(maker)
  }

  /// A padded, strided copy with a bias along the channels: guards on outer and on vector dimensions.
  @Test(arguments: [(1, 1), (3, 2), (6, 3), (9, 1), (16, 2)])
  func guardedLoads(channels: Int, stride: Int) throws {
    var maker = KernelMaker("pad")
    let n = maker.dimension("n", 2)
    let (h, w) = (maker.dimension("h", 6), maker.dimension("w", 11))
    let c = maker.dimension("c", channels)
    let x = maker.input(.f32, [2, 5, 4, channels])
    let bias = maker.input(.f32, [channels])
    let out = maker.output(.f32, [2, 6, 11, channels])
    maker.kernel.outer = [n, h, w, c]
    let row = at(h) - 1
    let column = at(w) * stride - 2
    maker.stage(
      out, [at(n), at(h), at(w), at(c)], .map,
      [
        ScalarInstruction(.constant(UInt64(Float(0.5).bitPattern)), [], .f32),
        load(
          x, [at(n), row, column, at(c)],
          guards: [IndexGuard(row, below: 5), IndexGuard(column, below: 4)], otherwise: [0]),
        load(bias, [at(c)]), ScalarInstruction(.binary(.add), [1, 2], .f32),
      ])
    try checkSchedule(maker)
  }

  /// A padded copy: few channels are copied together with their neighbours in a row, though rows end in guards.
  @Test(arguments: [(1, 1), (2, 0), (3, 1), (3, 5), (7, 2), (8, 1)])
  func paddedCopy(channels: Int, before: Int) throws {
    var maker = KernelMaker("pad")
    let (h, w) = (maker.dimension("h", 5), maker.dimension("w", 23))
    let c = maker.dimension("c", channels)
    let x = maker.input(.f32, [3, 17, channels])
    let out = maker.output(.f32, [5, 23, channels])
    maker.kernel.outer = [h, w, c]
    let (row, column) = (at(h) - 1, at(w) - IndexExpression(constant: before))
    maker.stage(
      out, [at(h), at(w), at(c)], .map,
      [
        ScalarInstruction(.constant(UInt64(Float(0.5).bitPattern)), [], .f32),
        load(
          x, [row, column, at(c)],
          guards: [IndexGuard(row, below: 3), IndexGuard(column, below: 17)], otherwise: [0]),
      ])
    try checkSchedule(maker)
    let loops = try schedule(maker.finished, for: scheduleTargets[2]).description
    #expect(channels == 8 || loops.contains("f32x16"), "\(loops)")
  }

  /// The gradient of pooling and a reshape: quotients and remainders of dimensions.
  @Test(arguments: [(4, 6, 6), (5, 7, 1), (8, 2, 16)])
  func quotients(height: Int, width: Int, channels: Int) throws {
    var maker = KernelMaker("upsample")
    let (h, w) = (maker.dimension("h", 2 * height), maker.dimension("w", 2 * width))
    let c = maker.dimension("c", channels)
    let x = maker.input(.f32, [height, width, channels])
    let flat = maker.input(.f32, [4 * height * width * channels])
    let out = maker.output(.f32, [2 * height, 2 * width, channels])
    maker.kernel.outer = [h, w, c]
    let linear = at(h) * (2 * width * channels) + at(w) * channels + at(c)
    maker.stage(
      out, [at(h), at(w), at(c)], .map,
      [
        load(
          x,
          [
            IndexExpression(.quotient(at(h), 2)), IndexExpression(.quotient(at(w), 2)), at(c),
          ]), load(flat, [linear]), ScalarInstruction(.binary(.add), [0, 1], .f32),
      ])
    try checkSchedule(maker)
  }

  @Test func transposeAndReverse() throws {
    var maker = KernelMaker("transpose")
    let (i, j) = (maker.dimension("i", 13), maker.dimension("j", 9))
    let x = maker.input(.f32, [9, 13])
    let y = maker.input(.f32, [13, 9])
    let out = maker.output(.f32, [13, 9])
    maker.kernel.outer = [i, j]
    maker.stage(
      out, [at(i), at(j)], .map,
      [
        load(x, [at(j), at(i)]), load(y, [at(i) * -1 + 12, at(j) * -1 + 8]),
        ScalarInstruction(.binary(.subtract), [0, 1], .f32),
      ])
    try checkSchedule(maker)
  }

  /// Places beyond 32 bits keep what is known of their alignment.
  @Test func largeTensors() throws {
    var maker = KernelMaker("large")
    let (i, j) = (maker.dimension("i", 1_000_000), maker.dimension("j", 1_000_003))
    let x = maker.input(.f32, [1_000_000, 1_000_003])
    let out = maker.output(.f32, [1_000_000, 1_000_003])
    maker.kernel.outer = [i, j]
    maker.stage(
      out, [at(i), at(j)], .map,
      [load(x, [at(i), at(j)]), ScalarInstruction(.unary(.negate), [0], .f32)])
    for target in scheduleTargets {
      #expect(try schedule(maker.finished, for: target).phases.count == 1)
    }
  }

  /// More work than an integer counts.
  @Test func muchWork() throws {
    let size = 1 << 24
    var maker = KernelMaker("much")
    let (i, j) = (maker.dimension("i", size), maker.dimension("j", size))
    let k = maker.dimension("k", size)
    let x = maker.input(.f32, [size, size])
    let out = maker.output(.f32, [size, size])
    maker.kernel.outer = [i, j]
    maker.stage(
      out, [at(i), at(j)], .fold(.sum, over: [k]),
      [
        load(x, [at(i), at(k)]), load(x, [at(k), at(j)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    for target in scheduleTargets {
      #expect(try schedule(maker.finished, for: target).phases.count > 1)
    }
  }

  /// Quotients that do not divide the extent: computed in the lanes.
  @Test func unevenQuotients() throws {
    var maker = KernelMaker("uneven")
    let i = maker.dimension("i", 50)
    let x = maker.input(.f32, [17])
    let out = maker.output(.f32, [50])
    let positions = maker.output(.i32, [50])
    maker.kernel.outer = [i]
    let moved = at(i) - 4
    maker.stage(
      out, [at(i)], .map,
      [
        ScalarInstruction(.constant(0), [], .f32),
        load(
          x, [IndexExpression(.quotient(moved, 3))],
          guards: [
            IndexGuard(IndexExpression(.remainder(moved, 3)), below: 1),
            IndexGuard(IndexExpression(.quotient(moved, 3)), below: 16),
          ], otherwise: [0]),
      ])
    maker.stage(
      positions, [at(i)], .map,
      [ScalarInstruction(.index(IndexExpression(.quotient(moved, 7))), [], .i32)])
    try checkSchedule(maker)
  }

  @Test(arguments: [DType.i32, .i64])
  func gather(dtype: DType) throws {
    var maker = KernelMaker("gather")
    let (i, j) = (maker.dimension("i", 7), maker.dimension("j", 10))
    let x = maker.input(.f32, [12, 10])
    let indices = maker.input(dtype, [7])
    let picks = maker.input(dtype, [7, 10])
    let out = maker.output(.f32, [7, 10])
    maker.kernel.outer = [i, j]
    let low = ScalarInstruction(.constant(0), [], dtype)
    let high = ScalarInstruction(.constant(9), [], dtype)
    maker.stage(
      out, [at(i), at(j)], .map,
      [
        low, high, load(indices, [at(i)], dtype), ScalarInstruction(.clamp, [0, 2, 1], dtype),
        load(picks, [at(i), at(j)], dtype), ScalarInstruction(.clamp, [0, 4, 1], dtype),
        load(x, [IndexExpression(.instruction(3)), IndexExpression(.instruction(5))]),
      ])
    try checkSchedule(maker)
  }

  @Test(arguments: [ScatterFunction.assign, .sum, .max], [1, 3, 37, 64, 150])
  func scatter(function: ScatterFunction, width: Int) throws {
    var maker = KernelMaker("scatter")
    let (i, j) = (maker.dimension("i", 9), maker.dimension("j", width))
    let target = maker.parameter(.f32, [6, width + 2], .update)
    let indices = maker.input(.i32, [9])
    let updates = maker.input(.f32, [9, width])
    maker.stage(
      target, [IndexExpression(.instruction(0)), at(j)], over: [i, j], .scatter(function),
      [load(indices, [at(i)], .i32), load(updates, [at(i), at(j)])])
    try checkSchedule(maker)
  }

  @Test(arguments: [DType.f32, .f64, .u32, .bool])
  func random(dtype: DType) throws {
    var maker = KernelMaker("random")
    let (i, j) = (maker.dimension("i", 3), maker.dimension("j", 21))
    let state = maker.input(.u64, [2])
    let out = maker.output(dtype, [3, 21])
    maker.kernel.outer = [i, j]
    maker.stage(
      out, [at(i), at(j)], .map,
      [
        load(state, [0], .u64), load(state, [1], .u64),
        ScalarInstruction(.random(stream: 3, index: at(i) * 21 + at(j)), [0, 1], dtype),
      ])
    try checkSchedule(maker)
  }
}
