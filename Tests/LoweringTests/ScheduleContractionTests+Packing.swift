import LoopIR
import Lowering
import Testing

/// Factors that are copied before the products.
extension ScheduleContractionTests {
  /// Rows of the right factor that collide in the cache are packed.
  @Test func packs() throws {
    let maker = dot(66, 260, 3, .plain)
    let loops = try schedule(maker.finished, for: scheduleTargets[1])
    #expect(loops.phases.count == 2)
    #expect(loops.memories.contains { $0.kind == .shared })
    try checkSchedule(maker)
  }

  /// Columns whose steps lie next to each other are turned in registers: the last panel's, and the last steps', too.
  @Test func turnsColumnsInRegisters() throws {
    let maker = dot(40, 53, 37, .transposedRight)
    for target in scheduleTargets {
      let loops = try schedule(maker.finished, for: target)
      let copies = loops.description.split(separator: "\n").filter { $0.contains(" to panels[") }
      #expect(!copies.isEmpty)
      #expect(copies.allSatisfy { !$0.contains("] by ") }, "\(copies)")
    }
    try checkSchedule(maker)
  }

  /// Rows that lie next to each other, with steps far apart, are copied into panels as wide as a tile has rows.
  @Test(arguments: [(48, 64, 512), (53, 64, 512)])
  func rowsInPanels(rows: Int, columns: Int, steps: Int) throws {
    let maker = dot(rows, columns, steps, .transposedLeft)
    let target = scheduleTargets[1]
    let loops = try schedule(maker.finished, for: target)
    #expect(loops.memories.contains { $0.name == "rows" && $0.kind == .shared })
    #expect(!loops.memories.contains { $0.name == "sums" })
    try checkSchedule(maker, tolerance: 1e-4, targets: [target])
  }

  /// Products of many matrices; tasks turn the columns of their own ones before they multiply.
  @Test(arguments: [(3, 7, 18, 6, false), (21, 24, 37, 20, true)])
  func batched(batch: Int, rows: Int, columns: Int, steps: Int, copies: Bool) throws {
    var maker = KernelMaker("batched")
    let (b, i) = (maker.dimension("b", batch), maker.dimension("i", rows))
    let (j, r) = (maker.dimension("j", columns), maker.dimension("r", steps))
    let x = maker.input(.f32, [batch, rows, steps])
    let y = maker.input(.f32, [batch, columns, steps])
    let out = maker.output(.f32, [batch, rows, columns])
    maker.kernel.outer = [b, i, j]
    maker.stage(
      out, [at(b), at(i), at(j)], .fold(.sum, over: [r]),
      [
        load(x, [at(b), at(i), at(r)]), load(y, [at(b), at(j), at(r)]),
        ScalarInstruction(.binary(.multiply), [0, 1], .f32),
      ])
    for target in scheduleTargets.dropFirst() where copies {
      let loops = try schedule(maker.finished, for: target)
      #expect(loops.phases.count == 1)
      #expect(loops.memories.contains { $0.name == "panels" && $0.kind == .worker })
    }
    try checkSchedule(maker)
  }
}
