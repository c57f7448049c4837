import GraphIR

/// A random well-typed graph of 5 to 40 operations of all kinds, mixed dtypes and awkward extents.
///
/// Floats are kept near 1, and what jumps (comparisons, rounding, argmax) is applied only to values
/// that are the same on every backend, so that two right answers are near each other.
package struct RandomGraph {
  /// What is known of a value's elements.
  struct Facts {
    /// The greatest absolute value, for elements as `Graph.seededInputs` draws them.
    var bound: Double
    /// Whether nothing was rounded on the way, so that every backend in every precision gives it.
    var isExact: Bool
  }

  /// The most elements that a value has.
  static let maximumElementCount = 4096
  /// The greatest absolute value of floats that operations are given.
  static let maximumBound = 16.0

  var generator: SplitMix64
  var builder: GraphBuilder
  var facts: [Value: Facts] = [:]
  /// The values defined so far.
  var values: [Value] = []
  private var inputCount = 0

  /// Starts the graph of a seed: the same seed gives the same graph.
  package init(seed: UInt64) {
    generator = SplitMix64(seed: seed)
    builder = GraphBuilder(name: "random\(seed)")
  }

  /// Makes the graph.
  ///
  /// - Throws: a diagnostic when an ill-typed node was made, which is a bug here or in inference.
  package consuming func make() throws(Diagnostic) -> Graph {
    for _ in 0..<below(3, atLeast: 1) { _ = input(randomType()) }
    let operationCount = below(41, atLeast: 5)
    // Elementwise families hold many functions, and chains of them are what fusion joins.
    let frequent: [Operation.Kind] = [.unary, .unary, .unary, .binary, .binary, .binary, .compare]
    var attempts = 0
    while builder.graph.nodes.count < operationCount && attempts < 400 {
      attempts += 1
      builder.location = Location(
        file: "random.mir", line: attempts, path: "block\(attempts / 8).step\(attempts)")
      try appendOperation(pick(Operation.Kind.allCases + frequent))
    }
    return try finish()
  }

  private mutating func finish() throws(Diagnostic) -> Graph {
    let uses = builder.graph.useCounts()
    let unused = values.filter { uses[Int($0.index)] == 0 && builder.graph.input(of: $0) == nil }
    // Most unused values are given; what is left is dead on purpose.
    var given = unused.filter { _ in chance(0.9) }.prefix(6).map { $0 }
    if given.isEmpty || chance(0.3) { given.append(pick(values)) }
    if chance(0.1) { given.append(given[0]) }
    donate(to: given)
    return try builder.finish(
      given.enumerated().map { Output("y\($0.offset)", $0.element) })
  }

  /// Donates some inputs to computed outputs of their types.
  private mutating func donate(to given: [Value]) {
    var taken: Set<Int> = []
    for input in builder.graph.inputs.indices where chance(0.4) {
      let receiver = given.indices.first { position in
        !taken.contains(position) && builder.graph.input(of: given[position]) == nil
          && builder.type(of: given[position]) == builder.graph.inputs[input].type
      }
      guard let receiver else { continue }
      builder.graph.inputs[input].donatedTo = receiver
      taken.insert(receiver)
    }
  }

  // MARK: Chance

  mutating func below(_ limit: Int, atLeast least: Int = 0) -> Int {
    Int.random(in: least..<limit, using: &generator)
  }

  mutating func chance(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &generator) < probability
  }

  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  /// A value that satisfies a condition; nil when there is none.
  mutating func pickValue(_ condition: (TensorType, Facts) -> Bool) -> Value? {
    let fitting = values.filter { value in
      facts[value].map { condition(builder.type(of: value), $0) } ?? false
    }
    // Recent values are preferred, so that graphs get deep.
    guard !fitting.isEmpty else { return nil }
    return chance(0.5) ? pick(fitting.suffix(4)) : pick(fitting)
  }

  // MARK: Types

  mutating func extent() -> Int {
    chance(0.02) ? 0 : pick([1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33])
  }

  mutating func randomShape(rank: Int? = nil) -> Shape {
    var shape = Shape([])
    for _ in 0..<(rank ?? pick([0, 1, 1, 2, 2, 2, 3, 4])) {
      let extent = extent()
      let isSmall = shape.elementCount * extent <= Self.maximumElementCount / 8
      shape.extents.append(isSmall ? extent : 1)
    }
    return shape
  }

  mutating func randomDType() -> DType {
    chance(0.6) ? .f32 : pick(DType.allCases + [.f64, .i32, .i64, .bool])
  }

  mutating func randomType() -> TensorType { TensorType(randomDType(), randomShape()) }

  /// The greatest absolute value of an integer dtype's elements.
  static func fullBound(_ dtype: DType) -> Double {
    switch dtype.category {
    case .float: maximumBound
    case .signed, .unsigned: Double(sign: .plus, exponent: dtype.bitCount, significand: 1)
    case .bool: 1
    }
  }

  // MARK: Values

  /// Notes a new value.
  @discardableResult
  mutating func note(_ value: Value, bound: Double, isExact: Bool) -> Value {
    facts[value] = Facts(bound: bound, isExact: isExact)
    values.append(value)
    return value
  }

  /// Notes a value computed from others: exact where they are, unless said otherwise.
  @discardableResult
  mutating func note(
    _ value: Value, from operands: [Value], bound: Double? = nil, isExact: Bool = true
  ) -> Value {
    let known = operands.compactMap { facts[$0] }
    let dtype = builder.type(of: value).dtype
    let greatest = bound ?? known.map(\.bound).max() ?? Self.fullBound(dtype)
    return note(
      value, bound: dtype.isFloat ? greatest : min(greatest, Self.fullBound(dtype)),
      isExact: !dtype.isFloat || isExact && known.allSatisfy(\.isExact))
  }

  mutating func input(_ type: TensorType) -> Value {
    let value = builder.input("x\(inputCount)", type)
    inputCount += 1
    let bound = type.dtype.isInteger ? 8.0 : 1
    return note(value, bound: bound, isExact: true)
  }

  /// A value of a type: one that is there, an input, a constant, or one converted and broadcast to
  /// it.
  mutating func value(of type: TensorType) throws(Diagnostic) -> Value {
    if chance(0.6), let value = pickValue({ found, _ in found == type }) { return value }
    if chance(0.25) {
      let scalar = try builder.scalar(Double(below(9)) / 4, type.dtype)
      note(scalar, bound: 2, isExact: true)
      return try broadcast(scalar, to: type.shape)
    }
    return input(type)
  }

  /// Repeats a scalar.
  mutating func broadcast(_ scalar: Value, to shape: Shape) throws(Diagnostic) -> Value {
    guard shape.rank > 0 else { return scalar }
    return note(try builder.broadcast(scalar, to: shape, dimensions: []), from: [scalar])
  }

  /// A number near x's type that is not large: x itself, or scaled down.
  mutating func tamed(_ x: Value) throws(Diagnostic) -> Value {
    let type = builder.type(of: x)
    guard let known = facts[x], type.dtype.isFloat, known.bound > Self.maximumBound else {
      return x
    }
    if chance(0.3) {
      return note(try builder.unary(.tanh, x), from: [x], bound: 1, isExact: false)
    }
    let scalar = try builder.scalar(1 / known.bound, type.dtype)
    let factor = try broadcast(note(scalar, bound: 1, isExact: true), to: type.shape)
    return note(try builder.multiply(x, factor), from: [x], bound: 1, isExact: false)
  }

  /// The larger of |x| and 1/2.
  mutating func positive(_ x: Value) throws(Diagnostic) -> Value {
    let type = builder.type(of: x)
    let magnitude = note(try builder.unary(.abs, x), from: [x])
    let half = note(try builder.scalar(0.5, type.dtype), bound: 0.5, isExact: true)
    let least = try broadcast(half, to: type.shape)
    return note(try builder.binary(.maximum, magnitude, least), from: [magnitude, least])
  }
}
