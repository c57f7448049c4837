import GraphIR

/// Computes a convolution of a dilated input as several of the input as it is, whose results interleave.
///
/// Such convolutions are the gradients of strided ones, and transposed convolutions. Points of the result whose
/// coordinates leave the same residue use the same taps of the filter; the others would meet the places between the
/// input's elements ("sub-pixel convolution": Shi et al., "Real-time single image and video super-resolution", CVPR
/// 2016).
public struct SplitDilatedConvolutions: GraphPass {
  /// The name in pipelines.
  public let name = "split-dilation"
  /// What the pass does.
  public let summary = "compute convolutions of dilated inputs without the places between elements"
  /// The number of convolutions that one becomes at most; what would be more stays whole.
  static let mostPieces = 64

  /// Makes the pass.
  public init() {}

  /// Rewrites the graph.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    try graph.rebuild { builder, node throws(Diagnostic) in
      guard case .convolution(let op) = node.operation,
        op.inputDilation.contains(where: { $0 > 1 }),
        node.types[0].shape.elementCount > 0
      else { return .keep }
      let shapes = node.operands.map { builder.type(of: $0).shape }
      // Lowering steps over the places between elements itself, with vectors along the channels.
      if op.groups > 1, op.meetsChannelsAlone(filter: shapes[1]) { return .keep }
      let periods = op.stride.indices.map { dimension in
        op.inputDilation[dimension]
          / commonDivisor(op.stride[dimension], op.inputDilation[dimension])
      }
      // Cut off at each step, since the product of all may be more than an Int holds.
      let pieces = periods.reduce(1) { min($0 * min($1, Self.mostPieces + 1), Self.mostPieces + 1) }
      guard pieces <= Self.mostPieces else { return .keep }
      let split = DilationSplit(
        op: op, operands: node.operands, input: shapes[0], filter: shapes[1], type: node.types[0],
        periods: periods)
      return .replace([try split.emit(&builder)])
    }
  }
}

/// One convolution and how it is split.
private struct DilationSplit {
  let op: Convolution
  let operands: [Value]
  let input: Shape
  let filter: Shape
  let type: TensorType
  /// Per spatial dimension, the number of residues of the result's coordinates.
  let periods: [Int]

  /// What a residue of one dimension's coordinates uses.
  struct Residue {
    /// The first tap, the distance to the next, and their number.
    var first: Int
    var step: Int
    var count: Int
    var stride: Int
    var kernelDilation: Int
    var padding: [Int]
  }

  /// The extent of each piece along a spatial dimension; the last points of some may be cut off.
  private func extent(_ dimension: Int) -> Int {
    (type.shape[1 + dimension] + periods[dimension] - 1) / periods[dimension]
  }

  /// The taps that points with a residue use: those that meet elements of the input; nil where none does.
  private func residue(_ number: Int, _ dimension: Int) -> Residue? {
    let (dilation, kernelDilation) = (op.inputDilation[dimension], op.kernelDilation[dimension])
    let start = number * op.stride[dimension] - op.padding[dimension][0]
    let common = commonDivisor(kernelDilation, dilation)
    let (step, taps) = (dilation / common, filter[dimension])
    guard
      let first = (0..<min(step, taps)).first(where: {
        (start + $0 * kernelDilation) % dilation == 0
      })
    else { return nil }
    let count = (taps - first + step - 1) / step
    let stride = periods[dimension] * op.stride[dimension] / dilation
    let low = -(start + first * kernelDilation) / dilation
    let window = (count - 1) * (kernelDilation / common) + 1
    let high = (extent(dimension) - 1) * stride + window - input[1 + dimension] - low
    return Residue(
      first: first, step: step, count: count, stride: stride,
      kernelDilation: kernelDilation / common, padding: [low, high])
  }

  /// Emits the pieces and joins them.
  func emit(_ builder: inout GraphBuilder) throws(Diagnostic) -> Value {
    let joined = try join(&builder, [])
    let extents = builder.type(of: joined).shape.extents
    if extents == type.shape.extents { return joined }
    return try builder.slice(
      joined, start: extents.map { _ in 0 }, limit: type.shape.extents)
  }

  /// The results at the points whose first coordinates leave the given residues.
  private func join(
    _ builder: inout GraphBuilder, _ numbers: [Int]
  ) throws(Diagnostic) -> Value {
    let dimension = numbers.count
    guard dimension < periods.count else { return try piece(&builder, numbers) }
    let period = periods[dimension]
    if period == 1 { return try join(&builder, numbers + [0]) }
    var parts: [Value] = []
    for number in 0..<period {
      let part = try join(&builder, numbers + [number])
      var shape = builder.type(of: part).shape.extents
      shape.insert(1, at: dimension + 2)
      parts.append(try builder.reshape(part, Shape(shape)))
    }
    let all = try builder.concatenate(parts, dimension: dimension + 2)
    var shape = builder.type(of: all).shape.extents
    shape[dimension + 1] *= shape.remove(at: dimension + 2)
    return try builder.reshape(all, Shape(shape))
  }

  /// The results at the points whose coordinates leave the given residues.
  private func piece(
    _ builder: inout GraphBuilder, _ numbers: [Int]
  ) throws(Diagnostic) -> Value {
    let spatial = numbers.indices
    let residues = spatial.compactMap { residue(numbers[$0], $0) }
    guard residues.count == numbers.count else {
      let shape = [type.shape[0]] + spatial.map(extent) + [type.shape[numbers.count + 1]]
      return try builder.splat(0, TensorType(type.dtype, Shape(shape)))
    }
    var (start, limit, stride) = (
      filter.extents.map { _ in 0 }, filter.extents, filter.extents.map { _ in 1 }
    )
    for (dimension, residue) in residues.enumerated() {
      start[dimension] = residue.first
      limit[dimension] = residue.first + (residue.count - 1) * residue.step + 1
      stride[dimension] = residue.step
    }
    let taps = try builder.slice(operands[1], start: start, limit: limit, stride: stride)
    let plain = Convolution(
      stride: residues.map(\.stride), padding: residues.map(\.padding),
      kernelDilation: residues.map(\.kernelDilation), groups: op.groups)
    return try builder.append(.convolution(plain), [operands[0], taps])[0]
  }
}

/// The greatest common divisor of two positive numbers.
private func commonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : commonDivisor(b, a % b) }
