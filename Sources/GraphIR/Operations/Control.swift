/// A nested graph with a name that says what it means (`softmax`, `attention`).
///
/// Operands: the body's inputs; the results are the body's outputs.
///
/// The body defines the value. A room may have a rule for a name; any other inlines the body.
public struct Composite: OperationAttributes {
  /// The operation's place in the closed set.
  public static let kind = Operation.Kind.composite
  /// What the body means: letters, digits, `_` and `.`.
  public var name: String
  /// Makes the operation.
  public init(_ name: String) { self.name = name }
}
