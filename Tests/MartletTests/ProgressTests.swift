import Foundation
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

  /// A loss that grows without bound.
  @Test func anyNumberIsShown() {
    for exponent in -330...330 {
      for value in [3.7, 9.99].map({ $0 * pow(10, Double(exponent)) }) {
        for digits in 0...9 { #expect(!value.formatted(digits: digits).isEmpty) }
        #expect((-value).formatted(digits: 4).hasPrefix("-") || exponent < -3)
      }
    }
    #expect(9.5e14.formatted(digits: 4) == "950000000000000.0")
    #expect((-Double.nan).formatted(digits: 4) == "nan")
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
