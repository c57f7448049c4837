import GraphIR

/// Contractions, reductions, windows, indices and bodies.
extension RandomGraph {
  // MARK: Contraction

  mutating func appendDot() throws(Diagnostic) {
    guard
      let found = pickValue({ type, _ in
        type.dtype != .bool && type.shape.rank > 0 && type.shape.elementCount <= 2048
      })
    else { return }
    let lhs = try tamed(found)
    let type = builder.type(of: lhs)
    let contracted = below(type.shape.rank)
    let isBatched = type.shape.rank > 1 && chance(0.4)
    let batch = isBatched ? pick((0..<type.shape.rank).filter { $0 != contracted }) : nil
    let free = pick([1, 3, 8, 17])
    let depth = type.shape[contracted]
    guard type.shape.elementCount / max(depth, 1) * free <= Self.maximumElementCount else {
      return
    }
    var extents = [depth, free]
    if chance(0.5) { extents.swapAt(0, 1) }
    if let batch { extents.insert(type.shape[batch], at: 0) }
    let rhs = try tamed(try value(of: TensorType(type.dtype, Shape(extents))))
    let position = (extents.count - 2...extents.count - 1).first { extents[$0] == depth } ?? 0
    let result = try builder.dot(
      lhs, rhs, batch: batch.map { [[$0], [0]] } ?? [], contracting: [[contracted], [position]])
    let bound = (facts[lhs]?.bound ?? 1) * (facts[rhs]?.bound ?? 1) * Double(max(depth, 1))
    note(result, from: [lhs, rhs], bound: bound, isExact: false)
  }

  mutating func appendConvolution() throws(Diagnostic) {
    let found = pickValue { type, _ in
      type.dtype.isFloat && (3...4).contains(type.shape.rank) && type.shape.elementCount <= 1024
    }
    let groups = pick([1, 1, 1, 2, 3])
    let shape: Shape = chance(0.5) ? [pick([1, 2]), 7, 6, 2 * groups] : [2, 11, 3 * groups]
    var input = found ?? self.input(TensorType(pick([.f32, .f32, .f64, .i32]), shape))
    if found == nil || chance(0.3) { input = self.input(TensorType(.f32, shape)) }
    input = try tamed(input)
    let type = builder.type(of: input)
    let spatial = type.shape.rank - 2
    let channels = type.shape[spatial + 1]
    let split = channels.isMultiple(of: groups) ? groups : 1
    let taps = (0..<spatial).map { _ in pick([1, 2, 3]) }
    let filterShape = Shape(taps + [channels / split, split * pick([1, 3, 8])])
    let filter = try value(of: TensorType(type.dtype, filterShape))
    let attributes = Convolution(
      stride: (0..<spatial).map { _ in pick([1, 1, 2, 3]) },
      padding: (0..<spatial).map { _ in [below(3, atLeast: -1), below(3)] },
      inputDilation: (0..<spatial).map { _ in pick([1, 1, 1, 2]) },
      kernelDilation: (0..<spatial).map { _ in pick([1, 1, 1, 2]) }, groups: split)
    let terms = Double(max(taps.reduce(1, *) * channels / split, 1))
    let bound = (facts[input]?.bound ?? 1) * (facts[filter]?.bound ?? 1) * terms
    let result = try builder.convolution(input, filter, attributes)
    note(result, from: [input, filter], bound: bound, isExact: false)
  }

  // MARK: Reduction and pooling

  mutating func appendReduce() throws(Diagnostic) {
    let function = pick(ReduceFunction.allCases)
    guard
      let found = pickValue({ type, facts in
        function.categories.contains(type.dtype.category)
          && (function != .product || facts.bound <= 2 || !type.dtype.isFloat)
      })
    else { return }
    let x = try tamed(found)
    let shape = builder.type(of: x).shape
    let dimensions = (0..<shape.rank).filter { _ in chance(0.5) }
    let terms = dimensions.map { shape[$0] }.reduce(1, *)
    if function == .product && terms > 9 { return }
    let result = try builder.reduce(function, x, dimensions: dimensions)
    noteReduction(function, result, x, terms: terms)
  }

  private mutating func noteReduction(
    _ function: ReduceFunction, _ result: Value, _ x: Value, terms: Int
  ) {
    let bound = facts[x]?.bound ?? 1
    let count = Double(max(terms, 1))
    switch function {
    case .sum: note(result, from: [x], bound: bound * count, isExact: terms == 1)
    case .product:
      let greatest = (0..<max(terms, 1)).reduce(1.0) { product, _ in product * max(bound, 1) }
      note(result, from: [x], bound: greatest, isExact: terms == 1)
    // What nothing is reduced to is infinite, which scaling does not tame.
    case .max, .min: note(result, from: [x])
    }
  }

  mutating func appendArgReduce() throws(Diagnostic) {
    guard let x = pickValue({ type, facts in facts.isExact && type.shape.rank > 0 }) else {
      return
    }
    let shape = builder.type(of: x).shape
    let dimension = below(shape.rank)
    guard shape[dimension] > 0 else { return }
    let result = try builder.argReduce(
      pick(ArgReduceFunction.allCases), x, dimension: dimension, dtype: pick([.i32, .i64]))
    note(result, bound: Double(shape[dimension]), isExact: true)
  }

  private mutating func window(_ shape: Shape) -> Window {
    let size = shape.extents.map { _ in pick([1, 1, 2, 3]) }
    return Window(
      size: size, stride: shape.extents.map { _ in pick([1, 1, 2, 3]) },
      padding: size.map { $0 == 1 ? [0, 0] : [below(2), below(2)] },
      dilation: shape.extents.map { _ in pick([1, 1, 1, 2]) })
  }

  mutating func appendReduceWindow() throws(Diagnostic) {
    let function = pick(ReduceFunction.allCases)
    guard
      let found = pickValue({ type, facts in
        function.categories.contains(type.dtype.category)
          && (function != .product || facts.bound <= 2 || !type.dtype.isFloat)
      })
    else { return }
    let x = try tamed(found)
    let window = window(builder.type(of: x).shape)
    let result = try builder.reduceWindow(function, x, window: window)
    noteReduction(function, result, x, terms: window.size.reduce(1, *))
  }

  mutating func appendReduceWindowGradient() throws(Diagnostic) {
    guard let x = pickValue({ type, facts in facts.isExact && type.dtype.isFloat }) else { return }
    let window = window(builder.type(of: x).shape)
    let function = pick([ReduceFunction.max, .min])
    let forward = try builder.reduceWindow(function, x, window: window)
    note(forward, from: [x])
    let gradient = try tamed(try value(of: builder.type(of: forward)))
    let result = try builder.reduceWindowGradient(function, x, gradient, window: window)
    let windows = Double(window.size.reduce(1, *))
    note(
      result, from: [gradient], bound: (facts[gradient]?.bound ?? 1) * windows, isExact: false)
  }

  // MARK: Indexing

  /// Indices into one dimension of x behind the batch dimensions, and the attributes for them.
  private mutating func indices(
    into shape: Shape
  ) throws(Diagnostic) -> (indices: Value, dimension: Int, batch: Int) {
    let batch = shape.rank > 1 && chance(0.3) ? 1 : 0
    let dimension = below(shape.rank, atLeast: batch)
    let extents = shape.extents[..<batch] + [pick([1, 3, 5]), 1]
    let type = TensorType(pick([.i32, .i64]), Shape(Array(extents)))
    return (try value(of: type), dimension, batch)
  }

  mutating func appendGather() throws(Diagnostic) {
    guard
      let x = pickValue({ type, _ in
        type.shape.rank > 0 && type.shape.elementCount > 0 && type.shape.elementCount < 800
      })
    else { return }
    let (indices, dimension, batch) = try indices(into: builder.type(of: x).shape)
    note(
      try builder.gather(x, indices, dimensions: [dimension], batch: batch), from: [x])
  }

  mutating func appendScatter() throws(Diagnostic) {
    let function = pick(ScatterFunction.allCases)
    let adds = function == .sum || function == .product
    guard
      let found = pickValue({ type, _ in
        type.shape.rank > 0 && type.shape.elementCount > 0 && type.shape.elementCount < 800
          && (type.dtype != .bool || !adds)
      })
    else { return }
    let x = try tamed(found)
    let type = builder.type(of: x)
    let (indices, dimension, batch) = try indices(into: type.shape)
    let kept = (batch..<type.shape.rank).filter { $0 != dimension }.map { type.shape[$0] }
    let shape = Shape(builder.type(of: indices).shape.extents.dropLast() + kept)
    let updates = try tamed(try value(of: TensorType(type.dtype, shape)))
    let (a, b) = (facts[x]?.bound ?? 1, facts[updates]?.bound ?? 1)
    guard function != .product || b <= 2 || !type.dtype.isFloat else { return }
    let result = try builder.scatter(
      function, x, indices, updates, dimensions: [dimension], batch: batch)
    // There are at most five indices, which may all name one element.
    let bound = function == .product ? a * 32 : function == .sum ? a + 5 * b : max(a, b)
    note(result, from: [x, updates], bound: bound, isExact: !adds)
  }

  // MARK: Random and control

  mutating func appendRandom() throws(Diagnostic) {
    let state = try value(of: TensorType(.u64, [2]))
    let type = randomType()
    let result = try builder.random(type, state: state, stream: below(1000))
    note(result, bound: type.dtype.isFloat ? 1 : Self.fullBound(type.dtype), isExact: true)
  }

  mutating func appendComposite() throws(Diagnostic) {
    guard let found = pickValue({ type, _ in type.dtype.isFloat }) else { return }
    let x = try tamed(found)
    let y = try tamed(try value(of: builder.type(of: x)))
    let function = pick([UnaryFunction.tanh, .sigmoid, .sin, .negate])
    let isNested = chance(0.3)
    let results = try builder.composite("fuzzed", [x, y]) { body, x throws(Diagnostic) in
      let inner =
        isNested
        ? try body.composite("inner", [x[0]]) { body, x throws(Diagnostic) in
          [try body.unary(function, x[0])]
        }[0] : try body.unary(function, x[0])
      return [try body.multiply(inner, x[1]), inner]
    }
    let (a, b) = (facts[x]?.bound ?? 1, facts[y]?.bound ?? 1)
    note(results[0], from: [x, y], bound: max(a, 1) * b, isExact: false)
    note(results[1], from: [x], bound: max(a, 1), isExact: false)
  }
}
