import GraphIR
import LoopIR

extension Lowerer {
  /// The body in place of the composite.
  mutating func visit(_ op: Composite) throws(Diagnostic) -> [Int] {
    guard let body = node.bodies.first else {
      throw Diagnostic(.internalError, "a composite without a body", at: node.location)
    }
    return try lower(body, inputs: operands, inside: origin.location)
  }
}
