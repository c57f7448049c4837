import GraphIR
import Interpreter

/// Decides whether results are close enough to what their operation means, on the very operands
/// that they were computed from; `Allowance` says what is close enough.
package enum Judge {
  /// One element that is not what it should be.
  package struct Difference: Hashable, Sendable {
    /// The coordinates.
    package var index: [Int]
    /// What is there.
    package var actual: Double
    /// What should be there: the f64 reference, or the only bits allowed.
    package var expected: Double
    /// How far from it the element may be.
    package var bound: Double
  }

  /// What was found of one result.
  package struct Verdict: Sendable {
    /// What the operation allows.
    package var allowance: Allowance
    /// For each element, how far from the reference it may be.
    package var bounds: [Double]
    /// How far the result is from the f64 reference.
    package var statistics: ErrorStatistics
    /// The number of elements that are too far off.
    package var wrongCount: Int
    /// The first of them in row-major order.
    package var first: Difference?

    /// Whether every element is close enough.
    package var isRight: Bool { wrongCount == 0 }
  }

  /// Judges a node's results.
  ///
  /// - Parameters:
  ///   - operands: what the results were computed from, of the types that the graph says.
  ///   - results: the node's results, of the node's types.
  /// - Throws: a diagnostic when operands or results do not have their types.
  package static func judge(
    _ node: Node, in graph: Graph, operands: [Literal], results: [Literal]
  ) throws(Diagnostic) -> [Verdict] {
    guard results.map(\.type) == node.types else {
      throw Diagnostic(
        .typeMismatch,
        "\(node.operation.mnemonic) has results of \(node.types), not of \(results.map(\.type))",
        at: node.location)
    }
    let allowance = Allowance(node, in: graph)
    let wide = try evaluate(node, in: graph, operands, precision: .double)
    let typed = try evaluate(node, in: graph, operands)
    let scales = try magnitudes(of: node, in: graph, operands)
    // The interpreter's own result of a composite is rounded once; native code rounds in between.
    let rounded = allowance == .body ? try interpret(node.bodies[0], operands) : typed
    return results.indices.map { index in
      let bounds = allowance.bounds(
        wide: wide[index], rounded: rounded[index], scale: scales[index].doubles())
      return verdict(
        results[index], wide: wide[index], typed: typed[index], allowance, bounds)
    }
  }

  private static func verdict(
    _ actual: Literal, wide: Literal, typed: Literal, _ allowance: Allowance, _ bounds: [Double]
  ) -> Verdict {
    let values = actual.doubles()
    let exact = typed.doubles()
    let expected = allowance == .equalBits ? exact : wide.doubles()
    let hasEqualBits = elementsWithEqualBits(actual, typed)
    var verdict = Verdict(
      allowance: allowance, bounds: bounds,
      statistics: ErrorStatistics(actual, reference: wide), wrongCount: 0, first: nil)
    for index in values.indices where !hasEqualBits(index) {
      if values[index].isNaN && exact[index].isNaN { continue }
      let isClose =
        values[index].isFinite && expected[index].isFinite
        && abs(values[index] - expected[index]) <= bounds[index]
      if isClose, allowance != .equalBits { continue }
      verdict.wrongCount += 1
      if verdict.first == nil {
        verdict.first = Difference(
          index: coordinates(of: index, in: actual.type.shape), actual: values[index],
          expected: expected[index], bound: bounds[index])
      }
    }
    return verdict
  }

  /// Whether the elements with a number have the same bits in two literals of one type.
  private static func elementsWithEqualBits(_ x: Literal, _ y: Literal) -> (Int) -> Bool {
    let size = x.type.dtype.byteCount
    return { index in
      x.bytes[index * size..<(index + 1) * size].elementsEqual(
        y.bytes[index * size..<(index + 1) * size])
    }
  }

  private static func coordinates(of index: Int, in shape: Shape) -> [Int] {
    zip(shape.strides, shape.extents).map { index / $0 % $1 }
  }
}

extension Allowance {
  /// For each element of a result, how far from the f64 reference it may be.
  fileprivate func bounds(wide: Literal, rounded: Literal, scale: [Double]) -> [Double] {
    let dtype = rounded.type.dtype
    func ulps(_ count: Double) -> [Double] {
      wide.doubles().map { $0.isFinite ? count * ErrorStatistics.ulp(of: $0, in: dtype) : 0 }
    }
    switch self {
    case .equalBits: return scale.map { _ in 0 }
    case .ulps(let count): return ulps(count)
    case .sum(let terms): return errors(4 + 2 * Double(terms).squareRoot(), scale, ulps(1), dtype)
    case .product(let factors): return errors(Double(factors + 1), scale, ulps(1), dtype)
    case .body:
      let rounding = zip(wide.doubles(), rounded.doubles()).map { abs($0 - $1) }
      let largest = rounding.lazy.filter(\.isFinite).max() ?? 0
      return ulps(4).map { 16 * largest + $0 }
    }
  }

  /// `factor * epsilon * scale`, in the dtype in which a sum accumulates, and the rounding to a
  /// narrower dtype.
  private func errors(
    _ factor: Double, _ scale: [Double], _ ulps: [Double], _ dtype: DType
  ) -> [Double] {
    let isNarrow = dtype == .f16 || dtype == .bf16
    let accumulator = isNarrow ? DType.f32 : dtype
    let epsilon = accumulator.epsilon ?? 0
    let tiny = ErrorStatistics.ulp(of: 0, in: accumulator)
    return zip(scale, ulps).map { factor * (epsilon * $0 + tiny) + (isNarrow ? $1 : 0) }
  }
}
