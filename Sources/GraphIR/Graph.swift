/// The name of a value in one graph: an input or a node's result.
///
/// Values are numbered in order of definition.
public struct Value: Hashable, Sendable, Comparable {
  /// The number, from 0: inputs first, then the nodes' results.
  public let index: UInt32
  /// Names the value with the given number.
  public init(_ index: Int) { self.index = UInt32(index) }
  /// Earlier values are smaller.
  public static func < (a: Value, b: Value) -> Bool { a.index < b.index }
}

/// One node: an operation applied to values.
public struct Node: Hashable, Sendable {
  /// What the node does.
  public var operation: Operation
  /// The values it reads, in the operation's order.
  public var operands: [Value]
  /// The first result; further results have the following numbers.
  public var firstResult: Value
  /// The types of its results.
  public var types: [TensorType]
  /// Nested graphs: a composite's body.
  public var bodies: [Graph]
  /// A constant's data.
  public var literal: Literal?
  /// Where the node comes from.
  public var location: Location

  /// The results' values.
  public var results: [Value] { types.indices.map { Value(Int(firstResult.index) + $0) } }
}

/// An input of a graph.
public struct Input: Hashable, Sendable {
  /// The name, unique among the inputs: `conv1.filter`.
  public var name: String
  /// The type.
  public var type: TensorType
  /// The output whose value takes over this input's buffer when the graph has run; its type is the
  /// same.
  public var donatedTo: Int?
  /// Where the input comes from.
  public var location: Location
  /// Makes an input.
  public init(
    _ name: String, _ type: TensorType, donatedTo: Int? = nil, location: Location = .unknown
  ) {
    self.name = name
    self.type = type
    self.donatedTo = donatedTo
    self.location = location
  }
}

/// An output of a graph.
public struct Output: Hashable, Sendable {
  /// The name, unique among the outputs: `loss`.
  public var name: String
  /// The value given.
  public var value: Value
  /// Makes an output.
  public init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }
}

/// A typed graph in single-assignment form: inputs, nodes in topological order, outputs.
///
/// A graph is a value; it is made by `GraphBuilder`, and passes make a new one. It is well typed by
/// construction.
public struct Graph: Hashable, Sendable {
  /// The name, a letter followed by letters, digits, `_`, `.` or `-`.
  public var name: String
  /// The inputs; input i is value i.
  public package(set) var inputs: [Input]
  /// The nodes; each reads only inputs and results of earlier nodes.
  public package(set) var nodes: [Node]
  /// The outputs; a value may be given more than once.
  public package(set) var outputs: [Output]
  /// For each value the index in `nodes` of the node that defines it, or `~i` for input i.
  package var definingNode: [Int32]

  package init(name: String) {
    self.name = name
    inputs = []
    nodes = []
    outputs = []
    definingNode = []
  }

  /// The number of values.
  public var valueCount: Int { definingNode.count }

  /// The type of a value.
  public func type(of value: Value) -> TensorType {
    let index = Int(definingNode[Int(value.index)])
    guard index >= 0 else { return inputs[~index].type }
    return nodes[index].types[Int(value.index - nodes[index].firstResult.index)]
  }

  /// The index in `nodes` of the node that defines a value; nil for an input.
  public func definingNodeIndex(of value: Value) -> Int? {
    let index = definingNode[Int(value.index)]
    return index < 0 ? nil : Int(index)
  }

  /// The node that defines a value; nil for an input.
  public func definition(of value: Value) -> Node? {
    definingNodeIndex(of: value).map { nodes[$0] }
  }

  /// The index in `inputs` of the input that a value is; nil for a node's result.
  public func inputIndex(of value: Value) -> Int? {
    let index = definingNode[Int(value.index)]
    return index < 0 ? Int(~index) : nil
  }

  /// The input that a value is; nil for a node's result.
  public func input(of value: Value) -> Input? {
    inputIndex(of: value).map { inputs[$0] }
  }

  /// For each value, how often nodes and outputs read it.
  public func useCounts() -> [Int] {
    var counts = [Int](repeating: 0, count: valueCount)
    for node in nodes { for operand in node.operands { counts[Int(operand.index)] += 1 } }
    for output in outputs { counts[Int(output.value.index)] += 1 }
    return counts
  }
}
