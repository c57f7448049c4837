import GraphIR

/// How far a right result of one operation may be from what the operation means.
///
/// | results | allowed |
/// |---|---|
/// | integers, bools, moved data, comparisons, extremes, random numbers | equal bits |
/// | negate, abs, sign, floor, ceil, round, sqrt | equal bits |
/// | add, subtract, multiply, divide, remainder | equal bits |
/// | exp, expm1, log, log1p, rsqrt, sin, cos, tanh, sigmoid, softplus, erf | 2 ulp; f64: 4 ulp |
/// | power | 4 ulp; f64: 16 ulp |
/// | sums of n terms (of products) | `(4 + 2 sqrt(n)) * epsilon * (sum of absolute terms)` |
/// | products of n factors | `(n + 1) * epsilon * magnitude` |
/// | composites | 16 times what typed rounding does to the interpreter's own result, and 4 ulp |
///
/// An f16 or bf16 sum accumulates in f32, whose epsilon counts, and is rounded once, by one ulp at
/// most. The worst case of a sum grows with n, but rounding errors mostly cancel, and then it grows
/// with sqrt(n) (Higham, "The accuracy of floating point summation", SISC 14, 1993).
package enum Allowance: Hashable, Sendable {
  /// The bits of the interpreter's own result; NaN equals NaN.
  case equalBits
  /// Units in the last place of the dtype, at the f64 reference.
  case ulps(Double)
  /// A multiple of epsilon times the sum of the terms' absolute values.
  case sum(terms: Int)
  /// A multiple of epsilon times the result's absolute value.
  case product(factors: Int)
  /// What rounding does to the body in the interpreter.
  case body

  /// What is allowed to a node's results.
  package init(_ node: Node, in graph: Graph) {
    func shape(_ index: Int) -> Shape { graph.type(of: node.operands[index]).shape }
    guard node.types.allSatisfy(\.dtype.isFloat) else {
      self = .equalBits
      return
    }
    let isDouble = node.types[0].dtype == .f64
    switch node.operation {
    case .unary(let op): self = op.function.allowance(isDouble: isDouble)
    case .binary(let op): self = op.function.allowance(isDouble: isDouble)
    case .compare, .select, .clamp, .convert, .constant, .iota, .reshape, .broadcast, .transpose,
      .slice, .pad, .concatenate, .reverse, .argReduce, .gather, .random:
      self = .equalBits
    case .dot(let op): self = .sum(terms: op.lhsContracting.map { shape(0)[$0] }.reduce(1, *))
    case .convolution: self = .sum(terms: shape(1).extents.dropLast().reduce(1, *))
    case .reduce(let op):
      self = op.function.allowance(terms: op.dimensions.map { shape(0)[$0] }.reduce(1, *))
    case .reduceWindow(let op):
      self = op.function.allowance(terms: op.window.size.reduce(1, *))
    case .reduceWindowGradient(let op): self = .sum(terms: op.window.size.reduce(1, *))
    case .scatter(let op):
      let updates = shape(1).extents.dropLast().reduce(1, *)
      switch op.function {
      case .assign, .max, .min: self = .equalBits
      case .sum: self = .sum(terms: updates + 1)
      case .product: self = .product(factors: updates + 1)
      }
    case .composite: self = .body
    }
  }
}

extension UnaryFunction {
  fileprivate func allowance(isDouble: Bool) -> Allowance {
    switch self {
    case .negate, .abs, .sign, .sqrt, .floor, .ceil, .round, .not: .equalBits
    case .exp, .expm1, .log, .log1p, .rsqrt, .sin, .cos, .tanh, .sigmoid, .softplus, .erf:
      .ulps(isDouble ? 4 : 2)
    }
  }
}

extension BinaryFunction {
  fileprivate func allowance(isDouble: Bool) -> Allowance {
    switch self {
    case .add, .subtract, .multiply, .divide, .remainder, .maximum, .minimum, .and, .or, .xor,
      .shiftLeft, .shiftRightArithmetic, .shiftRightLogical:
      .equalBits
    case .power: .ulps(isDouble ? 16 : 4)
    }
  }
}

extension ReduceFunction {
  fileprivate func allowance(terms: Int) -> Allowance {
    switch self {
    case .sum: .sum(terms: terms)
    case .product: .product(factors: terms)
    case .max, .min: .equalBits
    }
  }
}
