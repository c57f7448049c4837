import GraphIR

/// Nodes as expressions: each appends one at the location of the node being differentiated.
extension Differentiator {
  mutating func append(
    _ operation: Operation, _ operands: Value..., literal: Literal? = nil
  ) throws(Diagnostic) -> Value {
    try builder.append(operation, operands, literal: literal, at: location)[0]
  }

  mutating func constant(_ literal: Literal) throws(Diagnostic) -> Value {
    try append(.constant(Constant(literal.type)), literal: literal)
  }

  mutating func scalarConstant(_ number: Double, _ dtype: DType) throws(Diagnostic) -> Value {
    try constant(.scalar(number, dtype))
  }

  /// A tensor whose every element is one number.
  mutating func constant(_ number: Double, _ type: TensorType) throws(Diagnostic) -> Value {
    try broadcast(scalarConstant(number, type.dtype), to: type.shape, dimensions: [])
  }

  /// A tensor of a value's type whose every element is one number.
  mutating func constant(_ number: Double, like value: Value) throws(Diagnostic) -> Value {
    try constant(number, type(of: value))
  }

  mutating func unary(_ function: UnaryFunction, _ x: Value) throws(Diagnostic) -> Value {
    try append(.unary(Unary(function)), x)
  }

  mutating func binary(
    _ function: BinaryFunction, _ x: Value, _ y: Value
  ) throws(Diagnostic) -> Value {
    try append(.binary(Binary(function)), x, y)
  }

  mutating func add(_ x: Value, _ y: Value) throws(Diagnostic) -> Value {
    try binary(.add, x, y)
  }

  mutating func subtract(_ x: Value, _ y: Value) throws(Diagnostic) -> Value {
    try binary(.subtract, x, y)
  }

  mutating func multiply(_ x: Value, _ y: Value) throws(Diagnostic) -> Value {
    try binary(.multiply, x, y)
  }

  mutating func divide(_ x: Value, _ y: Value) throws(Diagnostic) -> Value {
    try binary(.divide, x, y)
  }

  mutating func scale(_ x: Value, by factor: Double) throws(Diagnostic) -> Value {
    try multiply(x, constant(factor, like: x))
  }

  mutating func compare(
    _ function: CompareFunction, _ x: Value, _ y: Value
  ) throws(Diagnostic) -> Value {
    try append(.compare(Compare(function)), x, y)
  }

  mutating func select(
    _ condition: Value, _ x: Value, _ y: Value
  ) throws(Diagnostic) -> Value {
    try append(.select(Select()), condition, x, y)
  }

  mutating func convert(_ x: Value, to dtype: DType) throws(Diagnostic) -> Value {
    type(of: x).dtype == dtype ? x : try append(.convert(Convert(dtype)), x)
  }

  mutating func reshape(_ x: Value, to shape: Shape) throws(Diagnostic) -> Value {
    self.shape(of: x) == shape ? x : try append(.reshape(Reshape(shape: shape)), x)
  }

  mutating func broadcast(
    _ x: Value, to shape: Shape, dimensions: [Int]
  ) throws(Diagnostic) -> Value {
    if self.shape(of: x) == shape, dimensions == Array(0..<shape.rank) { return x }
    return try append(.broadcast(Broadcast(shape: shape, dimensions: dimensions)), x)
  }

  mutating func transpose(_ x: Value, _ permutation: [Int]) throws(Diagnostic) -> Value {
    if permutation == Array(permutation.indices) { return x }
    return try append(.transpose(Transpose(permutation: permutation)), x)
  }

  mutating func slice(
    _ x: Value, start: [Int], limit: [Int], stride: [Int]? = nil
  ) throws(Diagnostic) -> Value {
    let slice = Slice(start: start, limit: limit, stride: stride)
    let isWhole = start.allSatisfy { $0 == 0 } && slice.stride.allSatisfy { $0 == 1 }
    if isWhole, limit == shape(of: x).extents { return x }
    return try append(.slice(slice), x)
  }

  mutating func pad(
    _ x: Value, _ number: Double = 0, low: [Int], high: [Int], interior: [Int]? = nil
  ) throws(Diagnostic) -> Value {
    let pad = Pad(low: low, high: high, interior: interior)
    if [pad.low, pad.high, pad.interior].allSatisfy({ $0.allSatisfy { $0 == 0 } }) { return x }
    return try append(.pad(pad), x, scalarConstant(number, type(of: x).dtype))
  }

  mutating func concatenate(_ parts: [Value], along dimension: Int) throws(Diagnostic) -> Value {
    if parts.count == 1 { return parts[0] }
    return try builder.append(
      .concatenate(Concatenate(dimension: dimension)), parts, at: location)[0]
  }

  mutating func reduce(
    _ function: ReduceFunction, _ x: Value, _ dimensions: [Int]
  ) throws(Diagnostic) -> Value {
    dimensions.isEmpty ? x : try append(.reduce(Reduce(function, dimensions: dimensions)), x)
  }
}
