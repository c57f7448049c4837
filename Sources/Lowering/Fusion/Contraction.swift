import GraphIR
import LoopIR

extension Lowerer {
  mutating func visit(_ op: Dot) throws(Diagnostic) -> [Int] {
    let shapes = operandTypes.map(\.shape)
    var lhs = [IndexExpression](repeating: 0, count: shapes[0].rank)
    var rhs = [IndexExpression](repeating: 0, count: shapes[1].rank)
    var next = 0
    func counter() -> IndexExpression {
      defer { next += 1 }
      return .dimension(DimensionID(next))
    }
    for (left, right) in zip(op.lhsBatch, op.rhsBatch) {
      lhs[left] = counter()
      rhs[right] = lhs[left]
    }
    for dimension in lhs.indices
    where !op.lhsBatch.contains(dimension) && !op.lhsContracting.contains(dimension) {
      lhs[dimension] = counter()
    }
    for dimension in rhs.indices
    where !op.rhsBatch.contains(dimension) && !op.rhsContracting.contains(dimension) {
      rhs[dimension] = counter()
    }
    for (left, right) in zip(op.lhsContracting, op.rhsContracting) {
      lhs[left] = counter()
      rhs[right] = lhs[left]
    }
    let folded = op.lhsContracting.map { shapes[0][$0] }
    return [contraction(operands, lhs, rhs, folded: folded, names: [], label: "dot")]
  }

  mutating func visit(_ op: Convolution) throws(Diagnostic) -> [Int] {
    let filter = operandTypes[1].shape
    let spatial = op.stride.count
    if op.meetsChannelsAlone(filter: filter), type.shape.elementCount > 0,
      operandTypes[0].shape.elementCount > 0
    {
      return [spreadConvolution(op, filter)]
    }
    let source = try plainInput(op, spatial: spatial)
    let counters = type.shape.counters
    let taps = (0...spatial).map { IndexExpression.dimension(DimensionID(spatial + 2 + $0)) }
    let bounds = IndexBounds(
      extents: type.shape.extents + filter.extents[..<spatial] + [filter[spatial]])
    var input = [counters[0]]
    for dimension in 0..<spatial {
      input.append(
        counters[dimension + 1] * op.stride[dimension]
          + taps[dimension] * op.kernelDilation[dimension])
    }
    let outputs = filter[spatial + 1]
    let group =
      op.groups == 1
      ? 0 : counters[spatial + 1].quotient(by: max(outputs / op.groups, 1), in: bounds)
    input.append(taps[spatial] + group * filter[spatial])
    let weights = taps + [counters[spatial + 1]]
    let names = dimensionNames(rank: spatial + 2) + tapNames(spatial) + ["k"]
    return [
      contraction(
        [source, operands[1]], input, weights, folded: Array(filter.extents[...spatial]),
        names: names, label: "convolution")
    ]
  }

  /// A convolution of each channel for itself, of an input whose elements lie apart: a sum over the taps that meet one.
  private mutating func spreadConvolution(_ op: Convolution, _ filter: Shape) -> Int {
    let spatial = op.stride.count
    let counters = type.shape.counters
    let taps = (0..<spatial).map { IndexExpression.dimension(DimensionID(spatial + 2 + $0)) }
    let bounds = IndexBounds(extents: type.shape.extents + filter.extents[..<spatial])
    var input = [counters[0]]
    var (inside, met): ([IndexGuard], [IndexGuard]) = ([], [])
    for (dimension, dilation) in op.inputDilation.enumerated() {
      let place =
        counters[dimension + 1] * op.stride[dimension]
        + taps[dimension] * op.kernelDilation[dimension]
        - IndexExpression(constant: op.padding[dimension][0])
      input.append(place.quotient(by: dilation, in: bounds))
      inside.append(IndexGuard(input[dimension + 1], below: operandTypes[0].shape[dimension + 1]))
      if dilation > 1 {
        met.append(IndexGuard(place.remainder(by: dilation, in: bounds), below: 1))
      }
    }
    input.append(counters[spatial + 1])
    let dtype = type.dtype
    let wide = widened(dtype)
    let element = Term.guarded(
      .read(operand: 0, input), inside, otherwise: .constant(0, dtype))
    let weight = Term.read(operand: 1, taps + [0, counters[spatial + 1]])
    let factors = [element, weight].map { wide == dtype ? $0 : .apply(.convert, [$0], wide) }
    let product = Term.apply(.binary(.multiply), factors, wide)
    let term = Term.guarded(product, met, otherwise: .constant(0, wide))
    let hasTaps = filter.extents[..<spatial].contains { $0 > 1 }
    let sum = add(
      FusionNode(
        kind: hasTaps ? .fold(.sum) : .map, type: TensorType(wide, type.shape),
        operands: operands, folded: hasTaps ? Array(filter.extents[..<spatial]) : [],
        term: hasTaps ? term : droppingFolds(term, type.shape.rank),
        names: dimensionNames(rank: spatial + 2) + (hasTaps ? tapNames(spatial) : [])),
      label: "convolution")
    if wide == dtype { return sum }
    let rounded = Term.apply(.convert, [.read(operand: 0, counters)], dtype)
    return add(FusionNode(kind: .map, type: type, operands: [sum], term: rounded), label: "convert")
  }

  /// The names of a filter's spatial dimensions.
  private func tapNames(_ spatial: Int) -> [String] {
    spatial <= 2 ? Array(["i", "j"].prefix(spatial)) : (0..<spatial).map { "i\($0)" }
  }

  /// What products of a type are summed in.
  private func widened(_ dtype: DType) -> DType {
    dtype == .f16 || dtype == .bf16 ? .f32 : dtype
  }

  /// The convolution's input, padded and dilated as a tensor of its own, so that no product needs a guard.
  private mutating func plainInput(_ op: Convolution, spatial: Int) throws(Diagnostic) -> Int {
    let isPlain =
      op.padding.allSatisfy { $0 == [0, 0] } && op.inputDilation.allSatisfy { $0 == 1 }
    if isPlain || type.shape.elementCount == 0 { return operands[0] }
    let pad = Pad(
      low: [0] + op.padding.map { $0[0] } + [0], high: [0] + op.padding.map { $0[1] } + [0],
      interior: [0] + op.inputDilation.map { $0 - 1 } + [0])
    let extents = operandTypes[0].shape.padded(pad).extents
    guard Shape.checked(extents) != nil else {
      throw Diagnostic(
        .sizeOverflow, "the input of a convolution, padded, would have the shape \(Shape(extents))",
        at: node.location, hint: "a tensor has at most 2^48 elements")
    }
    return paddedBelowViews(operands[0], pad)
  }

  /// Pads a tensor with zeros.
  ///
  /// A transpose or reshape of other dimensions is put after its padding, so that both passes over a layer pad its
  /// input in one layout and share it.
  private mutating func paddedBelowViews(_ source: Int, _ pad: Pad) -> Int {
    let node = graph.nodes[source]
    if let (inner, index) = node.padding(pad, of: graph) {
      let padded = paddedBelowViews(node.operands[0], inner)
      return view(
        padded, node.type.shape.padded(pad), index, label: "transpose", isReshape: node.isReshape)
    }
    let zero = add(
      FusionNode(
        kind: .map, type: TensorType(node.type.dtype, []), term: .constant(0, node.type.dtype)),
      label: "constant")
    return padded(source, pad, value: zero, shape: node.type.shape.padded(pad))
  }

  /// Adds a sum of products; those of f16 and bf16 are summed in f32.
  private mutating func contraction(
    _ sources: [Int], _ lhs: [IndexExpression], _ rhs: [IndexExpression], folded: [Int],
    names: [String], label: String
  ) -> Int {
    let dtype = type.dtype
    let wide = widened(dtype)
    func operand(_ place: Int, _ index: [IndexExpression]) -> Term {
      let read = Term.read(operand: place, index)
      return wide == dtype ? read : .apply(.convert, [read], wide)
    }
    let product = Term.apply(.binary(.multiply), [operand(0, lhs), operand(1, rhs)], wide)
    if folded.allSatisfy({ $0 == 1 }) {
      let term = wide == dtype ? product : .apply(.convert, [product], dtype)
      return add(
        FusionNode(
          kind: .map, type: type, operands: sources, term: droppingFolds(term, type.shape.rank)),
        label: label)
    }
    return add(
      FusionNode(
        kind: .contraction, type: type, operands: sources, folded: folded, term: product,
        names: names),
      label: label)
  }

  /// The term with every counter from `rank` on replaced by 0.
  func droppingFolds(_ term: Term, _ rank: Int) -> Term {
    let bounds = IndexBounds(extents: type.shape.extents)
    return term.mapIndices { index in
      index.substituting(in: bounds) { atom in
        if case .dimension(let id) = atom, id.index >= rank { 0 } else { nil }
      }
    }
  }
}

extension Term {
  /// The term with every index expression replaced.
  func mapIndices(_ change: (IndexExpression) -> IndexExpression) -> Term {
    switch self {
    case .read(let operand, let index): .read(operand: operand, index.map(change))
    case .guarded(let term, let guards, let otherwise):
      .guarded(
        term.mapIndices(change),
        guards.map { IndexGuard(change($0.expression), below: $0.extent) },
        otherwise: otherwise.mapIndices(change))
    case .constant: self
    case .index(let index, let dtype): .index(change(index), dtype)
    case .apply(let operation, let terms, let dtype):
      .apply(operation, terms.map { $0.mapIndices(change) }, dtype)
    case .random(let stream, let index, let terms, let dtype):
      .random(stream: stream, index: change(index), terms.map { $0.mapIndices(change) }, dtype)
    }
  }
}

extension FusionNode {
  /// The padding of this node's operand that serves instead of its own, and its index then; nil when it does more than
  /// move the padded dimensions.
  fileprivate func padding(
    _ pad: Pad, of graph: FusionGraph
  ) -> (inner: Pad, index: [IndexExpression])? {
    guard kind == .map, coordinates.isEmpty, let index = term.asRead?.index else { return nil }
    let source = graph.nodes[operands[0]].type.shape
    guard source.elementCount <= type.shape.elementCount else { return nil }
    let none = [Int](repeating: 0, count: source.rank)
    var inner = Pad(low: none, high: none)
    for place in type.shape.extents.indices
    where pad.low[place] != 0 || pad.high[place] != 0 || pad.interior[place] != 0 {
      let id = DimensionID(place)
      let uses = index.indices.filter { index[$0].dependence(on: id) != .affine(0) }
      guard uses.count == 1, let from = uses.first, index[from].asDimension == id,
        source[from] == type.shape[place]
      else { return nil }
      inner.low[from] = pad.low[place]
      inner.high[from] = pad.high[place]
      inner.interior[from] = pad.interior[place]
    }
    return (inner, index)
  }
}

extension Shape {
  /// The shape after `pad`, as its inference says.
  fileprivate func padded(_ pad: Pad) -> Shape {
    Shape(
      extents.indices.map { place in
        let between = extents[place] == 0 ? 0 : (extents[place] - 1) * pad.interior[place]
        return pad.low[place] + extents[place] + between + pad.high[place]
      })
  }
}
