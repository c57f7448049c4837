import GraphIR

extension Simplifier {
  /// Windows of one element take a slice.
  mutating func visit(_ op: ReduceWindow) throws(Diagnostic) -> Value? {
    guard op.function.keepsSingleElements(of: type.dtype), op.window.size.allSatisfy({ $0 == 1 }),
      op.window.padding.allSatisfy({ $0 == [0, 0] })
    else { return nil }
    let extents = shape(of: operands[0]).extents
    return try emit(
      .slice(
        Slice(start: extents.map { _ in 0 }, limit: extents, stride: op.window.stride)),
      operands[0])
  }

  mutating func visit(_ op: ReduceWindowGradient) throws(Diagnostic) -> Value? { nil }
}
