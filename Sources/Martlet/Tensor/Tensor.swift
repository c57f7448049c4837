import GraphIR

/// A tensor of a computation that is being traced: a light handle to a value of the graph under way.
///
/// It holds no numbers. Operations on it append nodes to the trace; an ill-typed one records a diagnostic and
/// gives an invalid tensor, and every operation on an invalid tensor is invalid in silence. Whoever began the
/// trace (`trace`, `compile`, `Trainer`) then throws all that was recorded. Outside of a trace there is nothing to
/// append to: constants can be made anywhere, and any other operation gives an invalid tensor.
public struct Tensor: Sendable {
  enum Storage: Sendable {
    /// A value of the graph that is identified by a token.
    case traced(Value, TensorType, Token)
    /// Known numbers, which become a constant where they are used.
    case literal(Literal)
    /// What an ill-typed operation gave.
    case invalid(Diagnostic)
  }

  let storage: Storage

  init(_ value: Value, _ type: TensorType, in graph: Token) {
    storage = .traced(value, type, graph)
  }
  init(invalid diagnostic: Diagnostic) { storage = .invalid(diagnostic) }

  /// Makes a constant tensor of known numbers.
  public init(_ literal: Literal) { storage = .literal(literal) }

  /// Makes a constant scalar of a dtype, converted as the operation `convert` does.
  public init(_ value: Double, _ dtype: DType = .f32) { storage = .literal(.scalar(value, dtype)) }

  /// The type; nil when the tensor is invalid.
  public var type: TensorType? {
    switch storage {
    case .traced(_, let type, _): type
    case .literal(let literal): literal.type
    case .invalid: nil
    }
  }

  /// What is wrong with the tensor; nil when nothing is.
  public var diagnostic: Diagnostic? {
    if case .invalid(let diagnostic) = storage { diagnostic } else { nil }
  }

  /// The element type; f32 when the tensor is invalid.
  public var dtype: DType { type?.dtype ?? .f32 }

  /// The extents, whose subscript never traps; an invalid tensor has every dimension, of extent 1.
  public var shape: TensorShape {
    TensorShape(type?.shape.extents ?? [], isInvalid: type == nil)
  }

  /// The number of dimensions; 0 when the tensor is invalid.
  public var rank: Int { type?.shape.rank ?? 0 }

  var describedType: String { type.map(\.description) ?? "invalid tensor" }
}

extension Tensor: CustomStringConvertible {
  /// The type, as in `Tensor f32[64,10]`.
  public var description: String { "Tensor \(describedType)" }
}

/// The extents of a traced tensor, outermost first.
public struct TensorShape: Hashable, Sendable {
  /// The extents.
  public let extents: [Int]
  private let isInvalid: Bool

  init(_ extents: [Int], isInvalid: Bool) {
    self.extents = extents
    self.isInvalid = isInvalid
  }

  /// The number of dimensions.
  public var rank: Int { extents.count }

  /// The number of elements.
  public var elementCount: Int { extents.reduce(1, *) }

  /// The extent of a dimension; a negative one counts from the end.
  ///
  /// One that does not exist is recorded as an error of the trace under way and has extent 1.
  public subscript(dimension: Int, file: String = #fileID, line: Int = #line) -> Int {
    let index = dimension < 0 ? dimension + rank : dimension
    if extents.indices.contains(index) { return extents[index] }
    if !isInvalid, let context = TraceContext.current {
      context.record(
        Diagnostic(
          .shapeMismatch, "the shape \(self) has no dimension \(dimension)",
          at: context.location(Caller(file, line))))
    }
    return 1
  }
}

extension TensorShape: CustomStringConvertible {
  /// The extents: `[64,10]`.
  public var description: String { Shape(extents).description }
}

extension Tensor {
  /// Runs a body with the trace under way and the location of the call; without a trace, says so.
  static func located(
    _ caller: Caller, _ what: @autoclosure () -> String,
    _ body: (TraceContext, Location) -> Tensor
  ) -> Tensor {
    guard let context = TraceContext.current else {
      let location = Location(file: caller.file, line: caller.line)
      return Tensor(
        invalid: Diagnostic(
          .argument, "\(what()) outside of a trace", at: location,
          hint: "tensors are computed with inside of a layer, `trace`, `compile` or `Trainer`"))
    }
    return body(context, context.location(caller))
  }

  /// Applies an operation with one result.
  static func apply(
    _ operation: Operation, _ operands: [Tensor], literal: Literal? = nil, _ caller: Caller
  ) -> Tensor {
    apply(operands, "'\(operation.kind.rawValue)' is used", caller) { context, location in
      context.append(operation, operands, literal: literal, at: location)[0]
    }
  }

  /// Runs a body on valid operands; the first invalid one is what results otherwise.
  static func apply(
    _ operands: [Tensor], _ what: @autoclosure () -> String, _ caller: Caller,
    _ body: (TraceContext, Location) -> Tensor
  ) -> Tensor {
    if let invalid = operands.first(where: { $0.type == nil }) {
      // An operand that became invalid outside of this trace has not been recorded in it yet.
      if let diagnostic = invalid.diagnostic { TraceContext.current?.record(diagnostic) }
      return invalid
    }
    return located(caller, what(), body)
  }
}
