import GraphIR
import LoopIR

/// How an element of a node is computed from elements of its operands.
///
/// Index expressions are over the node's own dimensions: those of the result, then those that are folded. Their
/// atoms `.instruction(k)` stand for the node's k-th coordinate.
indirect enum Term: Hashable, Sendable {
  /// An element of an operand.
  case read(operand: Int, [IndexExpression])
  /// The first term where all guards hold, otherwise the second.
  case guarded(Term, [IndexGuard], otherwise: Term)
  /// A constant by its bits.
  case constant(UInt64, DType)
  /// An index as a number.
  case index(IndexExpression, DType)
  /// A scalar operation on other terms.
  case apply(ScalarOperation, [Term], DType)
  /// An element of a random stream. Terms: seed and step.
  case random(stream: Int, index: IndexExpression, [Term], DType)

  /// Whether the term only says which element of one operand it is.
  var asRead: (operand: Int, index: [IndexExpression])? {
    if case .read(let operand, let index) = self { (operand, index) } else { nil }
  }

  /// Whether the term is the same constant at every point.
  var isConstant: Bool { if case .constant = self { true } else { false } }

  /// Calls a function with each operand that is read, once per read.
  func forEachRead(_ body: (Int) -> Void) {
    switch self {
    case .read(let operand, _): body(operand)
    case .guarded(let term, _, let otherwise):
      term.forEachRead(body)
      otherwise.forEachRead(body)
    case .constant, .index: break
    case .apply(_, let terms, _), .random(_, _, let terms, _):
      for term in terms { term.forEachRead(body) }
    }
  }
}

/// A whole number taken from a tensor to serve as an index.
struct Coordinate: Hashable, Sendable {
  /// The integer.
  var term: Term
  /// The number of values that it is clamped to, from 0; nil: it is left as it is.
  var clampedBelow: Int?
}

/// One tensor on the way from the graph to kernels, with the formula of its elements.
struct FusionNode: Hashable, Sendable {
  /// How the values of the term become an element.
  enum Kind: Hashable, Sendable {
    /// An input of the graph.
    case input(Int)
    /// Data that is no splat.
    case constant(Literal)
    /// One value of the term.
    case map
    /// The term folded over the dimensions `folded`.
    case fold(ReduceFunction)
    /// The place of the extreme along the one dimension folded.
    case argFold(ArgReduceFunction)
    /// A sum of products of two reads, over `folded`.
    case contraction
    /// Operand 0, combined in place with the term at `target`, for the points of `folded` in order.
    case scatter(ScatterFunction, target: [IndexExpression])
  }

  /// How the values of the term become an element.
  var kind: Kind
  /// The type of the tensor.
  var type: TensorType
  /// The nodes that the term reads.
  var operands: [Int] = []
  /// The extents of the dimensions beside those of the result.
  var folded: [Int] = []
  /// The formula.
  var term = Term.constant(0, .bool)
  /// The numbers that `.instruction` atoms stand for.
  var coordinates: [Coordinate] = []
  /// Names for the dimensions of the result and the folded ones.
  var names: [String] = []
  /// Whether the node is its operand in the same row-major order under another shape.
  var isReshape = false
  /// What tells apart nodes that are equal but must not become one.
  var identity = 0
  /// The number of the recomputation that this is a view for, which no kernel reaches across; 0 for other nodes.
  var barrier = 0
  /// The nodes with which this one shares a kernel, if it is kept.
  var cluster: Cluster?
  /// Whether the node is a stage of its cluster's kernel.
  var isClusterStage = false
}

/// What is known of a node beside its formula.
struct NodeOrigin: Hashable, Sendable {
  /// The graph's value that the node is.
  var value: Value?
  /// Where it comes from.
  var location = Location.unknown
  /// The name of its operation.
  var label = ""
}

/// The nodes, each after its operands; equal nodes are one.
struct FusionGraph: Sendable {
  private(set) var nodes: [FusionNode] = []
  var origins: [NodeOrigin] = []
  private var places: [FusionNode: Int] = [:]

  /// Adds a node or gives the equal one that is there.
  mutating func append(_ node: FusionNode, _ origin: NodeOrigin) -> Int {
    var node = node
    // What moves the elements of a splat about is that splat.
    if let read = node.term.asRead, node.kind == .map,
      case let source = nodes[node.operands[read.operand]], source.kind == .map,
      source.term.isConstant
    {
      node.term = source.term
      node.operands = []
      node.coordinates = []
      node.isReshape = false
      node.barrier = 0
    }
    if let place = places[node] {
      if origins[place].value == nil { origins[place].value = origin.value }
      return place
    }
    places[node] = nodes.count
    nodes.append(node)
    origins.append(origin)
    return nodes.count - 1
  }
}

extension FusionNode {
  /// Takes what is short and tells most nodes apart; names and the bytes of long constants, say, are only compared.
  func hash(into hasher: inout Hasher) {
    hasher.combine(operands)
    hasher.combine(type)
    hasher.combine(folded)
    hasher.combine(identity)
    switch kind {
    case .input(let place): hasher.combine(place)
    case .constant(let literal): hasher.combine(Array(literal.bytes.prefix(64)))
    case .map, .fold, .argFold, .contraction, .scatter: break
    }
    switch term {
    case .read(_, let index): hasher.combine(index)
    case .guarded(_, let guards, _): hasher.combine(guards)
    case .constant(let bits, _): hasher.combine(bits)
    case .index(let index, _): hasher.combine(index)
    case .apply(let operation, _, _): hasher.combine(operation)
    case .random(let stream, _, _, _): hasher.combine(stream)
    }
  }

  /// The extents of all dimensions: the result's and the folded ones.
  var extents: [Int] { type.shape.extents + folded }

  /// The number of times that the term is evaluated.
  var pointCount: Int {
    if case .scatter = kind { return folded.reduce(1, *) }
    return extents.reduce(1, *)
  }

  /// Whether the tensor is in memory before anything runs.
  var isGiven: Bool {
    switch kind {
    case .input, .constant: true
    case .map, .fold, .argFold, .contraction, .scatter: false
    }
  }

  /// Whether a node's elements can be computed where they are read.
  var isInlinable: Bool { kind == .map }

  /// Whether elements are only moved, chosen or constant: nothing is computed.
  var isIndexWork: Bool {
    func moves(_ term: Term) -> Bool {
      switch term {
      case .read, .constant, .index: true
      case .guarded(let term, _, let otherwise): moves(term) && moves(otherwise)
      case .apply, .random: false
      }
    }
    return kind == .map && moves(term)
  }
}

/// The usual names of a tensor's dimensions.
func dimensionNames(rank: Int) -> [String] {
  switch rank {
  case 0: []
  case 1: ["c"]
  case 2: ["n", "c"]
  case 3: ["n", "w", "c"]
  case 4: ["n", "h", "w", "c"]
  case 5: ["n", "d", "h", "w", "c"]
  default: (0..<rank).map { "d\($0)" }
  }
}
