import GraphIR

func unarySamples() -> [OperationSample] {
  UnaryFunction.allCases.flatMap { function in
    dtypes(function.categories).flatMap { dtype in
      let operation = Operation.unary(Unary(function))
      let shapes: [Shape] = dtype == .f32 || dtype == .bool ? elementwiseShapes : [[17], [3, 11]]
      return shapes.flatMap { shape in
        function.domains(dtype).map { domain in
          OperationSample(
            operation, [TensorType(dtype, shape)], domain, tolerance: function.tolerance)
        }
      }
    }
  }
}

extension UnaryFunction {
  /// How near results must be: functions that IEEE 754 rounds correctly, or that only move bits,
  /// are exact.
  var tolerance: Tolerance {
    switch self {
    case .negate, .abs, .sign, .sqrt, .floor, .ceil, .round, .not: .exact
    case .rsqrt: .ulps(2)
    case .exp, .expm1, .log, .log1p, .sin, .cos, .tanh, .sigmoid, .softplus, .erf: .ulps(4)
    }
  }

  /// What is tried: where the function is defined and well-scaled, and its special values.
  func domains(_ dtype: DType) -> [OperandValues] {
    switch self {
    case .negate, .abs, .sign, .floor, .ceil, .round, .not, .sqrt: [.anything]
    case .exp, .expm1, .tanh, .sigmoid, .softplus, .erf, .sin, .cos: [.between(-8, 8), .specials]
    case .log, .rsqrt: [.between(0.01, 100), .specials]
    case .log1p: [.between(-0.9, 10), .specials]
    }
  }
}

func binarySamples() -> [OperationSample] {
  BinaryFunction.allCases.flatMap { function in
    dtypes(function.categories).flatMap { dtype in
      let shapes: [Shape] = dtype == .f32 || dtype == .bool ? elementwiseShapes : [[17], [3, 11]]
      return shapes.map { shape in
        let type = TensorType(dtype, shape)
        let domain = function.domain(dtype)
        return OperationSample(
          .binary(Binary(function)), [type, type], domain.x, domain.y,
          tolerance: function.tolerance(dtype))
      }
    }
  }
}

extension BinaryFunction {
  func tolerance(_ dtype: DType) -> Tolerance {
    switch self {
    case .power: dtype.isFloat ? .ulps(16) : .exact
    case .add, .subtract, .multiply, .divide, .remainder, .maximum, .minimum, .and, .or, .xor,
      .shiftLeft, .shiftRightArithmetic, .shiftRightLogical:
      .exact
    }
  }

  /// What is tried for the first and for the second operand.
  func domain(_ dtype: DType) -> (x: OperandValues, y: OperandValues) {
    let most = Double(dtype.bitCount + 2)
    return switch self {
    case .power: dtype.isFloat ? (.between(0.1, 8), .between(-3, 3)) : (.anything, .anything)
    case .remainder: dtype.isFloat ? (.between(-20, 20), .between(0.5, 3)) : (.anything, .anything)
    case .shiftLeft, .shiftRightArithmetic, .shiftRightLogical: (.anything, .between(0, most))
    case .add, .subtract, .multiply, .divide, .maximum, .minimum, .and, .or, .xor:
      (.anything, .anything)
    }
  }
}

func compareSamples() -> [OperationSample] {
  CompareFunction.allCases.flatMap { function in
    DType.allCases.flatMap { dtype in
      let shapes: [Shape] = dtype == .f32 ? elementwiseShapes : [[17]]
      return shapes.map { shape in
        let type = TensorType(dtype, shape)
        return OperationSample(.compare(Compare(function)), [type, type], .anything)
      }
    }
  }
}

func selectSamples() -> [OperationSample] {
  DType.allCases.flatMap { dtype in
    let shapes: [Shape] = dtype == .f32 ? elementwiseShapes : [[17]]
    return shapes.map { shape in
      let type = TensorType(dtype, shape)
      return OperationSample(
        .select(Select()), [TensorType(.bool, shape), type, type], .anything)
    }
  }
}

func clampSamples() -> [OperationSample] {
  numbers.flatMap { dtype in
    let shapes: [Shape] = dtype == .f32 ? elementwiseShapes : [[17]]
    return shapes.map { shape in
      let type = TensorType(dtype, shape)
      return OperationSample(.clamp(Clamp()), [type, type, type], .anything)
    }
  }
}

func convertSamples() -> [OperationSample] {
  DType.allCases.flatMap { source in
    DType.allCases.map { target in
      OperationSample(.convert(Convert(target)), [TensorType(source, [33])], .anything)
    }
  }
}
