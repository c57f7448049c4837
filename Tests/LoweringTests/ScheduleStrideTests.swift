import GraphIR
import LoopIR
import Lowering
import Testing

@Suite("Schedules of gradients of strided windows")
struct ScheduleStrideTests {
  /// What is added: the element, or, where it is the stride that chooses it over zero, a product.
  enum Summand: Sendable { case element, square, share }

  /// For each element the sum over the windows that cover it: `window * stride + tap = element + padding`.
  private func gradient(
    elements: Int, channels: Int, size: Int, stride: Int, padding: Int, _ summand: Summand
  ) -> KernelMaker {
    let windows = (elements + 2 * padding - size) / stride + 1
    var maker = KernelMaker("gradient")
    let (i, c) = (maker.dimension("i", elements), maker.dimension("c", channels))
    let t = maker.dimension("t", size)
    let x = maker.input(.f32, [windows, channels])
    let out = maker.output(.f32, [elements, channels])
    let sum = maker.local(.f32)
    maker.kernel.outer = [i, c]
    let shifted = at(i) + IndexExpression(constant: padding) - at(t)
    let bounds = maker.kernel.bounds
    let window = shifted.quotient(by: stride, in: bounds)
    let rest = shifted.remainder(by: stride, in: bounds)
    let zero = ScalarInstruction(.constant(0), [], .f32)
    let element = load(
      x, [window, at(c)],
      guards: [IndexGuard(rest, below: 1), IndexGuard(window, below: windows)], otherwise: [0])
    var body = [zero, element]
    if summand != .element {
      body += [
        ScalarInstruction(.constant(UInt64(Float(0.3).bitPattern)), [], .f32),
        ScalarInstruction(.binary(.multiply), [1, summand == .share ? 2 : 1], .f32),
        ScalarInstruction(.index(rest), [], .i64), ScalarInstruction(.constant(1), [], .i64),
        ScalarInstruction(.compare(.less), [4, 5], .bool),
        ScalarInstruction(.select, [6, 3, 0], .f32),
      ]
    }
    maker.stage(sum, [], .fold(.sum, over: [t]), body)
    maker.stage(out, [at(i), at(c)], .map, [load(sum, [])])
    return maker
  }

  @Test(
    arguments: [(3, 2), (2, 3), (5, 2), (4, 4), (7, 3), (3, 1)],
    [Summand.element, .square, .share])
  func sumsOverCoveringWindows(window: (size: Int, stride: Int), summand: Summand) throws {
    for (elements, padding) in [(12, 1), (13, 0), (7, 2), (30, 1)] where elements > window.size {
      for channels in [1, 3, 16, 19] {
        let maker = gradient(
          elements: elements, channels: channels, size: window.size, stride: window.stride,
          padding: min(padding, window.size - 1), summand)
        try checkSchedule(maker)
      }
    }
  }

  /// Of three taps with a stride of two at most two fit: no third one is looked at, and none where only one fits.
  @Test(arguments: [Summand.element, .square, .share])
  func leavesOutTapsThatDoNotFit(summand: Summand) throws {
    let maker = gradient(elements: 16, channels: 8, size: 3, stride: 2, padding: 1, summand)
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    let (sums, stores) = counts(loops)
    // The last element lies behind the last window's second tap.
    #expect(stores > 0 && 2 * sums <= 3 * stores, "\(loops)")
  }

  /// The additions of vectors, and the stores, that are written out.
  private func counts(_ loops: Loops) -> (sums: Int, stores: Int) {
    let lines = loops.description.split(separator: "\n")
    let sums = lines.count {
      ($0.contains(" = add ") || $0.contains(" = multiply_add ")) && $0.hasSuffix("f32x8")
    }
    return (sums, lines.count { $0.contains("store ") })
  }

  /// The gradient of windows of two dimensions: a sum of products with a filter's taps.
  private func image(
    _ rows: Int, _ columns: Int, channels: Int, size: Int, stride: Int, padding: Int
  ) -> KernelMaker {
    var maker = KernelMaker("image")
    let windows = [rows, columns].map { ($0 + 2 * padding - size) / stride + 1 }
    let (h, w) = (maker.dimension("h", rows), maker.dimension("w", columns))
    let c = maker.dimension("c", channels)
    let taps = [maker.dimension("i", size), maker.dimension("j", size)]
    let x = maker.input(.f32, windows + [channels])
    let filter = maker.input(.f32, [size, size, channels])
    let out = maker.output(.f32, [rows, columns, channels])
    maker.kernel.outer = [h, w, c]
    let bounds = maker.kernel.bounds
    let places = zip([h, w], taps).map { element, tap in
      at(element) + IndexExpression(constant: padding) - at(tap)
    }
    let window = places.map { $0.quotient(by: stride, in: bounds) }
    let met = places.map { IndexGuard($0.remainder(by: stride, in: bounds), below: 1) }
    let inside = zip(window, windows).map { IndexGuard($0, below: $1) }
    let (c0, t0, t1) = (
      IndexExpression.dimension(c), IndexExpression.dimension(taps[0]),
      IndexExpression.dimension(taps[1])
    )
    var body = [
      ScalarInstruction(.constant(0), [], .f32),
      load(x, window + [c0], guards: met + inside, otherwise: [0]),
      load(filter, [t0, t1, c0], guards: met, otherwise: [0]),
      ScalarInstruction(.binary(.multiply), [1, 2], .f32),
      ScalarInstruction(.constant(1), [], .i64),
    ]
    for condition in met {
      body.append(ScalarInstruction(.index(condition.expression), [], .i64))
      body.append(ScalarInstruction(.compare(.less), [body.count - 1, 4], .bool))
    }
    body.append(ScalarInstruction(.binary(.and), [6, 8], .bool))
    body.append(ScalarInstruction(.select, [9, 3, 0], .f32))
    maker.stage(
      out, [.dimension(h), .dimension(w), c0], .fold(.sum, over: taps), body)
    return maker
  }

  /// Even and odd extents, strides that divide them and do not, rows that tasks share.
  @Test(arguments: [(3, 2, 1), (3, 2, 0), (2, 3, 1), (5, 3, 2), (4, 2, 1), (5, 5, 2), (3, 1, 1)])
  func sumsOverWindowsOfImages(size: Int, stride: Int, padding: Int) throws {
    for (rows, columns, channels) in [(8, 12, 8), (9, 7, 11), (13, 6, 16)] {
      try checkSchedule(
        image(rows, columns, channels: channels, size: size, stride: stride, padding: padding))
    }
  }

  @Test(arguments: [(60, 30), (61, 31)])
  func tasksShareRowsOfResidues(rows: Int, columns: Int) throws {
    let maker = image(rows, columns, channels: 32, size: 3, stride: 2, padding: 1)
    try checkSchedule(maker, targets: [scheduleTargets[1]])
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    #expect(loops.phases[0].taskCount > 1)
    // Of four neighbours each takes the taps that reach it: nine, and none is looked for at run time.
    #expect(!loops.description.contains("select") && !loops.description.contains("mask"))
    let (sums, stores) = counts(loops)
    #expect(4 * sums <= 9 * stores, "\(sums) \(stores)")
  }
}
