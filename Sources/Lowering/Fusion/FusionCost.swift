import GraphIR
import LoopIR

/// What it costs to compute one element again instead of loading it, in about the time of one addition.
///
/// Only the order of magnitude matters: a transcendental function is dear, an addition is cheaper than memory.
enum FusionCost {
  /// Up to this cost an element may be computed by each that reads it.
  static let cheap = 2
  /// From this cost on an element is not computed for every element of a larger tensor.
  static let dear = 5
  /// A formula above this cost is cut into several.
  static let largestFormula = 64
  /// A chain of more nodes, even if they only move elements, is cut: formulas are written recursively.
  static let deepestFormula = 200
  /// What the stages at one outer point may keep in locals, in bytes: it stays in the first-level cache or near it.
  static let rowBytes = 64 << 10
  /// So many points may run on one thread to save a kernel.
  static let serialPoints = 16 << 10
  /// The parameters that a kernel may have, unless one node alone has more.
  static let parameters = 24

  /// The cost of a term's own operations, without that of the elements read.
  static func own(_ term: Term) -> Int {
    switch term {
    case .read, .constant: 0
    case .index: 1
    case .guarded(let term, _, let otherwise): own(term) + own(otherwise) + 1
    case .apply(let operation, let terms, _): terms.reduce(cost(operation)) { $0 + own($1) }
    case .random(_, _, let terms, _): terms.reduce(20) { $0 + own($1) }
    }
  }

  /// The cost of a whole body without its loads.
  static func total(_ body: ScalarBody) -> Int {
    body.instructions.reduce(0) { $0 + cost($1.operation) }
  }

  private static func cost(_ operation: ScalarOperation) -> Int {
    switch operation {
    case .constant, .index, .load: 0
    case .compare, .select, .convert: 1
    case .clamp: 2
    case .random: 20
    case .unary(let function): cost(function)
    case .binary(let function): cost(function)
    }
  }

  private static func cost(_ function: UnaryFunction) -> Int {
    switch function {
    case .negate, .abs, .not, .floor, .ceil, .round: 1
    case .sign: 2
    case .sqrt, .rsqrt: 4
    case .exp, .expm1, .log, .log1p, .sin, .cos, .tanh, .sigmoid, .softplus, .erf: 10
    }
  }

  private static func cost(_ function: BinaryFunction) -> Int {
    switch function {
    case .add, .subtract, .multiply, .maximum, .minimum, .and, .or, .xor: 1
    case .shiftLeft, .shiftRightArithmetic, .shiftRightLogical: 1
    case .divide: 3
    case .remainder: 8
    case .power: 20
    }
  }
}
