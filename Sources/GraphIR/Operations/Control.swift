/// A nested graph with a name that says what it means (`softmax`, `attention`).
///
/// Operands: the body's inputs; the results are the body's outputs.
///
/// The body defines the value. A room may have a rule for a name; any other inlines the body.
public struct Composite: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.composite
  /// The name of the identity through which what is computed again reads what was kept.
  ///
  /// Its results are no others than its operands, but what is computed from them stays apart from what was computed from
  /// these: passes neither look into it nor remove it, and no kernel reaches across it.
  public static let recomputation = "recompute"
  /// What the body means: letters, digits, `_` and `.`.
  public var name: String
  /// Makes the operation.
  public init(_ name: String) { self.name = name }
}
