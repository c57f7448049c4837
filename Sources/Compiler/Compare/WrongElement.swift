import GraphIR

/// One element that is not what it should be.
package struct WrongElement: Hashable, Sendable {
  /// The coordinates.
  package var coordinates: [Int]
  /// What is there.
  package var actual: Double
  /// The reference.
  package var expected: Double
  /// How far from the reference it may be.
  package var bound: Double

  /// The first element of `actual` that is further from the reference than its bound allows.
  ///
  /// NaN equals NaN; a zero that is known exactly has its sign.
  package static func first(in actual: Literal, reference: BoundedValue) -> WrongElement? {
    let dtype = actual.type.dtype
    let expected = reference.reference.doubles()
    let values = actual.doubles()
    for index in values.indices {
      let (value, target, bound) = (values[index], expected[index], reference.bounds[index])
      let isEqual = value == target && (bound > 0 || value.sign == target.sign)
      if isEqual || (value.isNaN && target.isNaN) || bound == .infinity { continue }
      if bound > 0, abs(value - target) <= bound { continue }
      // What lies beyond the largest value of the dtype is infinite in it.
      let ends = [target - bound, target + bound].map { Literal.scalar($0, dtype).doubles()[0] }
      if value.isInfinite, ends.contains(value) { continue }
      return WrongElement(
        coordinates: coordinates(index, in: actual.type.shape), actual: value, expected: target,
        bound: bound)
    }
    // The bits decide for integers too wide for a double.
    if !dtype.isFloat, reference.isExact, actual.bytes != reference.reference.bytes {
      return WrongElement(coordinates: [], actual: .nan, expected: .nan, bound: 0)
    }
    return nil
  }

  private static func coordinates(_ index: Int, in shape: Shape) -> [Int] {
    zip(shape.strides, shape.extents).map { index / max($0, 1) % max($1, 1) }
  }

  /// What is wrong, in words.
  package var message: String {
    "element \(coordinates) is \(actual) and should be \(expected) (within \(bound))"
  }
}
