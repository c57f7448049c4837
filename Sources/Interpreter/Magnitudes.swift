import GraphIR

/// The scale of the rounding errors in each element of a node's results, as f64 literals.
///
/// For a sum (`dot`, `convolution`, and `reduce`, `reduce_window`, `scatter` with `sum`, and
/// `reduce_window_gradient`) this is the sum of the absolute values of its terms; for others the
/// result's absolute value. Integers and bools come as their doubles' absolute values.
///
/// - Parameter operands: of the types that the operands have in `graph`, where any float may be
///   f64.
package func magnitudes(
  of node: Node, in graph: Graph, _ operands: [Literal]
) throws(Diagnostic) -> [Literal] {
  var evaluator = try Evaluator(node, in: graph, operands, .double)
  evaluator.absolute = true
  return try node.operation.accept(&evaluator).map { result in
    let values = result.literal(.double).doubles().map(\.magnitude)
    return Literal(TensorType(.f64, result.shape), doubles: values)
  }
}
