import GraphIR

extension RandomGraph {
  /// Appends an operation of a kind, with what it needs; nothing where the values so far do not
  /// allow it.
  mutating func appendOperation(_ kind: Operation.Kind) throws(Diagnostic) {
    switch kind {
    case .unary: try appendUnary()
    case .binary: try appendBinary()
    case .compare: try appendCompare()
    case .select: try appendSelect()
    case .clamp: try appendClamp()
    case .convert: try appendConvert()
    case .constant: try appendConstant()
    case .iota: try appendIota()
    case .reshape: try appendReshape()
    case .broadcast: try appendBroadcast()
    case .transpose: try appendTranspose()
    case .slice: try appendSlice()
    case .pad: try appendPad()
    case .concatenate: try appendConcatenate()
    case .reverse: try appendReverse()
    case .dot: try appendDot()
    case .convolution: try appendConvolution()
    case .reduce: try appendReduce()
    case .argReduce: try appendArgReduce()
    case .reduceWindow: try appendReduceWindow()
    case .reduceWindowGradient: try appendReduceWindowGradient()
    case .gather: try appendGather()
    case .scatter: try appendScatter()
    case .random: try appendRandom()
    case .composite: try appendComposite()
    }
  }

  // MARK: Elementwise

  private mutating func appendUnary() throws(Diagnostic) {
    let function = pick(UnaryFunction.allCases)
    guard
      let found = pickValue({ type, facts in
        function.categories.contains(type.dtype.category)
          && (facts.isExact || !function.jumps || !type.dtype.isFloat)
      })
    else { return }
    var x = try tamed(found)
    let isFloat = builder.type(of: x).dtype.isFloat
    if isFloat && function.jumps && facts[x]?.isExact != true { return }
    if isFloat && function.needsPositive { x = try positive(x) }
    let bound = facts[x]?.bound ?? 1
    let result = try builder.unary(function, x)
    note(
      result, from: [x], bound: isFloat ? function.bound(bound) : nil,
      isExact: function.isExact)
    if !isFloat { facts[result]?.bound = Self.fullBound(builder.type(of: x).dtype) }
  }

  private mutating func appendBinary() throws(Diagnostic) {
    let function = pick(BinaryFunction.allCases)
    guard
      let found = pickValue({ type, facts in
        function.categories.contains(type.dtype.category)
          && (facts.isExact || function != .remainder || !type.dtype.isFloat)
      })
    else { return }
    var x = try tamed(found)
    let type = builder.type(of: x)
    var y = try tamed(try value(of: type))
    if type.dtype.isFloat {
      let areExact = facts[x]?.isExact == true && facts[y]?.isExact == true
      guard areExact || function != .remainder else { return }
      if function == .power { x = try positive(x) }
      if function == .divide || function == .remainder { y = try positive(y) }
      if function == .power {
        y = note(try builder.unary(.sin, y), from: [y], bound: 1, isExact: false)
      }
    }
    let (a, b) = (facts[x]?.bound ?? 1, facts[y]?.bound ?? 1)
    let result = try builder.binary(function, x, y)
    note(
      result, from: [x, y],
      bound: type.dtype.isFloat ? function.bound(a, b) : Self.fullBound(type.dtype),
      isExact: function.isExact)
  }

  private mutating func appendCompare() throws(Diagnostic) {
    guard let x = pickValue({ _, facts in facts.isExact }) else { return }
    let y = try value(of: builder.type(of: x))
    guard facts[y]?.isExact == true else { return }
    note(try builder.compare(pick(CompareFunction.allCases), x, y), bound: 1, isExact: true)
  }

  private mutating func appendSelect() throws(Diagnostic) {
    guard let x = pickValue({ _, _ in true }) else { return }
    let type = builder.type(of: x)
    let (y, condition) = (
      try value(of: type), try value(of: TensorType(.bool, type.shape))
    )
    note(try builder.select(condition, x, y), from: [x, y])
  }

  private mutating func appendClamp() throws(Diagnostic) {
    guard let x = pickValue({ type, _ in type.dtype != .bool }) else { return }
    let type = builder.type(of: x)
    let (low, high) = (try value(of: type), try value(of: type))
    note(try builder.clamp(low, x, high), from: [low, x, high])
  }

  private mutating func appendConvert() throws(Diagnostic) {
    let target = randomDType()
    guard
      var x = pickValue({ type, facts in
        type.dtype != target && (facts.isExact || target.isFloat)
      })
    else { return }
    let type = builder.type(of: x)
    if type.dtype.isInteger && target.isFloat, (facts[x]?.bound ?? 0) > 8 {
      let seven = note(try builder.scalar(7, type.dtype), bound: 7, isExact: true)
      let mask = try broadcast(seven, to: type.shape)
      x = note(try builder.binary(.and, x, mask), from: [x], bound: 7)
    }
    if target.isFloat { x = try tamed(x) }
    let result = try builder.convert(x, target)
    let widens = (target.epsilon ?? 0) <= (type.dtype.epsilon ?? 1)
    note(result, from: [x], isExact: widens)
    if target.isInteger { facts[result]?.bound = Self.fullBound(target) }
  }

  // MARK: Shaping

  private mutating func appendConstant() throws(Diagnostic) {
    let type = randomType()
    let elements = (0..<type.shape.elementCount).map { _ in Double(below(65)) / 16 - 2 }
    note(
      try builder.constant(Literal(type, doubles: elements)),
      bound: type.dtype.isFloat ? 2 : Self.fullBound(type.dtype), isExact: true)
  }

  private mutating func appendIota() throws(Diagnostic) {
    let type = TensorType(randomDType(), randomShape())
    guard type.dtype != .bool, type.shape.rank > 0 else { return }
    let dimension = below(type.shape.rank)
    note(
      try builder.iota(type, dimension: dimension),
      bound: Double(max(type.shape[dimension], 1)), isExact: true)
  }

  private mutating func appendReshape() throws(Diagnostic) {
    guard let x = pickValue({ _, _ in true }) else { return }
    let count = builder.type(of: x).shape.elementCount
    var rest = count
    var extents: [Int] = []
    while rest > 1 && extents.count < 3 {
      let divisors = (1...rest).filter { rest.isMultiple(of: $0) }
      extents.append(pick(divisors))
      rest /= extents[extents.count - 1]
    }
    let shape = Shape(count == 0 ? [0, extent()] : extents + [rest])
    let result = try builder.reshape(x, shape)
    if result != x { note(result, from: [x]) }
  }

  private mutating func appendBroadcast() throws(Diagnostic) {
    guard let x = pickValue({ type, _ in type.shape.rank < 4 }) else { return }
    let from = builder.type(of: x).shape
    var shape = Shape([])
    var dimensions: [Int] = []
    let room = Self.maximumElementCount / max(from.elementCount, 1)
    for dimension in 0..<from.rank {
      if shape.elementCount == 1, chance(0.3) { shape.extents.append(min(extent(), room)) }
      dimensions.append(shape.rank)
      shape.extents.append(from[dimension])
    }
    if shape.elementCount <= from.elementCount, chance(0.5) {
      shape.extents.append(min(extent(), room))
    }
    note(try builder.broadcast(x, to: shape, dimensions: dimensions), from: [x])
  }

  private mutating func appendTranspose() throws(Diagnostic) {
    guard let x = pickValue({ type, _ in type.shape.rank > 0 }) else { return }
    let permutation = Array(0..<builder.type(of: x).shape.rank).shuffled(using: &generator)
    let moved = note(try builder.transpose(x, permutation), from: [x])
    if chance(0.5) { return }
    // There and back, with something between, as in graphs that were written for another layout.
    var inverse = permutation
    for (place, dimension) in permutation.enumerated() { inverse[dimension] = place }
    let type = builder.type(of: moved)
    guard type.dtype != .bool else { return }
    var y = moved
    if chance(0.5) {
      y = note(try builder.clamp(value(of: type), y, value(of: type)), from: [y])
    }
    if chance(0.5) {
      let dimensions = (0..<type.shape.rank).filter { _ in chance(0.5) }
      let top = try builder.reduce(.max, y, dimensions: dimensions)
      let kept = (0..<type.shape.rank).filter { !dimensions.contains($0) }
      if !dimensions.contains(where: { type.shape[$0] == 0 }) {
        let tops = try builder.broadcast(top, to: type.shape, dimensions: kept)
        y = note(try builder.binary(.minimum, y, tops), from: [y])
      }
    }
    note(try builder.transpose(y, inverse), from: [y])
  }

  private mutating func appendSlice() throws(Diagnostic) {
    guard let x = pickValue({ type, _ in type.shape.rank > 0 }) else { return }
    let extents = builder.type(of: x).shape.extents
    let start = extents.map { $0 == 0 ? 0 : below(min($0, 3)) }
    let limit = zip(extents, start).map { extent, start in
      chance(0.6) ? extent : below(extent + 1, atLeast: start)
    }
    let stride = extents.map { _ in pick([1, 1, 1, 2, 3]) }
    note(try builder.slice(x, start: start, limit: limit, stride: stride), from: [x])
  }

  private mutating func appendPad() throws(Diagnostic) {
    guard let x = pickValue({ type, _ in type.shape.elementCount < 200 }) else { return }
    let type = builder.type(of: x)
    let low = type.shape.extents.map { $0 > 2 && chance(0.2) ? -1 : below(3) }
    let high = type.shape.extents.map { $0 > 2 && chance(0.2) ? -1 : below(3) }
    let interior = type.shape.extents.map { _ in chance(0.8) ? 0 : 1 }
    let filler = try value(of: TensorType(type.dtype, []))
    note(
      try builder.pad(x, with: filler, low: low, high: high, interior: interior),
      from: [x, filler])
  }

  private mutating func appendConcatenate() throws(Diagnostic) {
    guard
      let x = pickValue({ type, _ in type.shape.rank > 0 && type.shape.elementCount < 1000 })
    else { return }
    let type = builder.type(of: x)
    let dimension = below(type.shape.rank)
    var operands = [x]
    for _ in 0..<below(3) {
      var other = type
      if chance(0.5) { other.shape[dimension] = min(extent(), 4) }
      operands.append(try value(of: other))
    }
    note(try builder.concatenate(operands, dimension: dimension), from: operands)
  }

  private mutating func appendReverse() throws(Diagnostic) {
    guard let x = pickValue({ type, _ in type.shape.rank > 0 }) else { return }
    let rank = builder.type(of: x).shape.rank
    let dimensions = (0..<rank).filter { _ in chance(0.5) }
    note(try builder.reverse(x, dimensions: dimensions), from: [x])
  }
}

extension UnaryFunction {
  /// Whether near arguments can have results that are far from each other.
  fileprivate var jumps: Bool {
    switch self {
    case .sign, .floor, .ceil, .round: true
    case .negate, .abs, .exp, .expm1, .log, .log1p, .sqrt, .rsqrt, .sin, .cos, .tanh, .sigmoid,
      .softplus, .erf, .not:
      false
    }
  }

  /// Whether the result is never rounded.
  fileprivate var isExact: Bool {
    switch self {
    case .negate, .abs, .sign, .floor, .ceil, .round, .not: true
    case .exp, .expm1, .log, .log1p, .sqrt, .rsqrt, .sin, .cos, .tanh, .sigmoid, .softplus,
      .erf:
      false
    }
  }

  /// Whether it is defined only above 0.
  fileprivate var needsPositive: Bool {
    switch self {
    case .log, .sqrt, .rsqrt, .log1p: true
    case .negate, .abs, .sign, .exp, .expm1, .sin, .cos, .tanh, .sigmoid, .softplus, .erf, .floor,
      .ceil, .round, .not:
      false
    }
  }

  /// The greatest absolute value of the result for arguments up to a bound (from 1/2 where
  /// positive).
  fileprivate func bound(_ x: Double) -> Double {
    switch self {
    case .negate, .abs, .log, .log1p, .sqrt: max(x, 1)
    case .floor, .ceil, .round, .softplus: x + 1
    case .exp, .expm1: Double(sign: .plus, exponent: Int(min(1.5 * x + 1, 40)), significand: 1)
    case .rsqrt: 2
    case .sign, .sin, .cos, .tanh, .sigmoid, .erf, .not: 1
    }
  }
}

extension BinaryFunction {
  /// Whether the result for floats is never rounded.
  fileprivate var isExact: Bool {
    switch self {
    case .remainder, .maximum, .minimum, .and, .or, .xor, .shiftLeft, .shiftRightArithmetic,
      .shiftRightLogical:
      true
    case .add, .subtract, .multiply, .divide, .power: false
    }
  }

  /// The greatest absolute value of the result for floats up to bounds (divisors from 1/2).
  fileprivate func bound(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .add, .subtract: x + y
    case .multiply: x * y
    case .divide: 2 * x
    case .remainder: y
    // The exponent lies within -1 ... 1, the base above 1/2.
    case .power: max(x, 2)
    case .maximum, .minimum, .and, .or, .xor, .shiftLeft, .shiftRightArithmetic,
      .shiftRightLogical:
      max(x, y)
    }
  }
}
