extension Window {
  /// The shape of the windows on a tensor, one for each result.
  package func windows(on type: TensorType, _ name: String) throws(Diagnostic) -> Shape {
    let rank = type.shape.rank
    try Inference.expect(size, rank: rank, atLeast: 1, "\(name)'s size")
    try Inference.expect(stride, rank: rank, atLeast: 1, "\(name)'s stride")
    try Inference.expect(dilation, rank: rank, atLeast: 1, "\(name)'s dilation")
    try Inference.require(
      padding.count == rank
        && padding.allSatisfy {
          $0.count == 2 && $0.allSatisfy { (0...Inference.largestAttribute).contains($0) }
        },
      .invalidAttribute, "\(name)'s padding is \(padding)",
      hint: "[low, high], not negative, for each of the \(rank) dimensions")
    var extents: [Int] = []
    for d in 0..<rank {
      guard
        let windows = Inference.windows(
          extent: type.shape[d], low: padding[d][0], high: padding[d][1], size: size[d],
          stride: stride[d], dilation: dilation[d])
      else {
        throw Diagnostic(
          .sizeOverflow, "\(name) of \(type): the window of dimension \(d) is too large")
      }
      extents.append(windows)
    }
    return try Inference.shape(extents, name)
  }
}

extension ReduceWindow {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let name = "reduce_window_\(function.rawValue)"
    try Inference.expect(1, name, operands)
    try Inference.require(operands[0].dtype, in: function.categories, name)
    return [TensorType(operands[0].dtype, try window.windows(on: operands[0], name))]
  }
}

extension ReduceWindowGradient {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let name = "reduce_window_gradient_\(function.rawValue)"
    try Inference.require(
      function == .max || function == .min, .invalidAttribute,
      "reduce_window_gradient is of max or min, not \(function.rawValue)")
    try Inference.expect(2, name, operands)
    try Inference.require(operands[0].dtype, in: [.float], name)
    let expected = TensorType(operands[0].dtype, try window.windows(on: operands[0], name))
    try Inference.require(
      operands[1] == expected, .shapeMismatch,
      "\(name) of \(operands[0]) with a gradient \(operands[1])", hint: "the gradient is \(expected)")
    return [operands[0]]
  }
}
