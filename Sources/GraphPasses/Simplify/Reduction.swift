import GraphIR

extension Simplifier {
  mutating func visit(_ op: Reduce) throws(Diagnostic) -> Value? {
    let x = operands[0]
    guard op.function.keepsSingleElements(of: type.dtype),
      op.dimensions.allSatisfy({ shape(of: x)[$0] == 1 })
    else { return nil }
    return try emit(.reshape(Reshape(shape: type.shape)), x)
  }

  mutating func visit(_ op: ArgReduce) throws(Diagnostic) -> Value? {
    shape(of: operands[0])[op.dimension] == 1 ? try splat(0) : nil
  }
}

extension ReduceFunction {
  /// Whether the combination of one element is that element: a sum begins at 0 and turns -0 into 0.
  func keepsSingleElements(of dtype: DType) -> Bool {
    switch self {
    case .sum: !dtype.isFloat
    case .product, .max, .min: true
    }
  }
}
