import GraphIR
import Interpreter
import Testing

/// The only result of an operation.
func result(
  _ operation: GraphIR.Operation, _ operands: Literal..., bodies: [Graph] = [],
  precision: Precision = .typed
) throws -> Literal {
  let results = try evaluate(operation, operands, bodies: bodies, precision: precision)
  return try #require(results.count == 1 ? results[0] : nil)
}

/// Numbers of any dtype, as `convert` stores them.
func literal(_ dtype: DType, _ shape: Shape, _ values: [Double]) -> Literal {
  Literal(TensorType(dtype, shape), doubles: values)
}

/// A vector of any dtype.
func vector(_ dtype: DType, _ values: [Double]) -> Literal {
  literal(dtype, [values.count], values)
}

/// A vector of f32.
func floats(_ values: Double...) -> Literal { vector(.f32, values) }

/// Whether a result has a shape and these elements: NaN equals NaN, and -0 differs from +0.
func expect(
  _ actual: Literal, _ shape: Shape, _ values: [Double],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.type.shape == shape, sourceLocation: sourceLocation)
  let found = actual.doubles()
  let areEqual =
    found.count == values.count
    && zip(found, values).allSatisfy { x, y in
      x.isNaN && y.isNaN || x == y && x.sign == y.sign
    }
  #expect(areEqual, "found \(found), expected \(values)", sourceLocation: sourceLocation)
}

/// Whether a vector has these elements.
func expect(
  _ actual: Literal, _ values: [Double], sourceLocation: SourceLocation = #_sourceLocation
) {
  expect(actual, [values.count], values, sourceLocation: sourceLocation)
}

/// The float dtypes.
let floatTypes: [DType] = [.f32, .f64, .f16, .bf16]
/// The signed integer dtypes.
let signedTypes: [DType] = [.i8, .i16, .i32, .i64]
/// The unsigned integer dtypes.
let unsignedTypes: [DType] = [.u8, .u16, .u32, .u64]
