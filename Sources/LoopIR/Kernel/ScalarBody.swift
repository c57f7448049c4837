import GraphIR

/// The scalar computation of a stage: instructions in order, of which the last gives the value.
///
/// Each instruction rounds to its own dtype (f16 and bf16 included), as the interpreter's node would.
public struct ScalarBody: Hashable, Sendable {
  /// The instructions; operands are places of earlier ones.
  public var instructions: [ScalarInstruction]
  /// Makes a body.
  public init(_ instructions: [ScalarInstruction] = []) { self.instructions = instructions }
}

/// One scalar instruction.
public struct ScalarInstruction: Hashable, Sendable {
  /// What it does.
  public var operation: ScalarOperation
  /// The places of its operands in the body.
  public var operands: [Int]
  /// The type of its value.
  public var dtype: DType
  /// Makes an instruction.
  public init(_ operation: ScalarOperation, _ operands: [Int] = [], _ dtype: DType) {
    self.operation = operation
    self.operands = operands
    self.dtype = dtype
  }
}

/// What a scalar instruction does.
public enum ScalarOperation: Hashable, Sendable {
  /// A constant, by the bits of its dtype in the low end.
  case constant(UInt64)
  /// An index as a number, converted to the dtype as `convert` does from i64.
  case index(IndexExpression)
  /// An element of a tensor, an expression per dimension; where a guard fails it is not read and the only
  /// operand is the value.
  case load(TensorReference, [IndexExpression], guards: [IndexGuard])
  /// Operand: x.
  case unary(UnaryFunction)
  /// Operands: x, y.
  case binary(BinaryFunction)
  /// Operands: x, y.
  case compare(CompareFunction)
  /// Operands: condition, x, y.
  case select
  /// Operands: low, x, high.
  case clamp
  /// Operand: x.
  case convert
  /// Element `index` (row-major) of `random` with the stream. Operands: seed and step, u64.
  case random(stream: Int, index: IndexExpression)
}

/// A condition on indices: `0 <= expression < extent`.
///
/// That an expression is divisible by d is written as: its remainder by d is in `0 ..< 1`.
public struct IndexGuard: Hashable, Sendable {
  /// The expression that is checked.
  public var expression: IndexExpression
  /// The number of allowed values, from 0.
  public var extent: Int
  /// Makes a guard.
  public init(_ expression: IndexExpression, below extent: Int) {
    self.expression = expression
    self.extent = extent
  }
}
