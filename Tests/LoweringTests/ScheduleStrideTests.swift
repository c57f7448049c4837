import GraphIR
import LoopIR
import Lowering
import Testing

@Suite("Schedules of gradients of strided windows")
struct ScheduleStrideTests {
  /// For each element the sum over the windows that cover it: `window * stride + tap = element + padding`.
  private func gradient(
    elements: Int, channels: Int, size: Int, stride: Int, padding: Int, selects: Bool
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
    if selects {
      body += [
        ScalarInstruction(.binary(.multiply), [1, 1], .f32),
        ScalarInstruction(.index(rest), [], .i64), ScalarInstruction(.constant(1), [], .i64),
        ScalarInstruction(.compare(.less), [3, 4], .bool),
        ScalarInstruction(.select, [5, 2, 0], .f32),
      ]
    }
    maker.stage(sum, [], .fold(.sum, over: [t]), body)
    maker.stage(out, [at(i), at(c)], .map, [load(sum, [])])
    return maker
  }

  @Test(arguments: [(3, 2), (2, 3), (5, 2), (4, 4), (7, 3), (3, 1)], [false, true])
  func sumsOverCoveringWindows(window: (size: Int, stride: Int), selects: Bool) throws {
    for (elements, padding) in [(12, 1), (13, 0), (7, 2), (30, 1)] where elements > window.size {
      for channels in [1, 3, 16, 19] {
        let maker = gradient(
          elements: elements, channels: channels, size: window.size, stride: window.stride,
          padding: min(padding, window.size - 1), selects: selects)
        try checkSchedule(maker)
      }
    }
  }

  /// Of three taps with a stride of two at most two fit: no third one is looked at.
  @Test(arguments: [false, true])
  func leavesOutTapsThatDoNotFit(selects: Bool) throws {
    let maker = gradient(
      elements: 16, channels: 8, size: 3, stride: 2, padding: 1, selects: selects)
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    let lines = loops.description.split(separator: "\n")
    let sums = lines.count { $0.contains(" = add ") && $0.hasSuffix("f32x8") }
    let stores = lines.count { $0.contains("store ") }
    #expect(stores > 0 && sums == 2 * stores, "\(loops)")
  }
}
