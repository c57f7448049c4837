extension Dot {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(2, "dot", operands)
    let (lhs, rhs) = (operands[0], operands[1])
    try Inference.require(
      lhs.dtype == rhs.dtype, .typeMismatch, "dot of \(lhs) and \(rhs)", hint: "convert one of them")
    try Inference.require(lhs.dtype, in: [.float, .signed, .unsigned], "dot")
    for (name, pair) in [("batch", batch), ("contracting", contracting)] {
      try Inference.require(
        pair.isEmpty || (pair.count == 2 && pair[0].count == pair[1].count && !pair[0].isEmpty),
        .invalidAttribute, "dot's \(name) dimensions are \(pair)",
        hint: "[[lhs's], [rhs's]], as many of each")
    }
    try checkDimensions(lhsBatch + lhsContracting, of: lhs)
    try checkDimensions(rhsBatch + rhsContracting, of: rhs)
    for (a, b) in zip(lhsBatch + lhsContracting, rhsBatch + rhsContracting) {
      try Inference.require(
        lhs.shape[a] == rhs.shape[b], .shapeMismatch,
        "dot of \(lhs) and \(rhs) pairs dimension \(a) of extent \(lhs.shape[a]) with dimension "
          + "\(b) of extent \(rhs.shape[b])")
    }
    let extents =
      lhsBatch.map { lhs.shape[$0] } + lhsFree(rank: lhs.shape.rank).map { lhs.shape[$0] }
      + rhsFree(rank: rhs.shape.rank).map { rhs.shape[$0] }
    return [TensorType(lhs.dtype, try Inference.shape(extents, "dot"))]
  }

  private func checkDimensions(_ dimensions: [Int], of type: TensorType) throws(Diagnostic) {
    try Inference.require(
      Set(dimensions).count == dimensions.count
        && dimensions.allSatisfy { type.shape.extents.indices.contains($0) },
      .invalidAttribute, "dot uses the dimensions \(dimensions) of \(type)",
      hint: "each dimension at most once")
  }

  /// lhs's dimensions that are neither batch nor contracting, in order.
  public func lhsFree(rank: Int) -> [Int] {
    (0..<rank).filter { !lhsBatch.contains($0) && !lhsContracting.contains($0) }
  }

  /// rhs's dimensions that are neither batch nor contracting, in order.
  public func rhsFree(rank: Int) -> [Int] {
    (0..<rank).filter { !rhsBatch.contains($0) && !rhsContracting.contains($0) }
  }
}

extension Convolution {
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try Inference.expect(2, "convolution", operands)
    let (input, filter) = (operands[0], operands[1])
    try checkOperands(input, filter)
    let spatial = input.shape.rank - 2
    try Inference.expect(stride, rank: spatial, atLeast: 1, "convolution's stride")
    try Inference.expect(inputDilation, rank: spatial, atLeast: 1, "convolution's inputDilation")
    try Inference.expect(kernelDilation, rank: spatial, atLeast: 1, "convolution's kernelDilation")
    try Inference.require(
      padding.count == spatial
        && padding.allSatisfy {
          $0.count == 2 && $0.allSatisfy { abs($0) <= Inference.largestAttribute }
        },
      .invalidAttribute, "convolution's padding is \(padding)",
      hint: "[low, high] for each of the \(spatial) spatial dimensions")
    var extents = [input.shape[0]]
    for d in 0..<spatial { extents.append(try windows(d, input, filter)) }
    extents.append(filter.shape[spatial + 1])
    return [TensorType(input.dtype, try Inference.shape(extents, "convolution"))]
  }

  private func checkOperands(_ input: TensorType, _ filter: TensorType) throws(Diagnostic) {
    try Inference.require(
      input.dtype == filter.dtype, .typeMismatch, "convolution of \(input) with \(filter)",
      hint: "convert one of them")
    try Inference.require(
      input.dtype.isFloat || input.dtype == .i32 || input.dtype == .i64, .typeMismatch,
      "convolution does not take \(input.dtype)", hint: "it takes floats, i32 and i64")
    try Inference.require(
      input.shape.rank >= 2 && input.shape.rank == filter.shape.rank, .shapeMismatch,
      "convolution of \(input) with \(filter)",
      hint: "[N, spatial..., C] with [spatial..., C / groups, O]")
    let spatial = input.shape.rank - 2
    let (channels, outputs) = (input.shape[spatial + 1], filter.shape[spatial + 1])
    try Inference.require(
      groups >= 1 && channels % groups == 0 && outputs % groups == 0
        && filter.shape[spatial] == channels / groups,
      .shapeMismatch,
      "convolution of \(input) with \(filter) in \(groups) group\(groups == 1 ? "" : "s"): "
        + "\(channels) channels come in, the filter takes \(filter.shape[spatial]) of each group",
      hint: "groups divide both channel counts, and the filter is [spatial..., C / groups, O]")
    try Inference.require(
      filter.shape.extents[..<spatial].allSatisfy { $0 >= 1 }, .shapeMismatch,
      "convolution with an empty filter \(filter)")
  }

  private func windows(
    _ d: Int, _ input: TensorType, _ filter: TensorType
  ) throws(Diagnostic) -> Int {
    let extent = input.shape[d + 1]
    let (gaps, overflow) = max(extent - 1, 0).multipliedReportingOverflow(by: inputDilation[d])
    let dilated = extent == 0 ? 0 : gaps + 1
    let windows =
      overflow || gaps > Inference.largestAttribute
      ? nil
      : Inference.windows(
        extent: dilated, low: padding[d][0], high: padding[d][1], size: filter.shape[d],
        stride: stride[d], dilation: kernelDilation[d])
    guard let windows else {
      throw Diagnostic(
        .sizeOverflow, "convolution of \(input): the dilations of dimension \(d) are too large")
    }
    return windows
  }
}
