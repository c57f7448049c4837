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
