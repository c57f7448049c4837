import GraphIR

/// Operations without an identity that would simplify them.
extension Simplifier {
  mutating func visit(_ op: Gather) throws(Diagnostic) -> Value? { nil }

  mutating func visit(_ op: Scatter) throws(Diagnostic) -> Value? { nil }

  mutating func visit(_ op: Random) throws(Diagnostic) -> Value? { nil }

  mutating func visit(_ op: Composite) throws(Diagnostic) -> Value? { nil }
}
