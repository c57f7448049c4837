extension Operation {
  /// The types of the results of a node with these operands, bodies and literal.
  package func inferTypes(
    _ operands: [TensorType], bodies: [Graph], literal: Literal?
  ) throws(Diagnostic) -> [TensorType] {
    try attributes.inferTypes(operands)
  }
}
