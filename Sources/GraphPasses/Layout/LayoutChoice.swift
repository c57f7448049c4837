import GraphIR

/// The layouts in which the nodes of a graph compute, and what moving values between them costs.
///
/// A transpose is computed by storing its result as its operand is stored: it costs something only where a reader needs
/// the result in another layout. Each layout of a value that is needed beside the one in which it is computed costs the
/// bytes of the value once.
struct LayoutChoice {
  /// A node that reads a value, and as which operand.
  struct Reader: Hashable {
    var node: Int
    var place: Int
  }

  let rules: LayoutRules
  /// For each value what reads it and matters.
  let readers: [[Reader]]
  /// For each value whether it is an output.
  let isOutput: [Bool]
  /// For each node its layouts.
  private(set) var layouts: [NodeLayout] = []

  var graph: Graph { rules.graph }

  init(_ graph: Graph) {
    rules = LayoutRules(graph: graph)
    var readers = [[Reader]](repeating: [], count: graph.valueCount)
    var isOutput = [Bool](repeating: false, count: graph.valueCount)
    for output in graph.outputs { isOutput[Int(output.value.index)] = true }
    for index in graph.nodes.indices.reversed() {
      let node = graph.nodes[index]
      let isLive = node.results.contains {
        isOutput[Int($0.index)] || !readers[Int($0.index)].isEmpty
      }
      guard isLive else { continue }
      for (place, operand) in node.operands.enumerated() {
        readers[Int(operand.index)].append(Reader(node: index, place: place))
      }
    }
    (self.readers, self.isOutput) = (readers, isOutput)
    for node in graph.nodes {
      let natural = rules.natural(node)
      guard case .transpose = node.operation else {
        layouts.append(natural)
        continue
      }
      let stored = layout(of: node.operands[0])
      layouts.append(rules.layout(node, operand: 0, stored) ?? natural)
    }
  }

  /// The layout in which a value is computed.
  func layout(of value: Value) -> Layout {
    guard let index = graph.definingNodeIndex(of: value), graph.nodes[index].types.count == 1 else {
      return .natural(rules.shape(value).rank)
    }
    return layouts[index].result
  }

  /// The layout of a value that a reader needs; nil where it reads the value as well as it is stored.
  func need(_ reader: Reader, of value: Value, stored: Layout, _ layout: NodeLayout) -> Layout? {
    let needed = layout.operands[reader.place]
    let shape = rules.shape(value)
    if needed.core(shape) == stored.core(shape) { return nil }
    return rules.isReadAsWell(graph.nodes[reader.node], operand: reader.place, stored)
      ? nil : needed
  }

  /// The layouts of a value that are needed beside the one in which it is computed.
  func missing(of value: Value) -> Set<[Int]> {
    let (stored, shape) = (layout(of: value), rules.shape(value))
    var missing: Set<[Int]> = []
    for reader in readers[Int(value.index)] {
      if let need = need(reader, of: value, stored: stored, layouts[reader.node]) {
        missing.insert(need.core(shape))
      }
    }
    if isOutput[Int(value.index)] {
      let natural = Layout.natural(shape.rank).core(shape)
      if natural != stored.core(shape) { missing.insert(natural) }
    }
    return missing
  }

  /// The bytes that are moved for a value.
  private func cost(of value: Value) -> Int {
    let missing = missing(of: value)
    return missing.isEmpty ? 0 : missing.count * rules.bytesToMove(value)
  }

  /// Takes other layouts of some nodes where that moves fewer bytes.
  ///
  /// - Returns: whether they were taken.
  mutating func take(_ others: [Int: NodeLayout]) -> Bool {
    var touched: Set<Value> = []
    for index in others.keys {
      touched.formUnion(graph.nodes[index].operands + graph.nodes[index].results)
    }
    let before = touched.reduce(0) { $0 + cost(of: $1) }
    let old = layouts
    for (index, layout) in others { layouts[index] = layout }
    let after = touched.reduce(0) { $0 + cost(of: $1) }
    if after < before { return true }
    layouts = old
    return false
  }

  // MARK: Families

  /// Layouts of one node and of all those that follow from it, from reader to reader.
  func family(of index: Int, _ layout: NodeLayout) -> [Int: NodeLayout] {
    var family = [index: layout]
    var pending = [index]
    var position = 0
    while position < pending.count {
      let index = pending[position]
      position += 1
      guard let layout = family[index] else { continue }
      func add(_ other: Int, _ new: NodeLayout?) {
        guard let new, family[other] == nil else { return }
        family[other] = new
        pending.append(other)
      }
      let node = graph.nodes[index]
      for (place, operand) in node.operands.enumerated() {
        guard let source = graph.definingNodeIndex(of: operand),
          differs(layout.operands[place], self.layout(of: operand), operand)
        else { continue }
        add(source, rules.layout(graph.nodes[source], result: layout.operands[place]))
      }
      let result = node.results[0]
      for reader in readers[Int(result.index)] {
        let current = layouts[reader.node].operands[reader.place]
        guard differs(layout.result, current, result) else { continue }
        let other = graph.nodes[reader.node]
        add(reader.node, rules.layout(other, operand: reader.place, layout.result))
      }
    }
    return family
  }

  private func differs(_ a: Layout, _ b: Layout, _ value: Value) -> Bool {
    let shape = rules.shape(value)
    return a.core(shape) != b.core(shape)
  }

  /// Nodes with layouts that would spare moving a value, for all values that are moved.
  func seeds() -> [(node: Int, layout: NodeLayout, bytes: Int)] {
    var seeds: [(node: Int, layout: NodeLayout, bytes: Int)] = []
    for index in readers.indices where !readers[index].isEmpty || isOutput[index] {
      let value = Value(index)
      let (stored, shape) = (layout(of: value), rules.shape(value))
      guard shape.rank > 1, case let bytes = rules.bytesToMove(value), bytes > 0 else { continue }
      func add(_ node: Int?, _ layout: NodeLayout?) {
        if let node, let layout { seeds.append((node, layout, bytes)) }
      }
      func addSource(_ layout: Layout) {
        guard let source = graph.definingNodeIndex(of: value) else { return }
        add(source, rules.layout(graph.nodes[source], result: layout))
      }
      for reader in readers[index] {
        let layout = layouts[reader.node]
        guard let need = need(reader, of: value, stored: stored, layout) else { continue }
        addSource(need)
        let node = graph.nodes[reader.node]
        add(reader.node, rules.layout(node, operand: reader.place, stored))
      }
      let natural = Layout.natural(shape.rank)
      if isOutput[index], natural.core(shape) != stored.core(shape) { addSource(natural) }
    }
    // Where bytes are equal, the first comes first, on every run.
    return seeds.enumerated().sorted {
      ($1.element.bytes, $0.offset) < ($0.element.bytes, $1.offset)
    }.map(\.element)
  }
}
