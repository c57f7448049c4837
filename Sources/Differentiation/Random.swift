import GraphIR

extension Differentiator {
  mutating func visit(_ op: Random) throws(Diagnostic) -> VectorJacobianProduct {
    .notDifferentiable("its operand is an integer state")
  }
}
