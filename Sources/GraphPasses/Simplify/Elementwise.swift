import GraphIR

extension Simplifier {
  mutating func visit(_ op: Unary) throws(Diagnostic) -> Value? {
    let x = operands[0]
    let inner = definition(of: x)
    if let (operation, operands) = inner, case .unary(let other) = operation {
      let undoesItself = op.function == .negate || op.function == .not
      if undoesItself, other == op { return operands[0] }
      if op.function == .abs, other.function == .negate { return try emit(.unary(op), operands[0]) }
      if other == op, op.function == .abs || op.function == .sign { return x }
      if op.function.rounds, other.function.rounds { return x }
    }
    if op.function == .not, let (operation, operands) = inner,
      case .compare(let compare) = operation,
      let opposite = compare.function.opposite(of: builder.type(of: operands[0]).dtype)
    {
      return try emit(.compare(Compare(opposite)), operands)
    }
    return try applyBeforeBroadcast(.unary(op))
  }

  mutating func visit(_ op: Compare) throws(Diagnostic) -> Value? {
    // A NaN differs from itself.
    if operands[0] == operands[1], !builder.type(of: operands[0]).dtype.isFloat {
      switch op.function {
      case .equal, .lessEqual, .greaterEqual: return try splat(1)
      case .notEqual, .less, .greater: return try splat(0)
      }
    }
    return try applyBeforeBroadcast(.compare(op))
  }

  mutating func visit(_ op: Select) throws(Diagnostic) -> Value? {
    let (condition, x, y) = (operands[0], operands[1], operands[2])
    if x == y || isConstant(condition, 1) { return x }
    if isConstant(condition, 0) { return y }
    if type.dtype == .bool, isConstant(x, 1), isConstant(y, 0) { return condition }
    if let (operation, operands) = definition(of: condition), case .unary(let unary) = operation,
      unary.function == .not
    {
      return try emit(.select(op), operands[0], y, x)
    }
    return try applyBeforeBroadcast(.select(op))
  }

  mutating func visit(_ op: Clamp) throws(Diagnostic) -> Value? {
    try applyBeforeBroadcast(.clamp(op))
  }

  mutating func visit(_ op: Convert) throws(Diagnostic) -> Value? {
    let x = operands[0]
    if builder.type(of: x).dtype == op.dtype { return x }
    if let (operation, operands) = definition(of: x), case .convert(let inner) = operation {
      let source = builder.type(of: operands[0]).dtype
      // Integers wrap into integers, but what is a float by then saturates.
      let keepsMeaning =
        !source.isInteger || !inner.dtype.isFloat || op.dtype.isFloat || op.dtype == .bool
        || op.dtype == source
      if source.isExact(in: inner.dtype), keepsMeaning {
        return try emit(.convert(op), operands[0])
      }
    }
    return try applyBeforeBroadcast(.convert(op))
  }

  /// An elementwise operation on tensors that all repeat elements in the same way, or repeat scalars, as the
  /// repetition of the operation on what they repeat.
  mutating func applyBeforeBroadcast(_ operation: Operation) throws(Diagnostic) -> Value? {
    var sources: [Value] = []
    var common = Broadcast(shape: type.shape, dimensions: [])
    var shape: Shape = []
    for operand in operands {
      guard let (definition, inner) = definition(of: operand),
        case .broadcast(let broadcast) = definition
      else { return nil }
      let source = self.shape(of: inner[0])
      if source.rank > 0 {
        guard shape.rank == 0 || (source == shape && broadcast == common) else { return nil }
        (common, shape) = (broadcast, source)
      }
      sources.append(inner[0])
    }
    guard shape.elementCount < type.shape.elementCount else { return nil }
    var small: [Value] = []
    for source in sources {
      let fits = self.shape(of: source) == shape
      small.append(
        fits
          ? source : try emit(.broadcast(Broadcast(shape: shape, dimensions: [])), source))
    }
    return try emit(.broadcast(common), emit(operation, small))
  }
}

extension UnaryFunction {
  /// Whether the function gives integers, and leaves them as they are.
  fileprivate var rounds: Bool {
    switch self {
    case .floor, .ceil, .round: true
    case .negate, .abs, .sign, .exp, .expm1, .log, .log1p, .sqrt, .rsqrt, .sin, .cos, .tanh,
      .sigmoid, .softplus, .erf, .not:
      false
    }
  }
}

extension CompareFunction {
  /// The comparison that holds exactly where this one does not.
  fileprivate func opposite(of dtype: DType) -> CompareFunction? {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    // Comparisons with NaN are false both ways.
    case .less: dtype.isFloat ? nil : .greaterEqual
    case .lessEqual: dtype.isFloat ? nil : .greater
    case .greater: dtype.isFloat ? nil : .lessEqual
    case .greaterEqual: dtype.isFloat ? nil : .less
    }
  }
}

extension DType {
  /// Whether every element of this type is an element of another.
  fileprivate func isExact(in other: DType) -> Bool {
    switch (category, other.category) {
    case (.bool, _): true
    case (_, .bool): self == other
    case (.float, .float):
      significandBits <= other.significandBits && exponentBits <= other.exponentBits
    case (.float, .signed), (.float, .unsigned): false
    case (.signed, .signed), (.unsigned, .unsigned): bitCount <= other.bitCount
    case (.unsigned, .signed): bitCount < other.bitCount
    case (.signed, .unsigned): false
    case (.signed, .float): bitCount - 1 <= other.significandBits
    case (.unsigned, .float): bitCount <= other.significandBits
    }
  }

  /// The bits of the significand, with the one that is not stored; 0 for what is no float.
  private var significandBits: Int {
    switch self {
    case .f32: 24
    case .f64: 53
    case .f16: 11
    case .bf16: 8
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: 0
    }
  }

  private var exponentBits: Int {
    switch self {
    case .f32, .bf16: 8
    case .f64: 11
    case .f16: 5
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: 0
    }
  }
}
