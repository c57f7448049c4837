import GraphIR
import LoopIR
import Testing

@Suite struct IndexAlgebraTests {
  private func dimension(_ index: Int) -> IndexExpression { .dimension(DimensionID(index)) }

  /// Calls a function with every point of the extents.
  private func forEachPoint(_ extents: [Int], _ body: ([Int]) -> Void) {
    var point = extents.map { _ in 0 }
    for _ in 0..<extents.reduce(1, *) {
      body(point)
      for place in extents.indices.reversed() {
        point[place] += 1
        if point[place] < extents[place] { break }
        point[place] = 0
      }
    }
  }

  @Test func divisibleCoefficientsLeaveNoDivision() {
    let bounds = IndexBounds(extents: [4, 6])
    let place = dimension(0) * 6 + dimension(1)
    #expect(place.quotient(by: 6, in: bounds) == dimension(0))
    #expect(place.remainder(by: 6, in: bounds) == dimension(1))
    let shifted = place + 12
    #expect(shifted.quotient(by: 6, in: bounds) == dimension(0) + 2)
  }

  @Test func divisionsAreRightAtEveryPoint() {
    var generator = SplitMix64(seed: 1)
    for _ in 0..<2000 {
      let extents = (0..<3).map { _ in Int.random(in: 1...5, using: &generator) }
      let bounds = IndexBounds(extents: extents)
      var expression = IndexExpression(constant: .random(in: -9...9, using: &generator))
      for place in 0..<3 {
        expression = expression + dimension(place) * .random(in: -12...12, using: &generator)
      }
      let divisors = (0..<3).map { _ in Int.random(in: 1...12, using: &generator) }
      let (a, b, c) = (divisors[0], divisors[1], divisors[2])
      let quotient = (expression.quotient(by: a, in: bounds) + dimension(1))
        .quotient(by: b, in: bounds)
      let remainder = (expression.remainder(by: a, in: bounds) * 2 + dimension(0))
        .remainder(by: c, in: bounds)
      let whole =
        (expression.remainder(by: b, in: bounds)
        + expression.quotient(by: b, in: bounds) * b).recombined(in: bounds)
      forEachPoint(extents) { point in
        let value = expression.evaluate(dimensions: point)
        let first = (value.floorQuotient(by: a) + point[1]).floorQuotient(by: b)
        #expect(quotient.evaluate(dimensions: point) == first)
        let second = (value.floorRemainder(by: a) * 2 + point[0]).floorRemainder(by: c)
        #expect(remainder.evaluate(dimensions: point) == second)
        #expect(whole.evaluate(dimensions: point) == value)
        for expression in [quotient, remainder, whole] {
          let range = expression.range(in: bounds)
          #expect(range?.contains(expression.evaluate(dimensions: point)) == true)
        }
      }
    }
  }

  @Test func reshapesThatLineUpStayPlain() {
    let bounds = IndexBounds(extents: [64, 5, 1, 16])
    let index = (0..<4).map(dimension)
    let flat = IndexExpression.reshaped(
      index, of: [64, 5, 1, 16], to: [64, 80], bounds: bounds)
    #expect(flat == [dimension(0), dimension(1) * 16 + dimension(3)])
    let back = IndexExpression.reshaped(flat, of: [64, 80], to: [1, 64, 5, 16], bounds: bounds)
    #expect(back == [0, dimension(0), dimension(1), dimension(3)])
  }

  @Test(arguments: [
    ([4, 6], [8, 3]), ([4, 6], [3, 8]), ([2, 3, 4], [4, 3, 2]), ([1, 12, 1], [2, 2, 3]),
    ([5, 7], [35]), ([35], [7, 5]), ([6, 10, 2], [4, 15, 2]), ([], [1, 1]), ([1], []),
  ])
  func reshapesKeepTheRowMajorPlace(_ result: [Int], _ source: [Int]) {
    let (result, source) = (Shape(result), Shape(source))
    let bounds = IndexBounds(extents: result.extents)
    let index = IndexExpression.reshaped(
      result.extents.indices.map(dimension), of: result, to: source, bounds: bounds)
    let place = IndexExpression.linear(index, in: source, bounds: bounds)
    #expect(place.isAffine, "the place after a reshape is the place before: \(place)")
    forEachPoint(result.extents) { point in
      let expected = zip(point, result.strides).reduce(0) { $0 + $1.0 * $1.1 }
      let values = index.map { $0.evaluate(dimensions: point) }
      #expect(zip(values, source.extents).allSatisfy { $0 >= 0 && $0 < $1 })
      #expect(zip(values, source.strides).reduce(0) { $0 + $1.0 * $1.1 } == expected)
    }
  }
}
