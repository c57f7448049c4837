import GraphIR

/// How the nodes of a graph compute on values that are stored in other layouts.
struct LayoutRules {
  /// The graph.
  let graph: Graph

  func shape(_ value: Value) -> Shape { graph.type(of: value).shape }

  /// The layouts of a node as it is.
  func natural(_ node: Node) -> NodeLayout {
    NodeLayout(
      operands: node.operands.map { .natural(shape($0).rank) },
      result: .natural(node.types.first?.shape.rank ?? 0))
  }

  /// The layouts of a node whose result is stored in a layout; nil where it cannot be, or does not say how operands are
  /// to be stored.
  func layout(_ node: Node, result: Layout) -> NodeLayout? {
    let isNew = { (layout: NodeLayout) in isPossible(node, layout) ? layout : nil }
    switch node.operation {
    case .unary, .binary, .compare, .select, .clamp, .convert, .concatenate, .slice, .reverse,
      .reduceWindow, .reduceWindowGradient, .iota:
      return isNew(NodeLayout(operands: node.operands.map { _ in result }, result: result))
    case .pad: return NodeLayout(operands: [result, .natural(0)], result: result)
    case .broadcast(let op):
      let places = result.places
      let order = op.dimensions.indices.sorted {
        places[op.dimensions[$0]] < places[op.dimensions[$1]]
      }
      return NodeLayout(operands: [Layout(order)], result: result)
    case .transpose(let op):
      return NodeLayout(operands: [Layout(result.stored(op.permutation))], result: result)
    case .reshape:
      let operand = shape(node.operands[0])
      return ReshapeBlocks(node.types[0].shape, operand)?.carry(result).map {
        NodeLayout(operands: [$0], result: result)
      }
    // What is folded could be stored anywhere between the other dimensions.
    case .reduce, .argReduce: return nil
    case .constant, .dot, .convolution, .gather, .scatter, .random, .composite: return nil
    }
  }

  /// The layouts of a node one of whose operands is stored in a layout; nil where it cannot be, or does not say how the
  /// result is stored.
  func layout(_ node: Node, operand place: Int, _ layout: Layout) -> NodeLayout? {
    switch node.operation {
    case .unary, .binary, .compare, .select, .clamp, .convert, .concatenate, .slice, .reverse,
      .reduceWindow, .reduceWindowGradient:
      return self.layout(node, result: layout)
    case .pad: return place == 0 ? self.layout(node, result: layout) : nil
    case .transpose(let op):
      let places = Layout(op.permutation).places
      return NodeLayout(operands: [layout], result: Layout(layout.stored(places)))
    case .reduce(let op): return reduced(layout, op.dimensions)
    case .argReduce(let op): return reduced(layout, [op.dimension])
    case .reshape:
      return ReshapeBlocks(shape(node.operands[0]), node.types[0].shape)?.carry(layout).map {
        NodeLayout(operands: [layout], result: $0)
      }
    // What is new could be stored anywhere between the operand's dimensions.
    case .broadcast: return nil
    case .constant, .iota, .dot, .convolution, .gather, .scatter, .random, .composite: return nil
    }
  }

  private func reduced(_ operand: Layout, _ dimensions: [Int]) -> NodeLayout {
    let kept = operand.order.filter { !dimensions.contains($0) }
    let order = kept.map { dimension in dimension - dimensions.count { $0 < dimension } }
    return NodeLayout(operands: [operand], result: Layout(order))
  }

  /// Whether the meaning does not depend on the layout.
  private func isPossible(_ node: Node, _ layout: NodeLayout) -> Bool {
    guard case .reduceWindowGradient(let op) = node.operation else { return true }
    // The first of several equal elements wins, so their order within a window has to stay.
    let long = layout.result.order.filter { op.window.size[$0] > 1 }
    return long == long.sorted()
  }

  /// Whether a node that computes on values as they are reads an operand as well where it is stored in a layout.
  ///
  /// A contraction reads its operands at any affine places. What it needs is that neighbours in memory are neighbours
  /// along features or along what is summed: it is vectorized there.
  func isReadAsWell(_ node: Node, operand place: Int, _ layout: Layout) -> Bool {
    let shape = shape(node.operands[place])
    let core = layout.core(shape)
    if core == Layout.natural(shape.rank).core(shape) { return true }
    guard let last = core.last else { return true }
    switch node.operation {
    case .dot(let op): return !(place == 0 ? op.lhsBatch : op.rhsBatch).contains(last)
    case .convolution:
      // In the gradient of a filter, images take the place of features.
      return last == shape.rank - 1 || last == (place == 0 ? 0 : shape.rank - 2)
    case .composite: return last == shape.rank - 1
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .iota, .reshape,
      .broadcast, .transpose, .slice, .pad, .concatenate, .reverse, .reduce, .argReduce,
      .reduceWindow, .reduceWindowGradient, .gather, .scatter, .random:
      return false
    }
  }

  /// The bytes that it costs to move a value into another layout.
  func bytesToMove(_ value: Value) -> Int {
    guard let node = graph.definition(of: value) else { return bytes(of: value) }
    switch node.operation {
    // Moved before anything runs.
    case .constant: return 0
    // Counted, as well in one order as in another.
    case .iota: return 1
    // Repeated where it is read; what is repeated is better moved before.
    case .broadcast:
      let source = node.operands[0]
      return (shape(source).extents.count { $0 != 1 } > 1 ? bytes(of: source) : 0) + 1
    case .unary, .binary, .compare, .select, .clamp, .convert, .reshape, .transpose, .slice, .pad,
      .concatenate, .reverse, .dot, .convolution, .reduce, .argReduce, .reduceWindow,
      .reduceWindowGradient, .gather, .scatter, .random, .composite:
      return bytes(of: value)
    }
  }

  /// The bytes of a value; those that no memory holds are not told apart, so that sums cannot overflow.
  private func bytes(of value: Value) -> Int { min(graph.type(of: value).byteCount, 1 << 40) }
}

/// The dimensions of a shape and those of another one of the same elements that hold the same indices: groups that can
/// change places as long as each stays in order.
struct ReshapeBlocks {
  private let from: Shape
  private let to: Shape
  private var blocks: [(from: [Int], to: [Int])] = []

  /// Finds the groups; nil where there are no elements.
  init?(_ from: Shape, _ to: Shape) {
    (self.from, self.to) = (from, to)
    guard from.elementCount > 0, from.elementCount == to.elementCount else { return nil }
    var (sources, targets) = (
      from.extents.indices.filter { from[$0] != 1 }[...],
      to.extents.indices.filter { to[$0] != 1 }[...]
    )
    while let source = sources.popFirst(), let target = targets.popFirst() {
      var block = (from: [source], to: [target])
      var counts = (from[source], to[target])
      while counts.0 != counts.1 {
        if counts.0 < counts.1, let next = sources.popFirst() {
          block.from.append(next)
          counts.0 *= from[next]
        } else if let next = targets.popFirst() {
          block.to.append(next)
          counts.1 *= to[next]
        } else {
          return nil
        }
      }
      blocks.append(block)
    }
  }

  /// The layout of the second shape where the first has the given one; nil where a group does not stay in order.
  func carry(_ layout: Layout) -> Layout? {
    var core = layout.core(from)[...]
    var order: [Int] = []
    while let first = core.first {
      guard let block = blocks.first(where: { $0.from[0] == first }),
        core.starts(with: block.from)
      else { return nil }
      core = core.dropFirst(block.from.count)
      order += block.to
    }
    return Layout(order + to.extents.indices.filter { to[$0] == 1 })
  }
}
