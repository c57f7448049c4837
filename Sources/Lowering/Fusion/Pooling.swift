import GraphIR
import LoopIR

extension Lowerer {
  mutating func visit(_ op: ReduceWindow) throws(Diagnostic) -> [Int] {
    let rank = type.shape.rank
    let (index, guards) = covered(
      op.window, by: (0..<rank).map { .dimension(DimensionID(rank + $0)) })
    let identity = Term.constant(type.dtype.identity(of: op.function), type.dtype)
    let node = FusionNode(
      kind: .fold(op.function), type: type, operands: operands, folded: op.window.size,
      term: .guarded(.read(operand: 0, index), guards, otherwise: identity),
      names: dimensionNames(rank: type.shape.rank) + op.window.size.indices.map { "t\($0)" })
    return [add(node, label: "reduce_window_\(op.function.rawValue)")]
  }

  /// The position that a tap of window p covers, and that it is on the tensor.
  ///
  /// - Parameter tap: its place along each dimension.
  private func covered(
    _ window: Window, by tap: [IndexExpression]
  ) -> (index: [IndexExpression], guards: [IndexGuard]) {
    let index = tap.enumerated().map { dimension, tap in
      IndexExpression.dimension(DimensionID(dimension)) * window.stride[dimension]
        + tap * window.dilation[dimension]
        - IndexExpression(constant: window.padding[dimension][0])
    }
    let extents = operandTypes[0].shape.extents
    return (index, zip(index, extents).map { IndexGuard($0, below: $1) })
  }

  /// Two folds: the tap of each window that has its extreme; for each element, the sum over the windows whose tap it is.
  mutating func visit(_ op: ReduceWindowGradient) throws(Diagnostic) -> [Int] {
    let windows = operandTypes[1].shape
    guard windows.elementCount > 0 else {
      let zero = FusionNode(kind: .map, type: type, term: .constant(0, type.dtype))
      return [add(zero, label: "constant")]
    }
    let winner = try winners(op, windows: windows)
    let (place, tap, guards, folded) = windowsCovering(op.window, windows: windows)
    let extents = type.shape.extents + folded
    let bounds = IndexBounds(extents: extents)
    let tapNumber = IndexExpression.linear(tap, in: Shape(op.window.size), bounds: bounds)
    var number = Term.read(operand: 0, place)
    if graph.nodes[winner].type.dtype != .i32 { number = .apply(.convert, [number], .i32) }
    let won = Term.apply(.compare(.equal), [number, .index(tapNumber, .i32)], .bool)
    let share = Term.apply(
      .select, [won, .read(operand: 1, place), .constant(0, type.dtype)], type.dtype)
    let node = FusionNode(
      kind: folded.isEmpty ? .map : .fold(.sum), type: type, operands: [winner, operands[1]],
      folded: folded, term: .guarded(share, guards, otherwise: .constant(0, type.dtype)),
      names: dimensionNames(rank: type.shape.rank) + folded.indices.map { "t\($0)" })
    return [add(node, label: "reduce_window_gradient_\(op.function.rawValue)")]
  }

  /// From here on what tells the winners is kept as bytes: it goes to memory and comes back.
  private static var manyWinners: Int { 1 << 20 }

  /// For each window the row-major number of its first tap whose element is the extreme, or is NaN.
  private mutating func winners(
    _ op: ReduceWindowGradient, windows: Shape
  ) throws(Diagnostic) -> Int {
    let dtype = type.dtype
    guard let taps = Shape.checked(op.window.size) else {
      throw Diagnostic(
        .sizeOverflow, "a window has more taps than can be counted: \(op.window.size)")
    }
    guard taps.elementCount > 1 else {
      let first = FusionNode(kind: .map, type: TensorType(.i32, windows), term: .constant(0, .i32))
      return add(first, label: "winner")
    }
    let bounds = IndexBounds(extents: windows.extents + [taps.elementCount])
    let tap = IndexExpression.index(
      ofLinear: .dimension(DimensionID(windows.rank)), in: taps, bounds: bounds)
    let (index, guards) = covered(op.window, by: tap)
    let identity = Term.constant(dtype.identity(of: op.function), dtype)
    let extreme = add(
      FusionNode(
        kind: .argFold(op.function == .max ? .argmax : .argmin), type: TensorType(.i32, windows),
        operands: [operands[0]], folded: [taps.elementCount],
        term: .guarded(.read(operand: 0, index), guards, otherwise: identity),
        names: dimensionNames(rank: windows.rank) + ["t"]),
      label: "winner")
    let isSmall = windows.elementCount < Self.manyWinners || taps.elementCount > 1 << 8
    if isSmall, op.window.padding.allSatisfy({ $0[0] == 0 }) { return extreme }
    var winner = insideWinner(op.window, windows)
    if !isSmall { winner = .apply(.convert, [winner], .u8) }
    return add(
      FusionNode(
        kind: .map, type: TensorType(isSmall ? .i32 : .u8, windows), operands: [extreme],
        term: winner, names: dimensionNames(rank: windows.rank), identity: graph.nodes.count + 1),
      label: "winner")
  }

  /// The winner of a window, operand 0, as the number of a tap that is on the tensor.
  ///
  /// Beside elements that are all the least there is, what is off the tensor wins as the first tap; the first one on it
  /// should.
  private func insideWinner(_ window: Window, _ windows: Shape) -> Term {
    let bounds = IndexBounds(extents: windows.extents)
    let winner = Term.read(operand: 0, windows.counters)
    var first: Term?
    let steps = Shape(window.size).strides
    for (dimension, place) in windows.counters.enumerated() {
      let (low, dilation) = (window.padding[dimension][0], window.dilation[dimension])
      guard low > 0 else { continue }
      // The taps before the tensor; of windows that begin on it, none.
      let last = IndexExpression(constant: low + dilation - 1) - place * window.stride[dimension]
      let before = last.quotient(by: dilation, in: bounds) * steps[dimension]
      let count = Term.apply(
        .binary(.maximum), [.index(before, .i64), .constant(0, .i64)], .i64)
      first = first.map { .apply(.binary(.add), [$0, count], .i64) } ?? count
    }
    guard let first else { return winner }
    let isFirst = Term.apply(.compare(.equal), [winner, .constant(0, .i32)], .bool)
    return .apply(.select, [isFirst, .apply(.convert, [first], .i32), winner], .i32)
  }

  /// The windows and taps that cover element i: `window * stride + tap * dilation = i + padding`.
  ///
  /// Where windows do not overlap, the tap follows from the element; otherwise it is folded over.
  private func windowsCovering(
    _ window: Window, windows: Shape
  ) -> (place: [IndexExpression], tap: [IndexExpression], guards: [IndexGuard], folded: [Int]) {
    var place: [IndexExpression] = []
    var taps: [IndexExpression] = []
    var guards: [IndexGuard] = []
    var folded: [Int] = []
    var bounds = IndexBounds(extents: type.shape.extents)
    for (dimension, counter) in type.shape.counters.enumerated() {
      let (size, stride) = (window.size[dimension], window.stride[dimension])
      let shifted = counter + IndexExpression(constant: window.padding[dimension][0])
      if size <= stride && window.dilation[dimension] == 1 {
        taps.append(shifted.remainder(by: stride, in: bounds))
        place.append(shifted.quotient(by: stride, in: bounds))
        guards.append(IndexGuard(taps[dimension], below: size))
      } else {
        let tap = IndexExpression.dimension(DimensionID(bounds.extents.count))
        folded.append(size)
        bounds.extents.append(size)
        taps.append(tap)
        let rest = shifted - tap * window.dilation[dimension]
        place.append(rest.quotient(by: stride, in: bounds))
        guards.append(IndexGuard(rest.remainder(by: stride, in: bounds), below: 1))
      }
      guards.append(IndexGuard(place[dimension], below: windows[dimension]))
    }
    return (place, taps, guards, folded)
  }
}
