import GraphIR

extension Simplifier {
  /// A transpose of an operand only renames the dimensions, as long as the free ones keep their order.
  mutating func visit(_ op: Dot) throws(Diagnostic) -> Value? {
    let (lhs, rhs) = (operands[0], operands[1])
    if let (operation, inner) = definition(of: lhs), case .transpose(let transpose) = operation,
      op.lhsFree(rank: shape(of: lhs).rank).map({ transpose.permutation[$0] }).isIncreasing
    {
      let renamed = Dot(
        batch: [op.lhsBatch.map { transpose.permutation[$0] }, op.rhsBatch],
        contracting: [op.lhsContracting.map { transpose.permutation[$0] }, op.rhsContracting])
      return try emit(.dot(renamed), inner[0], rhs)
    }
    if let (operation, inner) = definition(of: rhs), case .transpose(let transpose) = operation,
      op.rhsFree(rank: shape(of: rhs).rank).map({ transpose.permutation[$0] }).isIncreasing
    {
      let renamed = Dot(
        batch: [op.lhsBatch, op.rhsBatch.map { transpose.permutation[$0] }],
        contracting: [op.lhsContracting, op.rhsContracting.map { transpose.permutation[$0] }])
      return try emit(.dot(renamed), lhs, inner[0])
    }
    return nil
  }

  mutating func visit(_ op: Convolution) throws(Diagnostic) -> Value? { nil }
}

extension [Int] {
  fileprivate var isIncreasing: Bool { zip(self, dropFirst()).allSatisfy(<) }
}
