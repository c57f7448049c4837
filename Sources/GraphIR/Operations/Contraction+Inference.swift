extension Dot {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 2)
    let (lhs, rhs) = (operands[0], operands[1])
    guard lhs.dtype == rhs.dtype else {
      throw refusal(
        .typeMismatch, "takes operands of one dtype, not \(lhs) and \(rhs)",
        hint: "convert one of them")
    }
    try require(lhs, isOneOf: [.float, .signed, .unsigned])
    try requirePairs("batch", batch, lhs, rhs)
    try requirePairs("contracting", contracting, lhs, rhs)
    let lhsBound = lhsBatch + lhsContracting
    let rhsBound = rhsBatch + rhsContracting
    for (bound, type) in [(lhsBound, lhs), (rhsBound, rhs)]
    where Set(bound).count != bound.count {
      throw refusal(
        .invalidAttribute, "names a dimension of \(type) twice",
        hint: "each dimension is batch, contracting or free")
    }
    let extents =
      lhsBatch.map { lhs.shape[$0] } + lhsFree(rank: lhs.shape.rank).map { lhs.shape[$0] }
      + rhsFree(rank: rhs.shape.rank).map { rhs.shape[$0] }
    return [TensorType(lhs.dtype, try checkedShape(extents))]
  }

  /// lhs's dimensions that are neither batch nor contracting, in order.
  public func lhsFree(rank: Int) -> [Int] {
    (0..<rank).filter { !lhsBatch.contains($0) && !lhsContracting.contains($0) }
  }

  /// rhs's dimensions that are neither batch nor contracting, in order.
  public func rhsFree(rank: Int) -> [Int] {
    (0..<rank).filter { !rhsBatch.contains($0) && !rhsContracting.contains($0) }
  }

  /// Checks `[lhs's, rhs's]` dimensions, which correspond pairwise.
  private func requirePairs(
    _ name: String, _ pairs: [[Int]], _ lhs: TensorType, _ rhs: TensorType
  ) throws(Diagnostic) {
    if pairs.isEmpty { return }
    guard pairs.count == 2, pairs[0].count == pairs[1].count, !pairs[0].isEmpty else {
      throw refusal(
        .invalidAttribute, "has \(name) \(pairs), not two lists of one length above 0",
        hint: "write [[dimensions of the left], [dimensions of the right]], or nothing for none")
    }
    try requireInRange("\(name) (left)", pairs[0], of: lhs)
    try requireInRange("\(name) (right)", pairs[1], of: rhs)
    for (l, r) in zip(pairs[0], pairs[1]) where lhs.shape[l] != rhs.shape[r] {
      throw refusal(
        .shapeMismatch, "cannot pair dimension \(l) of \(lhs) with dimension \(r) of \(rhs)",
        hint: "\(name) dimensions have one extent; these have \(lhs.shape[l]) and \(rhs.shape[r])")
    }
  }
}

extension Convolution {
  /// The operation's name in text.
  public var mnemonic: String { Self.kind.rawValue }

  /// The types of the results, from the types of the operands.
  public func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    try require(operands, count: 2)
    let (input, filter) = (operands[0], operands[1])
    try requireFitting(input, filter)
    try requireChannels(input, filter)
    var extents = [input.shape[0]]
    for d in stride.indices {
      guard filter.shape[d] >= 1 else {
        throw refusal(
          .shapeMismatch, "takes no filter that is empty along dimension \(d), as \(filter) is",
          hint: "spatial extents of a filter are at least 1")
      }
      let padded =
        try spread(input.shape[1 + d], by: inputDilation[d]) + padding[d][0] + padding[d][1]
      let size = try spread(filter.shape[d], by: kernelDilation[d])
      extents.append(padded < size ? 0 : (padded - size) / stride[d] + 1)
    }
    extents.append(filter.shape[filter.shape.rank - 1])
    return [TensorType(input.dtype, try checkedShape(extents))]
  }

  /// Checks dtypes, ranks and the lengths and bounds of the attributes.
  private func requireFitting(_ input: TensorType, _ filter: TensorType) throws(Diagnostic) {
    guard input.dtype == filter.dtype else {
      throw refusal(
        .typeMismatch, "takes operands of one dtype, not \(input) and \(filter)",
        hint: "convert one of them")
    }
    switch input.dtype {
    case .f32, .f64, .f16, .bf16, .i32, .i64: break
    case .i8, .i16, .u8, .u16, .u32, .u64, .bool:
      throw refusal(
        .typeMismatch, "is not defined for \(input) and \(filter)",
        hint: "it takes f32, f64, f16, bf16, i32, i64")
    }
    guard input.shape.rank >= 2, input.shape.rank == filter.shape.rank else {
      throw refusal(
        .shapeMismatch,
        "takes [N, spatial..., C] and [spatial..., C / groups, O] of one rank, "
          + "not \(input) and \(filter)", hint: "both have two dimensions beside the spatial ones")
    }
    let spatial = input.shape.rank - 2
    for (name, count) in [
      ("stride", stride.count), ("padding", padding.count),
      ("inputDilation", inputDilation.count), ("kernelDilation", kernelDilation.count),
    ] {
      try require(name, count, perDimensionOf: "the spatial dimensions", input, rank: spatial)
    }
    try require("stride", stride, atLeast: 1)
    try require("inputDilation", inputDilation, atLeast: 1)
    try require("kernelDilation", kernelDilation, atLeast: 1)
    try requirePaddingPairs(padding, atLeast: -(1 << 40))
  }

  /// Checks that channels and groups fit.
  private func requireChannels(_ input: TensorType, _ filter: TensorType) throws(Diagnostic) {
    let rank = input.shape.rank
    let (channels, perGroup) = (input.shape[rank - 1], filter.shape[rank - 2])
    let outputs = filter.shape[rank - 1]
    try require("groups", [groups], atLeast: 1)
    guard channels % groups == 0, outputs % groups == 0 else {
      throw refusal(
        .invalidAttribute,
        "cannot split the channels of \(input) and \(filter) into \(groups) groups",
        hint: "\(channels) input and \(outputs) output channels must be multiples of groups")
    }
    guard perGroup == channels / groups else {
      throw refusal(
        .shapeMismatch,
        "of \(input) with \(groups) group\(groups == 1 ? "" : "s") cannot use a filter \(filter)",
        hint: "dimension \(rank - 2) of the filter must be \(channels / groups), not \(perGroup)")
    }
  }
}

extension OperationAttributes {
  /// Checks that each entry is `[low, high]`.
  func requirePaddingPairs(_ padding: [[Int]], atLeast low: Int) throws(Diagnostic) {
    for pair in padding {
      guard pair.count == 2 else {
        throw refusal(
          .invalidAttribute, "has \(pair) in padding", hint: "write [low, high] per dimension")
      }
      try require("padding", pair, atLeast: low)
    }
  }
}
