import GraphIR

extension Differentiator {
  mutating func visit(_ op: Dot) throws(Diagnostic) -> VectorJacobianProduct {
    if wants(0), let gradients = try gradientOfWrittenAttention() { return gradients }
    let (lhs, rhs) = (operands[0], operands[1])
    let batch = op.lhsBatch.count
    let lhsFree = op.lhsFree(rank: shape(of: lhs).rank)
    let rhsFree = op.rhsFree(rank: shape(of: rhs).rank)
    let lhsResult = Array(batch..<batch + lhsFree.count)
    let rhsResult = Array(batch + lhsFree.count..<batch + lhsFree.count + rhsFree.count)
    let left = Side(
      batch: op.lhsBatch, contracting: op.lhsContracting, free: lhsFree, inResult: lhsResult)
    let right = Side(
      batch: op.rhsBatch, contracting: op.rhsContracting, free: rhsFree, inResult: rhsResult)
    return .gradients([
      wants(0) ? try gradientOfSide(left, other: right, rhs) : nil,
      wants(1) ? try gradientOfSide(right, other: left, lhs) : nil,
    ])
  }

  /// The dimensions of one operand of a dot, and where its free dimensions stand in the result.
  private struct Side {
    var batch: [Int]
    var contracting: [Int]
    var free: [Int]
    var inResult: [Int]
  }

  /// The gradient of one side: the result's gradient times the other operand, over its free dimensions.
  private mutating func gradientOfSide(
    _ side: Side, other: Side, _ otherValue: Value
  ) throws(Diagnostic) -> Value {
    let resultBatch = Array(side.batch.indices)
    // The other operand's contracting dimensions come out in increasing order.
    let contracted = zip(other.contracting, side.contracting).sorted { $0.0 < $1.0 }.map(\.1)
    let afterFree = side.batch + side.free + contracted
    let beforeFree = side.batch + contracted + side.free
    // Either order of the operands is right; one often needs no transpose.
    guard beforeFree == beforeFree.sorted(), afterFree != afterFree.sorted() else {
      let product = try append(
        .dot(
          Dot(batch: [resultBatch, other.batch], contracting: [other.inResult, other.free])),
        gradient, otherValue)
      return try transpose(product, positions(in: afterFree))
    }
    return try append(
      .dot(Dot(batch: [other.batch, resultBatch], contracting: [other.free, other.inResult])),
      otherValue, gradient)
  }

  /// For each dimension of an operand its place in a product whose dimensions are listed.
  private func positions(in listed: [Int]) -> [Int] {
    var positions = listed
    for (position, dimension) in listed.enumerated() { positions[dimension] = position }
    return positions
  }

  mutating func visit(_ op: Convolution) throws(Diagnostic) -> VectorJacobianProduct {
    if shape(of: gradient).elementCount == 0 { return .gradients([nil, nil]) }
    return .gradients([
      wants(0) ? try gradientOfInput(op) : nil,
      wants(1) ? try gradientOfFilter(op) : nil,
    ])
  }

  /// The extent of neighbours that stand `distance` apart.
  private func spread(_ extent: Int, _ distance: Int) -> Int {
    extent == 0 ? 0 : (extent - 1) * distance + 1
  }

  /// `dx[i] = sum of dy[p] * filter[t]` where `p * stride + t * kernelDilation - low = i * inputDilation`:
  /// the convolution of dy, spread by the stride, with the reversed filter whose channels are exchanged
  /// within each group.
  private mutating func gradientOfInput(_ op: Convolution) throws(Diagnostic) -> Value {
    let (input, filter) = (shape(of: operands[0]), shape(of: operands[1]))
    let results = shape(of: gradient)
    let padding = op.stride.indices.map { d in
      let size = spread(filter[d], op.kernelDilation[d])
      let low = size - 1 - op.padding[d][0]
      // Exactly the input's extent is left.
      let covered = (input[1 + d] - 1) * op.inputDilation[d] + size
      return [low, covered - low - spread(results[1 + d], op.stride[d])]
    }
    let flipped = try exchangeChannels(
      reverse(operands[1], Array(op.stride.indices)), groups: op.groups)
    return try append(
      .convolution(
        Convolution(
          stride: op.inputDilation, padding: padding, inputDilation: op.stride,
          kernelDilation: op.kernelDilation, groups: op.groups)), gradient, flipped)
  }

  private mutating func reverse(_ x: Value, _ dimensions: [Int]) throws(Diagnostic) -> Value {
    let extents = shape(of: x)
    let long = dimensions.filter { extents[$0] > 1 }
    return long.isEmpty ? x : try append(.reverse(Reverse(dimensions: long)), x)
  }

  /// From `[spatial..., C / groups, O]` to `[spatial..., O / groups, C]`.
  private mutating func exchangeChannels(
    _ filter: Value, groups: Int
  ) throws(Diagnostic) -> Value {
    let extents = shape(of: filter).extents
    let spatial = Array(extents.dropLast(2))
    if groups == 1 {
      return try transpose(
        filter, Array(spatial.indices) + [spatial.count + 1, spatial.count])
    }
    let (inputs, outputs) = (extents[spatial.count], extents[spatial.count + 1] / groups)
    let split = try reshape(filter, to: Shape(spatial + [inputs, groups, outputs]))
    let (c, g, o) = (spatial.count, spatial.count + 1, spatial.count + 2)
    let exchanged = try transpose(split, Array(spatial.indices) + [o, g, c])
    return try reshape(exchanged, to: Shape(spatial + [outputs, groups * inputs]))
  }

  /// `df[t] = sum of dy[p] * x[p * stride + t * kernelDilation - low]`: the convolution of the input,
  /// its channels as the batch, with dy as the filter that takes steps of the stride.
  private mutating func gradientOfFilter(_ op: Convolution) throws(Diagnostic) -> Value {
    let (input, filter) = (shape(of: operands[0]), shape(of: operands[1]))
    let results = shape(of: gradient)
    let (rank, spatial) = (input.rank, Array(1..<input.rank - 1))
    let images = try channelsFirst(operands[0], groups: op.groups)
    let filters = try transpose(gradient, spatial + [0, rank - 1])
    let padding = op.stride.indices.map { d in
      let low = op.padding[d][0]
      let size = spread(results[1 + d], op.stride[d])
      // Exactly the filter's extent is left.
      let covered = (filter[d] - 1) * op.kernelDilation[d] + size
      return [low, covered - low - spread(input[1 + d], op.inputDilation[d])]
    }
    let product = try append(
      .convolution(
        Convolution(
          stride: op.kernelDilation, padding: padding, inputDilation: op.inputDilation,
          kernelDilation: op.stride, groups: op.groups)), images, filters)
    return try transpose(product, spatial + [0, rank - 1])
  }

  /// From `[N, spatial..., C]` to `[C / groups, spatial..., groups * N]`.
  private mutating func channelsFirst(
    _ input: Value, groups: Int
  ) throws(Diagnostic) -> Value {
    let extents = shape(of: input).extents
    let (rank, spatial) = (extents.count, Array(1..<extents.count - 1))
    if groups == 1 { return try transpose(input, [rank - 1] + spatial + [0]) }
    let (batch, perGroup) = (extents[0], extents[rank - 1] / groups)
    let places = spatial.map { extents[$0] }
    let split = try reshape(input, to: Shape([batch] + places + [groups, perGroup]))
    let moved = try transpose(split, [rank] + spatial + [rank - 1, 0])
    return try reshape(moved, to: Shape([perGroup] + places + [groups * batch]))
  }
}
