import GraphIR

/// What comparing the native code of a graph with the interpreter found.
public struct Comparison: Sendable {
  /// One output of the graph, end to end.
  public struct OutputReport: Sendable {
    /// The output's name.
    public var name: String
    /// The output's type.
    public var type: TensorType
    /// The native code against an f64 run of the interpreter.
    public var jit: ErrorStatistics
    /// The interpreter in the graph's own dtypes against its f64 run: what rounding alone does.
    public var interpreter: ErrorStatistics
  }

  /// The first value that is wrong.
  public struct Failure: Sendable {
    /// The stage after which it appears: `pass simplify`, `fusion`, `memory plan`, `schedule`, `llvm`.
    public var stage: String
    /// The operation, as the textual IR names it.
    public var operation: String
    /// Where the operation comes from.
    public var location: Location
    /// What differs: the value or output, the element, what is there and what should be.
    public var message: String

    /// The failure as an error.
    public var diagnostic: Diagnostic {
      Diagnostic(
        .mismatch, "\(operation): \(message)", at: location,
        notes: ["it appears after: \(stage)"])
    }
  }

  /// The outputs, end to end: for information, since early rounding may flip a later comparison.
  public var outputs: [OutputReport] = []
  /// The number of kernel results that were judged, each on the native code's own inputs.
  public var judgedResults = 0
  /// The first wrong value; nil when all is right.
  public var failure: Failure?

  /// Whether every kernel result was right.
  public var isEqual: Bool { failure == nil }
}

/// One element that is not what it should be.
struct WrongElement {
  /// The coordinates.
  var coordinates: [Int]
  var actual: Double
  var expected: Double
  var bound: Double

  /// The first element of `actual` that is further from the reference than its bound allows.
  static func first(in actual: Literal, reference: BoundedValue) -> WrongElement? {
    let dtype = actual.type.dtype
    let expected = reference.reference.doubles()
    let values = actual.doubles()
    for index in values.indices {
      let (value, target, bound) = (values[index], expected[index], reference.bounds[index])
      if value == target || (value.isNaN && target.isNaN) || bound == .infinity { continue }
      if abs(value - target) <= bound { continue }
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

  var message: String {
    "element \(coordinates) is \(actual) and should be \(expected) (within \(bound))"
  }
}
