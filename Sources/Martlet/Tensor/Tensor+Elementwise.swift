import GraphIR

/// Functions of each element. Those of real analysis take floating-point tensors.
extension Tensor {
  /// e^x.
  public func exp(file: String = #fileID, line: Int = #line) -> Tensor { unary(.exp, file, line) }
  /// e^x - 1, accurate near 0.
  public func expm1(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.expm1, file, line)
  }
  /// log(1 + e^x), a smooth max(x, 0) (Dugas et al., NIPS 2000).
  public func softplus(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.softplus, file, line)
  }
  /// The natural logarithm.
  public func log(file: String = #fileID, line: Int = #line) -> Tensor { unary(.log, file, line) }
  /// log(1 + x), accurate near 0.
  public func log1p(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.log1p, file, line)
  }
  /// The square root.
  public func sqrt(file: String = #fileID, line: Int = #line) -> Tensor { unary(.sqrt, file, line) }
  /// 1 / sqrt(x).
  public func rsqrt(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.rsqrt, file, line)
  }
  /// The sine of x radians.
  public func sin(file: String = #fileID, line: Int = #line) -> Tensor { unary(.sin, file, line) }
  /// The cosine of x radians.
  public func cos(file: String = #fileID, line: Int = #line) -> Tensor { unary(.cos, file, line) }
  /// The hyperbolic tangent.
  public func tanh(file: String = #fileID, line: Int = #line) -> Tensor { unary(.tanh, file, line) }
  /// 1 / (1 + e^-x).
  public func sigmoid(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.sigmoid, file, line)
  }
  /// The error function.
  public func erf(file: String = #fileID, line: Int = #line) -> Tensor { unary(.erf, file, line) }
  /// |x|, also of integers.
  public func abs(file: String = #fileID, line: Int = #line) -> Tensor { unary(.abs, file, line) }
  /// -1, 0 or 1, also of integers.
  public func sign(file: String = #fileID, line: Int = #line) -> Tensor { unary(.sign, file, line) }
  /// The largest integer that is not above x.
  public func floor(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.floor, file, line)
  }
  /// The smallest integer that is not below x.
  public func ceil(file: String = #fileID, line: Int = #line) -> Tensor { unary(.ceil, file, line) }
  /// The nearest integer, ties to even.
  public func rounded(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.round, file, line)
  }

  /// x * x.
  public func squared(file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.binary(.multiply, self, self, Caller(file, line))
  }

  /// x to a power; shapes broadcast.
  public func power(_ exponent: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.binary(.power, self, exponent, Caller(file, line))
  }

  /// x to the power of a number.
  public func power(
    _ exponent: some TensorScalar, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.binary(.power, self, exponent, Caller(file, line))
  }

  /// The larger of two elements, NaN when either is; shapes broadcast.
  public func maximum(_ other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.binary(.maximum, self, other, Caller(file, line))
  }

  /// The larger of each element and a number.
  public func maximum(
    _ bound: some TensorScalar, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.binary(.maximum, self, bound, Caller(file, line))
  }

  /// The smaller of two elements, NaN when either is; shapes broadcast.
  public func minimum(_ other: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor.binary(.minimum, self, other, Caller(file, line))
  }

  /// The smaller of each element and a number.
  public func minimum(
    _ bound: some TensorScalar, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor.binary(.minimum, self, bound, Caller(file, line))
  }

  /// Each element, or the nearest bound of a range when it lies outside.
  public func clamped(
    to range: ClosedRange<Double>, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    let caller = Caller(file, line)
    let bounds = [range.lowerBound, range.upperBound].map {
      Tensor.scalar($0, beside: self, "clamp", caller)
    }
    return Tensor.apply([self] + bounds, "'clamp' is used", caller) { context, location in
      let full = bounds.map { Tensor.broadcast($0, to: shape.extents, context, location) }
      return context.append(.clamp(Clamp()), [full[0], self, full[1]], at: location)[0]
    }
  }

  /// The elements in another dtype, as the operation `convert` converts them.
  public func converted(
    to dtype: DType, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    type?.dtype == dtype ? self : Tensor.apply(.convert(Convert(dtype)), [self], Caller(file, line))
  }

  private func unary(_ function: UnaryFunction, _ file: String, _ line: Int) -> Tensor {
    Tensor.apply(.unary(Unary(function)), [self], Caller(file, line))
  }
}
