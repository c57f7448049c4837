/// One method per operation, in the order of the families. Each throws as `append` does.
extension GraphBuilder {
  /// Appends a node with one result.
  private mutating func single(
    _ operation: Operation, _ operands: Value..., literal: Literal? = nil
  ) throws(Diagnostic) -> Value {
    let results = try append(operation, operands, literal: literal)
    guard let result = results.first, results.count == 1 else {
      throw Diagnostic(
        .internalError, "\(operation.mnemonic) has \(results.count) results instead of one")
    }
    return result
  }

  // MARK: Elementwise

  /// `function(x)`.
  public mutating func unary(
    _ function: UnaryFunction, _ x: Value
  ) throws(Diagnostic) -> Value {
    try single(.unary(Unary(function)), x)
  }

  /// `function(x, y)`.
  public mutating func binary(
    _ function: BinaryFunction, _ x: Value, _ y: Value
  ) throws(Diagnostic) -> Value {
    try single(.binary(Binary(function)), x, y)
  }

  /// `x + y`.
  public mutating func add(_ x: Value, _ y: Value) throws(Diagnostic) -> Value {
    try binary(.add, x, y)
  }

  /// `x - y`.
  public mutating func subtract(_ x: Value, _ y: Value) throws(Diagnostic) -> Value {
    try binary(.subtract, x, y)
  }

  /// `x * y`.
  public mutating func multiply(_ x: Value, _ y: Value) throws(Diagnostic) -> Value {
    try binary(.multiply, x, y)
  }

  /// `x / y`.
  public mutating func divide(_ x: Value, _ y: Value) throws(Diagnostic) -> Value {
    try binary(.divide, x, y)
  }

  /// `-x`.
  public mutating func negate(_ x: Value) throws(Diagnostic) -> Value { try unary(.negate, x) }

  /// `function(x, y)` as bool.
  public mutating func compare(
    _ function: CompareFunction, _ x: Value, _ y: Value
  ) throws(Diagnostic) -> Value {
    try single(.compare(Compare(function)), x, y)
  }

  /// `condition ? x : y`.
  public mutating func select(
    _ condition: Value, _ x: Value, _ y: Value
  ) throws(Diagnostic) -> Value {
    try single(.select(Select()), condition, x, y)
  }

  /// x, but at least `low` and at most `high`.
  public mutating func clamp(
    _ low: Value, _ x: Value, _ high: Value
  ) throws(Diagnostic) -> Value {
    try single(.clamp(Clamp()), low, x, high)
  }

  /// x with another element type; x itself when it has that type.
  public mutating func convert(_ x: Value, _ dtype: DType) throws(Diagnostic) -> Value {
    type(of: x).dtype == dtype ? x : try single(.convert(Convert(dtype)), x)
  }

  // MARK: Shaping

  /// A tensor known now.
  public mutating func constant(_ literal: Literal) throws(Diagnostic) -> Value {
    try single(.constant(Constant(literal.type)), literal: literal)
  }

  /// A scalar of a dtype, converted as `convert` does from f64.
  public mutating func scalar(_ value: Double, _ dtype: DType) throws(Diagnostic) -> Value {
    try constant(.scalar(value, dtype))
  }

  /// A tensor of one repeated value: a scalar constant, broadcast unless the type is a scalar's.
  public mutating func splat(_ value: Double, _ type: TensorType) throws(Diagnostic) -> Value {
    let scalar = try scalar(value, type.dtype)
    return type.shape.rank == 0 ? scalar : try broadcast(scalar, to: type.shape, dimensions: [])
  }

  /// The index along a dimension.
  public mutating func iota(_ type: TensorType, dimension: Int) throws(Diagnostic) -> Value {
    try single(.iota(Iota(type, dimension: dimension)))
  }

  /// x's elements under another shape; x itself when it has that shape.
  public mutating func reshape(_ x: Value, _ shape: Shape) throws(Diagnostic) -> Value {
    type(of: x).shape == shape ? x : try single(.reshape(Reshape(shape: shape)), x)
  }

  /// x repeated: its dimension d becomes dimension `dimensions[d]` of the shape.
  public mutating func broadcast(
    _ x: Value, to shape: Shape, dimensions: [Int]
  ) throws(Diagnostic) -> Value {
    try single(.broadcast(Broadcast(shape: shape, dimensions: dimensions)), x)
  }

  /// x with dimension `permutation[d]` as dimension d.
  public mutating func transpose(_ x: Value, _ permutation: [Int]) throws(Diagnostic) -> Value {
    try single(.transpose(Transpose(permutation: permutation)), x)
  }

  /// The elements of x from `start` to before `limit`.
  public mutating func slice(
    _ x: Value, start: [Int], limit: [Int], stride: [Int]? = nil
  ) throws(Diagnostic) -> Value {
    try single(.slice(Slice(start: start, limit: limit, stride: stride)), x)
  }

  /// x surrounded (and interspersed) with a scalar value; negative numbers cut.
  public mutating func pad(
    _ x: Value, with value: Value, low: [Int], high: [Int], interior: [Int]? = nil
  ) throws(Diagnostic) -> Value {
    try single(.pad(Pad(low: low, high: high, interior: interior)), x, value)
  }

  /// The operands, one behind the other along a dimension.
  public mutating func concatenate(
    _ operands: [Value], dimension: Int
  ) throws(Diagnostic) -> Value {
    try append(.concatenate(Concatenate(dimension: dimension)), operands)[0]
  }

  /// x backwards along dimensions.
  public mutating func reverse(_ x: Value, dimensions: [Int]) throws(Diagnostic) -> Value {
    try single(.reverse(Reverse(dimensions: dimensions)), x)
  }

  // MARK: Contraction

  /// The sum of products over the contracting dimensions, each list `[left's, right's]`.
  public mutating func dot(
    _ lhs: Value, _ rhs: Value, batch: [[Int]] = [], contracting: [[Int]]
  ) throws(Diagnostic) -> Value {
    try single(.dot(Dot(batch: batch, contracting: contracting)), lhs, rhs)
  }

  /// The cross-correlation of an input `[N, spatial..., C]` with a filter.
  public mutating func convolution(
    _ input: Value, _ filter: Value, _ attributes: Convolution
  ) throws(Diagnostic) -> Value {
    try single(.convolution(attributes), input, filter)
  }

  // MARK: Reduction

  /// x combined along dimensions, which vanish.
  public mutating func reduce(
    _ function: ReduceFunction, _ x: Value, dimensions: [Int]
  ) throws(Diagnostic) -> Value {
    try single(.reduce(Reduce(function, dimensions: dimensions)), x)
  }

  /// The index of the extreme element along a dimension, which vanishes.
  public mutating func argReduce(
    _ function: ArgReduceFunction, _ x: Value, dimension: Int, dtype: DType = .i32
  ) throws(Diagnostic) -> Value {
    try single(.argReduce(ArgReduce(function, dimension: dimension, dtype: dtype)), x)
  }

  // MARK: Pooling

  /// The elements of x combined under each window.
  public mutating func reduceWindow(
    _ function: ReduceFunction, _ x: Value, window: Window
  ) throws(Diagnostic) -> Value {
    try single(.reduceWindow(ReduceWindow(function, window: window)), x)
  }

  /// The gradient of `reduceWindow` with `max` or `min`.
  public mutating func reduceWindowGradient(
    _ function: ReduceFunction, _ x: Value, _ gradient: Value, window: Window
  ) throws(Diagnostic) -> Value {
    try single(.reduceWindowGradient(ReduceWindowGradient(function, window: window)), x, gradient)
  }

  // MARK: Indexing

  /// The slices of x at indices.
  public mutating func gather(
    _ x: Value, _ indices: Value, dimensions: [Int], batch: Int = 0
  ) throws(Diagnostic) -> Value {
    try single(.gather(Gather(dimensions: dimensions, batch: batch)), x, indices)
  }

  /// x with updates combined into it at indices.
  public mutating func scatter(
    _ function: ScatterFunction, _ x: Value, _ indices: Value, _ updates: Value,
    dimensions: [Int], batch: Int = 0
  ) throws(Diagnostic) -> Value {
    try single(
      .scatter(Scatter(function, dimensions: dimensions, batch: batch)), x, indices, updates)
  }

  // MARK: Random

  /// Uniformly distributed numbers from a state u64[2].
  public mutating func random(
    _ type: TensorType, state: Value, stream: Int
  ) throws(Diagnostic) -> Value {
    try single(.random(Random(type, stream: stream)), state)
  }

  // MARK: Control

  /// The results of a named body that is built by a closure over the body's own values.
  public mutating func composite(
    _ name: String, _ operands: [Value],
    _ build: (inout GraphBuilder, [Value]) throws(Diagnostic) -> [Value]
  ) throws(Diagnostic) -> [Value] {
    try check(operands)
    var body = GraphBuilder(name: name)
    body.location = location
    let inputs = operands.enumerated().map { body.input("x\($0.offset)", type(of: $0.element)) }
    let results = try build(&body, inputs)
    return try append(
      .composite(Composite(name)), operands, bodies: [try body.finish(results)])
  }

  /// Copies a graph's nodes, with its inputs replaced by operands, and gives its outputs.
  public mutating func inline(
    _ graph: Graph, _ operands: [Value]
  ) throws(Diagnostic) -> [Value] {
    try check(operands)
    let (wanted, given) = (graph.inputs.map(\.type), operands.map { type(of: $0) })
    guard wanted == given else {
      throw Diagnostic(
        wanted.count == given.count ? .typeMismatch : .wrongCount,
        "graph \(graph.name) takes \(wanted), but is given \(given)", at: location)
    }
    var copies = operands
    copies.reserveCapacity(graph.valueCount)
    for node in graph.nodes {
      copies += try append(
        node.operation, node.operands.map { copies[Int($0.index)] }, bodies: node.bodies,
        literal: node.literal, at: node.location)
    }
    return graph.outputs.map { copies[Int($0.value.index)] }
  }

  /// Ends the graph with outputs that have no names of their own: `output0`, `output1`, ...
  public consuming func finish(_ outputs: [Value]) throws(Diagnostic) -> Graph {
    try finish(outputs.enumerated().map { Output(Output.defaultName($0.offset), $0.element) })
  }
}

extension Output {
  /// The name of an output that has none of its own.
  public static func defaultName(_ position: Int) -> String { "output\(position)" }
}
