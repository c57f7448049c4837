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
}
