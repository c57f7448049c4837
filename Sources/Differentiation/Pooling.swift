import GraphIR

extension Differentiator {
  mutating func visit(_ op: ReduceWindow) throws(Diagnostic) -> VectorJacobianProduct {
    let (x, g) = (operands[0], gradient)
    if shape(of: g).elementCount == 0 || shape(of: x).elementCount == 0 {
      return .gradients([nil])
    }
    switch op.function {
    case .sum:
      if op.window.tiles(shape(of: x)) { return .gradients([try spreadOverTiles(g, op.window)]) }
      return .gradients([try sumOfCoveringWindows(g, op.window)])
    case .product:
      // Written out as a reduction over the windows' elements, whose gradient is known.
      let first = builder.graph.nodes.count
      let taps = try stackTaps(x, op.window, outside: 1)
      let product = try reduce(.product, taps, [shape(of: taps).rank - 1])
      let nodes = first..<builder.graph.nodes.count
      return .gradients(try pullBack([product: g], through: nodes, to: [x]))
    case .max, .min:
      return .gradients([
        try append(
          .reduceWindowGradient(ReduceWindowGradient(op.function, window: op.window)), x, g)
      ])
    }
  }

  /// Gives each window's gradient to all of its elements, for windows that cover each element once.
  private mutating func spreadOverTiles(
    _ g: Value, _ window: Window
  ) throws(Diagnostic) -> Value {
    let windows = shape(of: g).extents
    var split: [Int] = []
    var dimensions: [Int] = []
    for (count, size) in zip(windows, window.size) {
      dimensions.append(split.count)
      split += size == 1 ? [count] : [count, size]
    }
    let tiles = try broadcast(g, to: Shape(split), dimensions: dimensions)
    return try reshape(tiles, to: shape(of: operands[0]))
  }

  /// For each element the sum of the gradients of the windows that cover it.
  private mutating func sumOfCoveringWindows(
    _ g: Value, _ window: Window
  ) throws(Diagnostic) -> Value {
    let (whole, windows) = (shape(of: operands[0]), shape(of: g))
    var low: [Int] = []
    var high: [Int] = []
    for d in window.size.indices {
      let reach = (window.size[d] - 1) * window.dilation[d]
      let spread = (windows[d] - 1) * window.stride[d] + 1
      low.append(reach - window.padding[d][0])
      high.append(whole[d] + reach - spread - low[d])
    }
    let spread = try pad(g, low: low, high: high, interior: window.stride.map { $0 - 1 })
    return try append(
      .reduceWindow(
        ReduceWindow(.sum, window: Window(size: window.size, dilation: window.dilation))), spread)
  }

  /// Linear in the gradient, which is the second operand; constant in the first wherever no two elements tie.
  mutating func visit(_ op: ReduceWindowGradient) throws(Diagnostic) -> VectorJacobianProduct {
    let (x, g) = (operands[0], gradient)
    guard wants(1), shape(of: x).elementCount > 0, shape(of: operands[1]).elementCount > 0 else {
      return .gradients([nil, nil])
    }
    // Each window takes the gradient of the element that won, written out over the windows' elements.
    let isWinner = try winners(x, op)
    let taps = try stackTaps(g, op.window, outside: 0)
    let taken = try select(isWinner, taps, constant(0, like: taps))
    return .gradients([nil, try reduce(.sum, taken, [shape(of: taps).rank - 1])])
  }

  /// For each window and element whether the element won: the first extreme one, or the first NaN.
  private mutating func winners(
    _ x: Value, _ op: ReduceWindowGradient
  ) throws(Diagnostic) -> Value {
    let worst = op.function == .max ? -Double.infinity : Double.infinity
    let taps = try stackTaps(x, op.window, outside: worst)
    let whole = shape(of: taps)
    let last = whole.rank - 1
    let extreme = try broadcast(
      reduce(op.function, taps, [last]), to: whole, dimensions: Array(0..<last))
    // An extreme that is NaN equals nothing, but then the candidates are those that do not equal themselves.
    let isExtreme = try binary(
      .or, compare(.equal, taps, extreme), compare(.notEqual, taps, taps))
    let inside = try stackTaps(
      constant(1, TensorType(.bool, shape(of: x))), op.window, outside: 0)
    let candidates = try convert(binary(.and, isExtreme, inside), to: .i32)
    let first = try append(.argReduce(ArgReduce(.argmax, dimension: last)), candidates)
    let places = try append(.iota(Iota(TensorType(.i32, whole), dimension: last)))
    let isFirst = try compare(
      .equal, places, broadcast(first, to: whole, dimensions: Array(0..<last)))
    return try binary(.and, isFirst, inside)
  }

  /// The elements under each window along a new last dimension, in row-major order; `outside` stands for
  /// those outside of the tensor.
  private mutating func stackTaps(
    _ x: Value, _ window: Window, outside: Double
  ) throws(Diagnostic) -> Value {
    let padded = try pad(
      x, outside, low: window.padding.map { $0[0] }, high: window.padding.map { $0[1] })
    let extents = shape(of: padded).extents
    let counts = extents.indices.map { d in
      (extents[d] - (window.size[d] - 1) * window.dilation[d] - 1) / window.stride[d] + 1
    }
    var taps: [Value] = []
    for number in 0..<window.size.reduce(1, *) {
      var (start, limit) = (extents, extents)
      var rest = number
      for d in extents.indices.reversed() {
        start[d] = rest % window.size[d] * window.dilation[d]
        rest /= window.size[d]
        limit[d] = start[d] + (counts[d] - 1) * window.stride[d] + 1
      }
      let tap = try slice(padded, start: start, limit: limit, stride: window.stride)
      taps.append(try reshape(tap, to: Shape(counts + [1])))
    }
    return try concatenate(taps, along: counts.count)
  }
}

extension Window {
  /// Whether the windows cover each element of a tensor exactly once.
  fileprivate func tiles(_ shape: Shape) -> Bool {
    shape.extents.indices.allSatisfy { d in
      stride[d] == size[d] && padding[d] == [0, 0] && (dilation[d] == 1 || size[d] == 1)
        && shape[d] % size[d] == 0
    }
  }
}
