import GraphIR
import LoopIR

extension Lowerer {
  mutating func visit(_ op: Constant) throws(Diagnostic) -> [Int] {
    guard let literal = node.literal else {
      throw Diagnostic(.internalError, "a constant without data", at: node.location)
    }
    if literal.isSplat {
      let term = Term.constant(literal.firstElementBits, op.dtype)
      return [add(FusionNode(kind: .map, type: type, term: term), label: "constant")]
    }
    return [add(FusionNode(kind: .constant(literal), type: type), label: "constant")]
  }

  mutating func visit(_ op: Iota) throws(Diagnostic) -> [Int] {
    let term = Term.index(.dimension(DimensionID(op.dimension)), op.dtype)
    return [add(FusionNode(kind: .map, type: type, term: term), label: "iota")]
  }

  mutating func visit(_ op: Reshape) throws(Diagnostic) -> [Int] {
    let bounds = IndexBounds(extents: op.shape)
    let index = IndexExpression.reshaped(
      type.shape.counters, of: type.shape, to: operandTypes[0].shape, bounds: bounds)
    return [view(operands[0], type.shape, index, label: "reshape", isReshape: true)]
  }

  mutating func visit(_ op: Broadcast) throws(Diagnostic) -> [Int] {
    let source = operandTypes[0].shape
    let counters = type.shape.counters
    let index = op.dimensions.enumerated().map { place, dimension in
      source[place] == 1 ? 0 : counters[dimension]
    }
    return [view(operands[0], type.shape, index, label: "broadcast")]
  }

  mutating func visit(_ op: Transpose) throws(Diagnostic) -> [Int] {
    [transposed(operands[0], op.permutation)]
  }

  /// Adds a transpose: dimension d of the result is dimension `permutation[d]` of the source.
  mutating func transposed(_ source: Int, _ permutation: [Int]) -> Int {
    let shape = graph.nodes[source].type.shape
    var index = [IndexExpression](repeating: 0, count: shape.rank)
    for (dimension, from) in permutation.enumerated() {
      index[from] = .dimension(DimensionID(dimension))
    }
    return view(source, Shape(permutation.map { shape[$0] }), index, label: "transpose")
  }

  mutating func visit(_ op: Slice) throws(Diagnostic) -> [Int] {
    let index = type.shape.counters.enumerated().map { dimension, counter in
      counter * op.stride[dimension] + IndexExpression(constant: op.start[dimension])
    }
    return [view(operands[0], type.shape, index, label: "slice")]
  }

  mutating func visit(_ op: Reverse) throws(Diagnostic) -> [Int] {
    let index = type.shape.counters.enumerated().map { dimension, counter in
      op.dimensions.contains(dimension)
        ? IndexExpression(constant: type.shape[dimension] - 1) - counter : counter
    }
    return [view(operands[0], type.shape, index, label: "reverse")]
  }

  mutating func visit(_ op: Pad) throws(Diagnostic) -> [Int] {
    [padded(operands[0], op, value: operands[1], shape: type.shape)]
  }

  /// Adds a node that surrounds `source` with the scalar `value`.
  mutating func padded(_ source: Int, _ op: Pad, value: Int, shape: Shape) -> Int {
    let extents = graph.nodes[source].type.shape.extents
    let bounds = IndexBounds(extents: shape.extents)
    var index: [IndexExpression] = []
    var guards: [IndexGuard] = []
    for (dimension, counter) in shape.counters.enumerated() {
      let step = op.interior[dimension] + 1
      let place = counter - IndexExpression(constant: op.low[dimension])
      index.append(place.quotient(by: step, in: bounds))
      guards.append(IndexGuard(index[dimension], below: extents[dimension]))
      if step > 1 { guards.append(IndexGuard(place.remainder(by: step, in: bounds), below: 1)) }
    }
    let term = Term.guarded(
      .read(operand: 0, index), guards, otherwise: .read(operand: 1, []))
    return add(
      FusionNode(
        kind: .map, type: TensorType(graph.nodes[source].type.dtype, shape),
        operands: [source, value], term: term),
      label: "pad")
  }

  mutating func visit(_ op: Concatenate) throws(Diagnostic) -> [Int] {
    var start = type.shape[op.dimension]
    var term = Term.constant(0, type.dtype)
    for (place, operand) in operandTypes.enumerated().reversed() {
      let extent = operand.shape[op.dimension]
      start -= extent
      var index = type.shape.counters
      index[op.dimension] = index[op.dimension] - IndexExpression(constant: start)
      let guards = [IndexGuard(index[op.dimension], below: extent)]
      term = .guarded(.read(operand: place, index), guards, otherwise: term)
    }
    return [
      add(
        FusionNode(kind: .map, type: type, operands: operands, term: term), label: "concatenate")
    ]
  }
}
