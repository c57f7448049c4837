import GraphIR
import LoopIR

extension Lowerer {
  mutating func visit(_ op: ReduceWindow) throws(Diagnostic) -> [Int] {
    let (index, guards) = covered(op.window, rank: type.shape.rank)
    let identity = Term.constant(type.dtype.identity(of: op.function), type.dtype)
    let node = FusionNode(
      kind: .fold(op.function), type: type, operands: operands, folded: op.window.size,
      term: .guarded(.read(operand: 0, index), guards, otherwise: identity),
      names: dimensionNames(rank: type.shape.rank) + op.window.size.indices.map { "t\($0)" })
    return [add(node, label: "reduce_window_\(op.function.rawValue)")]
  }

  /// The position that tap t (the dimensions after `rank`) of window p covers, and that it is on the tensor.
  private func covered(
    _ window: Window, rank: Int
  ) -> (index: [IndexExpression], guards: [IndexGuard]) {
    let index = (0..<rank).map { dimension in
      IndexExpression.dimension(DimensionID(dimension)) * window.stride[dimension]
        + .dimension(DimensionID(rank + dimension)) * window.dilation[dimension]
        - IndexExpression(constant: window.padding[dimension][0])
    }
    let extents = operandTypes[0].shape.extents
    return (index, zip(index, extents).map { IndexGuard($0, below: $1) })
  }

  /// Three folds: the extreme of each window; the first tap that has it; for each element, the sum over the windows
  /// whose tap it is.
  mutating func visit(_ op: ReduceWindowGradient) throws(Diagnostic) -> [Int] {
    let windows = operandTypes[1].shape
    guard windows.elementCount > 0 else {
      let zero = FusionNode(kind: .map, type: type, term: .constant(0, type.dtype))
      return [add(zero, label: "constant")]
    }
    let winner = winners(op, windows: windows)
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
  private mutating func winners(_ op: ReduceWindowGradient, windows: Shape) -> Int {
    let rank = windows.rank
    let dtype = type.dtype
    let (index, guards) = covered(op.window, rank: rank)
    let names = dimensionNames(rank: rank) + op.window.size.indices.map { "t\($0)" }
    let identity = Term.constant(dtype.identity(of: op.function), dtype)
    let extreme = add(
      FusionNode(
        kind: .fold(op.function), type: TensorType(dtype, windows), operands: [operands[0]],
        folded: op.window.size,
        term: .guarded(.read(operand: 0, index), guards, otherwise: identity), names: names),
      label: "reduce_window_\(op.function.rawValue)")
    let bounds = IndexBounds(extents: windows.extents + op.window.size)
    let taps = (0..<rank).map { IndexExpression.dimension(DimensionID(rank + $0)) }
    let number = IndexExpression.linear(taps, in: Shape(op.window.size), bounds: bounds)
    let element = Term.guarded(
      .read(operand: 0, index), guards, otherwise: .constant(0, dtype))
    let best = Term.read(operand: 1, windows.counters)
    // The extreme is NaN when any element is, and then the first NaN is it.
    let isExtreme = Term.apply(
      .binary(.or),
      [
        .apply(.compare(.equal), [element, best], .bool),
        .apply(.compare(.notEqual), [element, element], .bool),
      ], .bool)
    // Only the element needs the guard: the extreme is read at its own window, and stays in the kernel.
    let isInside = Term.guarded(.constant(1, .bool), guards, otherwise: .constant(0, .bool))
    let isWinner = Term.apply(.binary(.and), [isInside, isExtreme], .bool)
    let none = Term.constant(DType.i32.identity(of: .min), .i32)
    let winner = add(
      FusionNode(
        kind: .fold(.min), type: TensorType(.i32, windows), operands: [operands[0], extreme],
        folded: op.window.size,
        term: .apply(.select, [isWinner, .index(number, .i32), none], .i32),
        names: names),
      label: "winner")
    guard windows.elementCount >= Self.manyWinners,
      let taps = Shape.checked(op.window.size)?.elementCount, taps <= 1 << 8
    else { return winner }
    return add(
      FusionNode(
        kind: .map, type: TensorType(.u8, windows), operands: [winner],
        term: .apply(.convert, [.read(operand: 0, windows.counters)], .u8),
        names: dimensionNames(rank: rank), identity: graph.nodes.count + 1),
      label: "winner")
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
