import GraphIR
import LoopIR

/// Writes the formula of a node's elements as one scalar body, down to nodes that are kept in memory or in locals.
///
/// Loads name a node n as `.parameter(n)`; whoever makes the kernel puts parameters and locals there. Equal
/// instructions are one, so that a body is never larger than the formula's graph.
struct BodyWriter {
  private let graph: FusionGraph
  /// Whether a node's elements are loaded instead of computed.
  private let isKept: [Bool]
  private(set) var bounds: IndexBounds
  private(set) var body = ScalarBody()
  private var places: [ScalarInstruction: Int] = [:]
  private var known: [Element: Int] = [:]

  private struct Element: Hashable {
    var node: Int
    var index: [IndexExpression]
    var guards: [IndexGuard]
  }

  /// Where a term stands: its node, what the node's dimensions and coordinates are, and the guards around it.
  private struct Context {
    var node: Int
    var dimensions: [IndexExpression]
    var coordinates: [IndexExpression] = []
    var guards: [IndexGuard] = []
  }

  /// A node's formula over its own dimensions.
  struct Formula: Sendable {
    /// The formula; empty for a node that has none.
    var body = ScalarBody()
    /// For a scatter the index of its target.
    var target: [IndexExpression] = []
  }

  init(graph: FusionGraph, isKept: [Bool], root: Int) {
    self.graph = graph
    self.isKept = isKept
    // Most formulas are no longer.
    places.reserveCapacity(12)
    bounds = IndexBounds(extents: graph.nodes[root].extents)
  }

  /// Writes the body of a kept node over its own dimensions.
  static func write(_ root: Int, in graph: FusionGraph, isKept: [Bool]) -> Formula {
    var writer = BodyWriter(graph: graph, isKept: isKept, root: root)
    let node = graph.nodes[root]
    var context = Context(
      node: root,
      dimensions: node.extents.enumerated().map { place, extent in
        extent == 1 ? 0 : .dimension(DimensionID(place))
      })
    writer.addCoordinates(&context)
    let last = writer.write(node.term, context)
    writer.endWith(last)
    guard case .scatter(_, let target) = node.kind else { return Formula(body: writer.body) }
    return Formula(body: writer.body, target: target.map { writer.place($0, context) })
  }

  // MARK: Instructions

  private mutating func emit(
    _ operation: ScalarOperation, _ operands: [Int] = [], _ dtype: DType
  ) -> Int {
    let instruction = ScalarInstruction(operation, operands, dtype)
    if let place = places[instruction] { return place }
    places[instruction] = body.instructions.count
    body.instructions.append(instruction)
    return body.instructions.count - 1
  }

  /// The last instruction gives the value, so a shared earlier one is repeated; it moves no data.
  private mutating func endWith(_ place: Int) {
    if place != body.instructions.count - 1 {
      body.instructions.append(body.instructions[place])
    }
  }

  private mutating func constant(_ value: Int, _ dtype: DType) -> Int {
    emit(.constant(UInt64(bitPattern: Int64(value))), [], dtype)
  }

  // MARK: Terms

  private func place(_ index: IndexExpression, _ context: Context) -> IndexExpression {
    index.substituting(in: bounds) { atom in
      switch atom {
      case .dimension(let id): context.dimensions[id.index]
      case .instruction(let place): context.coordinates[place]
      case .quotient, .remainder: nil
      }
    }
  }

  private func guards(_ guards: [IndexGuard], _ context: Context) -> [IndexGuard]? {
    var needed: [IndexGuard] = []
    for condition in guards {
      let placed = IndexGuard(place(condition.expression, context), below: condition.extent)
      switch placed.verdict(in: bounds) {
      case true?: continue
      case false?: return nil
      case nil: if !needed.contains(placed) { needed.append(placed) }
      }
    }
    return needed
  }

  private mutating func write(_ term: Term, _ context: Context) -> Int {
    switch term {
    case .read(let operand, let index):
      let source = graph.nodes[context.node].operands[operand]
      return write(source, index.map { place($0, context) }, context.guards)
    case .guarded(let term, let conditions, let otherwise):
      return writeGuarded(term, conditions, otherwise, context)
    case .constant(let bits, let dtype):
      return emit(.constant(bits), [], dtype)
    case .index(let index, let dtype):
      return emit(.index(place(index, context)), [], dtype)
    case .apply(let operation, let terms, let dtype):
      var operands: [Int] = []
      for term in terms { operands.append(write(term, context)) }
      return emit(operation, operands, dtype)
    case .random(let stream, let index, let terms, let dtype):
      var operands: [Int] = []
      for term in terms { operands.append(write(term, context)) }
      return emit(.random(stream: stream, index: place(index, context)), operands, dtype)
    }
  }

  private mutating func write(
    _ node: Int, _ index: [IndexExpression], _ guards: [IndexGuard]
  ) -> Int {
    if let (source, index) = load(node, index) {
      let dtype = graph.nodes[source].type.dtype
      let otherwise = guards.isEmpty ? [] : [emit(.constant(0), [], dtype)]
      return emit(.load(.parameter(source), index, guards: guards), otherwise, dtype)
    }
    let element = Element(node: node, index: index, guards: guards)
    if let place = known[element] { return place }
    var context = Context(node: node, dimensions: index, guards: guards)
    addCoordinates(&context)
    let place = write(graph.nodes[node].term, context)
    known[element] = place
    return place
  }

  private mutating func addCoordinates(_ context: inout Context) {
    for coordinate in graph.nodes[context.node].coordinates {
      var place = write(coordinate.term, context)
      if let extent = coordinate.clampedBelow {
        let low = constant(0, .i64)
        let high = constant(max(extent - 1, 0), .i64)
        place = emit(.clamp, [low, place, high], .i64)
        bounds.instructions[place] = 0...max(extent - 1, 0)
      }
      context.coordinates.append(IndexExpression(.instruction(place)))
    }
  }

  // MARK: Loads

  /// The kept node, or reshape of one, and the index of which an element is, when only index work lies between.
  private func load(
    _ node: Int, _ index: [IndexExpression]
  ) -> (node: Int, index: [IndexExpression])? {
    var (node, index) = (node, index)
    // A reshape that would make indices divide is read as a view of the same memory.
    var view: (node: Int, index: [IndexExpression])?
    while !isKept[node], graph.nodes[node].barrier == 0 {
      let current = graph.nodes[node]
      guard let read = current.term.asRead, current.coordinates.isEmpty, current.kind == .map else {
        return nil
      }
      if !current.isReshape {
        view = nil
      } else if view == nil, index.allSatisfy(\.isAffine) {
        view = (node, index)
      }
      let dimensions = Context(node: node, dimensions: index)
      index = read.index.map { place($0, dimensions) }
      node = current.operands[read.operand]
    }
    if index.allSatisfy(\.isAffine) { return (node, index) }
    return view ?? (node, index)
  }

  private mutating func writeGuarded(
    _ term: Term, _ conditions: [IndexGuard], _ otherwise: Term, _ context: Context
  ) -> Int {
    guard let needed = guards(conditions, context) else { return write(otherwise, context) }
    if needed.isEmpty { return write(term, context) }
    var inside = context
    for condition in needed where !inside.guards.contains(condition) {
      inside.guards.append(condition)
    }
    if let read = term.asRead,
      let (source, index) = load(
        graph.nodes[context.node].operands[read.operand],
        read.index.map { place($0, context) })
    {
      let value = write(otherwise, context)
      let dtype = graph.nodes[source].type.dtype
      return emit(.load(.parameter(source), index, guards: inside.guards), [value], dtype)
    }
    let value = write(term, inside)
    let condition = write(needed)
    return emit(
      .select, [condition, value, write(otherwise, context)], body.instructions[value].dtype)
  }

  /// All conditions as one bool.
  private mutating func write(_ guards: [IndexGuard]) -> Int {
    var conditions: [Int] = []
    for condition in guards {
      let range = condition.expression.range(in: bounds)
      let value = emit(.index(condition.expression), [], .i64)
      if range.map({ $0.lowerBound < 0 }) ?? true {
        conditions.append(emit(.compare(.greaterEqual), [value, constant(0, .i64)], .bool))
      }
      if range.map({ $0.upperBound >= condition.extent }) ?? true {
        conditions.append(emit(.compare(.less), [value, constant(condition.extent, .i64)], .bool))
      }
    }
    var all = conditions[0]
    for condition in conditions.dropFirst() {
      all = emit(.binary(.and), [all, condition], .bool)
    }
    return all
  }
}
