import GraphIR
import LoopIR

/// Gives the stage form of each operation: the formula of its elements, as nodes of a `FusionGraph`.
///
/// For each node of the graph it adds nodes and gives those that are the node's results.
struct Lowerer: OperationVisitor {
  /// The nodes so far.
  var graph: FusionGraph
  /// The node of the graph that is lowered.
  var node: Node
  /// The operands' nodes.
  var operands: [Int] = []
  /// What to say of the nodes that are added.
  var origin = NodeOrigin()
  /// The number of recomputations so far.
  var barriers = 0
  /// The cluster to which nodes belong that read its nodes.
  var cluster: Cluster?
  /// The names of the dimensions of the cluster's matrices.
  var clusterNames: [String] = []

  /// The operands' types.
  var operandTypes: [TensorType] { operands.map { graph.nodes[$0].type } }
  /// The type of the only result.
  var type: TensorType { node.types[0] }

  /// Adds a node.
  mutating func add(_ node: FusionNode, label: String) -> Int {
    var origin = origin
    origin.label = label
    var node = node
    if let cluster, node.operands.contains(where: { graph.nodes[$0].cluster == cluster }) {
      node.cluster = cluster
      if node.names.isEmpty, node.folded.isEmpty, node.type.shape.rank == clusterNames.count {
        node.names = clusterNames
      }
    }
    if node.names.count != node.extents.count {
      node.names = dimensionNames(rank: node.type.shape.rank) + foldNames(node.folded.count)
    }
    if node.type.shape.elementCount == 0, !node.isGiven {
      // Nothing of it is ever computed or read.
      node = FusionNode(
        kind: .map, type: node.type, term: .constant(0, node.type.dtype),
        names: dimensionNames(rank: node.type.shape.rank))
    } else if node.folded.contains(0) {
      node = empty(node)
    }
    return graph.append(node, origin)
  }

  /// What a fold over nothing gives.
  private func empty(_ node: FusionNode) -> FusionNode {
    let bits: UInt64
    switch node.kind {
    case .fold(let function): bits = node.type.dtype.identity(of: function)
    case .contraction: bits = 0
    case .scatter:
      // No update: the tensor stays as it is.
      return FusionNode(
        kind: .map, type: node.type, operands: [node.operands[0]],
        term: .read(operand: 0, node.type.shape.counters),
        names: dimensionNames(rank: node.type.shape.rank))
    case .input, .constant, .map, .argFold: bits = 0
    }
    return FusionNode(
      kind: .map, type: node.type, term: .constant(bits, node.type.dtype),
      names: dimensionNames(rank: node.type.shape.rank))
  }

  private func foldNames(_ count: Int) -> [String] {
    count == 1 ? ["k"] : (0..<count).map { "k\($0)" }
  }

  /// Adds a node that computes each element from the elements of `operands` at the same index.
  mutating func elementwise(
    _ operation: ScalarOperation, label: String
  ) -> [Int] {
    let index = type.shape.counters
    let reads = operands.indices.map { Term.read(operand: $0, index) }
    let map = FusionNode(
      kind: .map, type: type, operands: operands, term: .apply(operation, reads, type.dtype))
    return [add(map, label: label)]
  }

  /// Adds a node whose elements are those of `source` at an index.
  mutating func view(
    _ source: Int, _ shape: Shape, _ index: [IndexExpression], label: String,
    isReshape: Bool = false
  ) -> Int {
    let type = TensorType(graph.nodes[source].type.dtype, shape)
    return add(
      FusionNode(
        kind: .map, type: type, operands: [source], term: .read(operand: 0, index),
        isReshape: isReshape),
      label: label)
  }
}

extension Lowerer {
  /// Lowers a whole graph.
  ///
  /// - Returns: the nodes, and which of them are the graph's outputs.
  static func lower(
    _ source: Graph
  ) throws(Diagnostic) -> (graph: FusionGraph, outputs: [Int]) {
    var graph = FusionGraph()
    var inputs: [Int] = []
    for (place, input) in source.inputs.enumerated() {
      let node = FusionNode(kind: .input(place), type: input.type)
      let origin = NodeOrigin(value: Value(place), location: input.location, label: input.name)
      inputs.append(graph.append(node, origin))
    }
    guard let first = source.nodes.first else {
      return (graph, source.outputs.map { inputs[Int($0.value.index)] })
    }
    var lowerer = Lowerer(graph: graph, node: first)
    graph = FusionGraph()
    let outputs = try lowerer.lower(source, inputs: inputs, inside: nil)
    return (lowerer.graph, outputs)
  }

  /// Lowers the nodes of a graph, given the nodes of its inputs; a nested one is inside of a location.
  ///
  /// - Returns: the nodes of the graph's outputs.
  mutating func lower(
    _ source: Graph, inputs: [Int], inside outer: Location?
  ) throws(Diagnostic) -> [Int] {
    var nodes = inputs
    for node in source.nodes {
      self.node = node
      operands = node.operands.map { nodes[Int($0.index)] }
      origin = NodeOrigin(location: node.location)
      if let outer, node.location == .unknown { origin.location = outer }
      let results = try node.operation.accept(&self)
      for (place, result) in results.enumerated() {
        // The values of nested graphs have no name in the outer one.
        if outer == nil, graph.origins[result].value == nil {
          graph.origins[result].value = Value(Int(node.firstResult.index) + place)
        }
      }
      nodes += results
    }
    return source.outputs.map { nodes[Int($0.value.index)] }
  }
}

extension Shape {
  /// The index of a point as plain counters of dimensions 0, 1, ...
  var counters: [IndexExpression] { extents.indices.map { .dimension(DimensionID($0)) } }
}

extension DType {
  /// The bits of a fold's value over nothing.
  func identity(of function: ReduceFunction) -> UInt64 {
    let least: Double = isFloat ? -.infinity : -.greatestFiniteMagnitude
    return switch function {
    case .sum: 0
    case .product: bits(of: 1)
    case .max: self == .bool ? 0 : bits(of: least)
    case .min: self == .bool ? 1 : bits(of: -least)
    }
  }

  /// The bits of a number converted to the dtype.
  func bits(of number: Double) -> UInt64 {
    Literal.scalar(number, self).firstElementBits
  }
}

extension Literal {
  /// The bits of the first element, in the low end.
  var firstElementBits: UInt64 {
    bytes.prefix(type.dtype.byteCount).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Whether all elements have the same bits.
  var isSplat: Bool {
    let width = type.dtype.byteCount
    return bytes.count >= width && bytes.dropFirst(width).elementsEqual(bytes.dropLast(width))
  }
}
