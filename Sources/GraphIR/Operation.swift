/// The attributes of one operation: what it is, apart from its operands, bodies and constant data.
///
/// Attributes hold only integers, booleans, raw-valued enums and (nested) arrays of these; the one
/// string is a composite's name. The text of every operation follows from its `Codable`
/// conformance.
public protocol OperationAttributes: Hashable, Sendable, Codable {
  /// The operation's place in the closed set.
  static var kind: Operation.Kind { get }

  /// The operation's name in text: the kind's, or a family's function (`add`, `reduce_sum`).
  var mnemonic: String { get }

  /// The types of the results, from the types of the operands.
  ///
  /// The builder calls it to type a node and the verifier calls it again to check one.
  func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType]
}

/// An operation of the graph: the closed set of what a node can do.
public enum Operation: Hashable, Sendable {
  // Elementwise
  case unary(Unary)
  case binary(Binary)
  case compare(Compare)
  case select(Select)
  case clamp(Clamp)
  case convert(Convert)
  // Shaping
  case constant(Constant)
  case iota(Iota)
  case reshape(Reshape)
  case broadcast(Broadcast)
  case transpose(Transpose)
  case slice(Slice)
  case pad(Pad)
  case concatenate(Concatenate)
  case reverse(Reverse)
  // Contraction
  case dot(Dot)
  case convolution(Convolution)
  // Reduction
  case reduce(Reduce)
  case argReduce(ArgReduce)
  // Pooling
  case reduceWindow(ReduceWindow)
  case reduceWindowGradient(ReduceWindowGradient)
  // Indexing
  case gather(Gather)
  case scatter(Scatter)
  // Random
  case random(Random)
  // Control
  case composite(Composite)

  /// The operations without their attributes.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case unary, binary, compare, select, clamp, convert
    case constant, iota, reshape, broadcast, transpose, slice, pad, concatenate, reverse
    case dot, convolution
    case reduce
    case argReduce = "arg_reduce"
    case reduceWindow = "reduce_window"
    case reduceWindowGradient = "reduce_window_gradient"
    case gather, scatter
    case random
    case composite
  }

  /// Calls the visitor's method for this operation.
  public func accept<V: OperationVisitor>(_ visitor: inout V) throws(V.Failure) -> V.Result {
    switch self {
    case .unary(let op): try visitor.visit(op)
    case .binary(let op): try visitor.visit(op)
    case .compare(let op): try visitor.visit(op)
    case .select(let op): try visitor.visit(op)
    case .clamp(let op): try visitor.visit(op)
    case .convert(let op): try visitor.visit(op)
    case .constant(let op): try visitor.visit(op)
    case .iota(let op): try visitor.visit(op)
    case .reshape(let op): try visitor.visit(op)
    case .broadcast(let op): try visitor.visit(op)
    case .transpose(let op): try visitor.visit(op)
    case .slice(let op): try visitor.visit(op)
    case .pad(let op): try visitor.visit(op)
    case .concatenate(let op): try visitor.visit(op)
    case .reverse(let op): try visitor.visit(op)
    case .dot(let op): try visitor.visit(op)
    case .convolution(let op): try visitor.visit(op)
    case .reduce(let op): try visitor.visit(op)
    case .argReduce(let op): try visitor.visit(op)
    case .reduceWindow(let op): try visitor.visit(op)
    case .reduceWindowGradient(let op): try visitor.visit(op)
    case .gather(let op): try visitor.visit(op)
    case .scatter(let op): try visitor.visit(op)
    case .random(let op): try visitor.visit(op)
    case .composite(let op): try visitor.visit(op)
    }
  }

  /// The attributes, whatever the operation is.
  public var attributes: any OperationAttributes {
    switch self {
    case .unary(let op): op
    case .binary(let op): op
    case .compare(let op): op
    case .select(let op): op
    case .clamp(let op): op
    case .convert(let op): op
    case .constant(let op): op
    case .iota(let op): op
    case .reshape(let op): op
    case .broadcast(let op): op
    case .transpose(let op): op
    case .slice(let op): op
    case .pad(let op): op
    case .concatenate(let op): op
    case .reverse(let op): op
    case .dot(let op): op
    case .convolution(let op): op
    case .reduce(let op): op
    case .argReduce(let op): op
    case .reduceWindow(let op): op
    case .reduceWindowGradient(let op): op
    case .gather(let op): op
    case .scatter(let op): op
    case .random(let op): op
    case .composite(let op): op
    }
  }

  /// Reads the attributes of an operation of the given kind.
  public init(_ kind: Kind, from decoder: any Decoder) throws {
    switch kind {
    case .unary: self = .unary(try .init(from: decoder))
    case .binary: self = .binary(try .init(from: decoder))
    case .compare: self = .compare(try .init(from: decoder))
    case .select: self = .select(try .init(from: decoder))
    case .clamp: self = .clamp(try .init(from: decoder))
    case .convert: self = .convert(try .init(from: decoder))
    case .constant: self = .constant(try .init(from: decoder))
    case .iota: self = .iota(try .init(from: decoder))
    case .reshape: self = .reshape(try .init(from: decoder))
    case .broadcast: self = .broadcast(try .init(from: decoder))
    case .transpose: self = .transpose(try .init(from: decoder))
    case .slice: self = .slice(try .init(from: decoder))
    case .pad: self = .pad(try .init(from: decoder))
    case .concatenate: self = .concatenate(try .init(from: decoder))
    case .reverse: self = .reverse(try .init(from: decoder))
    case .dot: self = .dot(try .init(from: decoder))
    case .convolution: self = .convolution(try .init(from: decoder))
    case .reduce: self = .reduce(try .init(from: decoder))
    case .argReduce: self = .argReduce(try .init(from: decoder))
    case .reduceWindow: self = .reduceWindow(try .init(from: decoder))
    case .reduceWindowGradient: self = .reduceWindowGradient(try .init(from: decoder))
    case .gather: self = .gather(try .init(from: decoder))
    case .scatter: self = .scatter(try .init(from: decoder))
    case .random: self = .random(try .init(from: decoder))
    case .composite: self = .composite(try .init(from: decoder))
    }
  }

  /// The kind of this operation.
  public var kind: Kind { type(of: attributes).kind }
}

/// One rule per operation: each room of the compiler is such a visitor, so that a missing rule does
/// not compile.
///
/// Operands, bodies and constant data are not passed: a visitor is made for a node and holds it.
public protocol OperationVisitor {
  /// What a rule gives.
  associatedtype Result
  /// What a rule can throw.
  associatedtype Failure: Error
  mutating func visit(_ op: Unary) throws(Failure) -> Result
  mutating func visit(_ op: Binary) throws(Failure) -> Result
  mutating func visit(_ op: Compare) throws(Failure) -> Result
  mutating func visit(_ op: Select) throws(Failure) -> Result
  mutating func visit(_ op: Clamp) throws(Failure) -> Result
  mutating func visit(_ op: Convert) throws(Failure) -> Result
  mutating func visit(_ op: Constant) throws(Failure) -> Result
  mutating func visit(_ op: Iota) throws(Failure) -> Result
  mutating func visit(_ op: Reshape) throws(Failure) -> Result
  mutating func visit(_ op: Broadcast) throws(Failure) -> Result
  mutating func visit(_ op: Transpose) throws(Failure) -> Result
  mutating func visit(_ op: Slice) throws(Failure) -> Result
  mutating func visit(_ op: Pad) throws(Failure) -> Result
  mutating func visit(_ op: Concatenate) throws(Failure) -> Result
  mutating func visit(_ op: Reverse) throws(Failure) -> Result
  mutating func visit(_ op: Dot) throws(Failure) -> Result
  mutating func visit(_ op: Convolution) throws(Failure) -> Result
  mutating func visit(_ op: Reduce) throws(Failure) -> Result
  mutating func visit(_ op: ArgReduce) throws(Failure) -> Result
  mutating func visit(_ op: ReduceWindow) throws(Failure) -> Result
  mutating func visit(_ op: ReduceWindowGradient) throws(Failure) -> Result
  mutating func visit(_ op: Gather) throws(Failure) -> Result
  mutating func visit(_ op: Scatter) throws(Failure) -> Result
  mutating func visit(_ op: Random) throws(Failure) -> Result
  mutating func visit(_ op: Composite) throws(Failure) -> Result
}
