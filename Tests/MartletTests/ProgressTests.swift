import Martlet
import Testing

@Suite struct ProgressTests {
  let heading = "epoch 1/3"
  let figures = "loss 1.5940, accuracy 54.9 %  85 steps/s  0:02 left"

  @Test(arguments: 0...120) func leavesTheLastColumnFree(columns: Int) {
    let line = progressLine(heading, 0.5, figures, columns: columns)
    #expect(line.count <= max(columns - 1, 0))
  }

  @Test func givesUpTheBarBeforeTheFigures() {
    #expect(
      progressLine(heading, 0.5, figures, columns: 120)
        == "\(heading) ━━━━━━━━━━━━············ \(figures)")
    #expect(progressLine(heading, 0.5, figures, columns: 71) == "\(heading) ━━━━···· \(figures)")
    #expect(progressLine(heading, 0.5, figures, columns: 66) == "\(heading) \(figures)")
    #expect(progressLine(heading, 0.5, figures, columns: 20) == "epoch 1/3 loss 1.59")
  }

  @Test func staysWithinTheBar() {
    #expect(progressLine("a", 0, "b", columns: 10) == "a ····· b")
    #expect(progressLine("a", 1, "b", columns: 10) == "a ━━━━━ b")
    #expect(progressLine("a", 7, "b", columns: 10) == "a ━━━━━ b")
  }

  /// A loss that grows without bound is shown, whatever it has become.
  @Test(arguments: [9.3e14, -9.9e14, 1e15, 1e300, .infinity, .nan, 0])
  func numbersOfAnySizeAreShown(number: Double) {
    for digits in [0, 4, 30] { #expect(!number.formatted(digits: digits).isEmpty) }
  }
}
