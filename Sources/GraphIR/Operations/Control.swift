/// A nested graph with a name that says what it means (`softmax`, `attention`). Operands: the body's inputs; the
/// results are the body's outputs.
///
/// The body defines the value. A room may have a rule for a name; any other inlines the body.
public struct Composite: OperationAttributes {
  public static let kind = Operation.Kind.composite
  /// What the body means: letters, digits, `_` and `.`.
  public var name: String
  /// Makes the operation.
  public init(_ name: String) { self.name = name }
}

extension Composite {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    throw Diagnostic(.wrongCount, "composite has no body")
  }

  /// The types of the body's outputs, when the operands are what it takes.
  func inferTypes(_ operands: [TensorType], body: Graph) throws(Diagnostic) -> [TensorType] {
    let valid = name.utf8.allSatisfy { byte in
      switch UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte {
      case true: true
      case false:
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
          || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "_")
          || byte == UInt8(ascii: ".")
      }
    }
    try Inference.require(
      !name.isEmpty && valid, .invalidAttribute, "composite has the name '\(name)'",
      hint: "letters, digits, _ and .")
    try Inference.require(
      operands == body.inputs.map(\.type), .typeMismatch,
      "composite \(name) is given \(Inference.list(operands)), its body takes "
        + Inference.list(body.inputs.map(\.type)))
    return body.outputs.map { body.type(of: $0.value) }
  }
}
