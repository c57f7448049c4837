import GraphIR

/// Replaces nodes by simpler ones that give the same values.
///
/// Every identity is exact for all inputs under IEEE 754, infinities, NaN and the sign of zero included (but
/// for the bits of a NaN): `x * 1` and `x + -0` are x, but `x + 0` (which turns -0 into 0) and `x * 0` stay.
public struct Simplify: GraphPass {
  /// The name in pipelines.
  public let name = "simplify"
  /// What the pass does.
  public let summary = "apply identities of arithmetic and of shapes that are exact"

  /// Makes the pass.
  public init() {}

  /// Rewrites the graph.
  public func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    try graph.rebuild { builder, node throws(Diagnostic) in
      // The builder is moved in and out, so that appending never copies the graph.
      var simplifier = Simplifier(builder, fault: context.fault)
      builder = GraphBuilder(name: "")
      defer { builder = simplifier.builder }
      guard let value = try simplifier.simplify(node) else { return .keep }
      return .replace([value])
    }
  }
}

/// Finds simpler values: one rule per operation, which gives a value that takes the place of a node's result, or
/// nil when the node is as simple as it can be.
struct Simplifier: OperationVisitor {
  typealias Result = Value?
  typealias Failure = Diagnostic

  /// The graph in which the values are, and to which simpler nodes are appended.
  var builder: GraphBuilder
  /// What is broken on purpose.
  let fault: PlantedFault?
  /// The operands of the node at hand.
  private(set) var operands: [Value] = []
  /// The type of the result of the node at hand.
  private(set) var type = TensorType(.bool, [])

  init(_ builder: GraphBuilder, fault: PlantedFault?) {
    self.builder = builder
    self.fault = fault
  }

  /// A simpler value for the result of a node that has one.
  mutating func simplify(_ node: Node) throws(Diagnostic) -> Value? {
    guard node.types.count == 1 else { return nil }
    operands = node.operands
    type = node.types[0]
    return try node.operation.accept(&self)
  }

  /// The simplest value for an operation on values.
  mutating func emit(
    _ operation: Operation, _ operands: Value...
  ) throws(Diagnostic) -> Value {
    try emit(operation, operands)
  }

  /// The simplest value for an operation on values.
  mutating func emit(_ operation: Operation, _ operands: [Value]) throws(Diagnostic) -> Value {
    let types = try operation.inferTypes(
      operands.map { builder.type(of: $0) }, bodies: [], literal: nil)
    let outer = (self.operands, type)
    defer { (self.operands, type) = outer }
    (self.operands, type) = (operands, types[0])
    if let simpler = try operation.accept(&self) { return simpler }
    return try builder.append(operation, operands)[0]
  }

  func shape(of value: Value) -> Shape { builder.type(of: value).shape }

  /// The operation that gives a value, and its operands.
  func definition(of value: Value) -> (operation: Operation, operands: [Value])? {
    builder.graph.definition(of: value).map { ($0.operation, $0.operands) }
  }

  /// The scalar value that a tensor repeats.
  func repeatedScalar(_ value: Value) -> Value? {
    guard let (operation, operands) = definition(of: value), case .broadcast = operation,
      shape(of: operands[0]).rank == 0
    else { return nil }
    return operands[0]
  }

  /// The constant of which a value is a repetition.
  func constantScalar(_ value: Value) -> Literal? {
    builder.graph.definition(of: repeatedScalar(value) ?? value)?.literal?.repeatedElement
  }

  /// Whether every element of a value is a number, with the sign of a zero.
  func isConstant(_ value: Value, _ number: Double) -> Bool {
    guard let literal = constantScalar(value) else { return false }
    return literal == .scalar(number, literal.type.dtype)
  }

  /// A repeated scalar of the type of the node at hand.
  mutating func splat(_ number: Double) throws(Diagnostic) -> Value {
    try builder.splat(number, type)
  }

  /// A repetition of a scalar value with the type of the node at hand.
  mutating func splat(_ scalar: Value) throws(Diagnostic) -> Value {
    try emit(.broadcast(Broadcast(shape: type.shape, dimensions: [])), scalar)
  }
}
