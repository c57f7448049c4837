import GraphIR
import TestSupport
import Testing

/// One node that inference accepts or refuses.
struct InferenceCase: Sendable, CustomTestStringConvertible {
  var operation: GraphIR.Operation
  var operands: [TensorType]
  /// The result types, where it is accepted.
  var types: [TensorType] = []
  /// What the diagnostic says, where it is refused.
  var code = Diagnostic.Code.internalError
  var message = ""

  var testDescription: String { "\(operation) \(operands)" }

  init(_ operation: GraphIR.Operation, _ operands: [TensorType], gives types: TensorType...) {
    self.operation = operation
    self.operands = operands
    self.types = types
  }

  init(
    _ operation: GraphIR.Operation, _ operands: [TensorType], _ code: Diagnostic.Code,
    _ message: String
  ) {
    self.operation = operation
    self.operands = operands
    self.code = code
    self.message = message
  }

  func infer() throws(Diagnostic) -> [TensorType] {
    try operation.inferTypes(operands, bodies: [], literal: nil)
  }
}

func f32(_ extents: Int...) -> TensorType { TensorType(.f32, Shape(extents)) }
func f64(_ extents: Int...) -> TensorType { TensorType(.f64, Shape(extents)) }
func i32(_ extents: Int...) -> TensorType { TensorType(.i32, Shape(extents)) }
func bool(_ extents: Int...) -> TensorType { TensorType(.bool, Shape(extents)) }

@Suite struct InferenceTests {
  @Test(arguments: [
    InferenceCase(.unary(Unary(.not)), [bool(3)], gives: bool(3)),
    InferenceCase(.binary(Binary(.add)), [f32(2, 0), f32(2, 0)], gives: f32(2, 0)),
    InferenceCase(.compare(Compare(.less)), [i32(4), i32(4)], gives: bool(4)),
    InferenceCase(.select(Select()), [bool(2), i32(2), i32(2)], gives: i32(2)),
    InferenceCase(.clamp(Clamp()), [f32(), f32(), f32()], gives: f32()),
    InferenceCase(.convert(Convert(.i32)), [f64(5)], gives: i32(5)),
    InferenceCase(.iota(Iota(i32(2, 3), dimension: 1)), [], gives: i32(2, 3)),
    InferenceCase(.reshape(Reshape(shape: [6])), [f32(2, 3)], gives: f32(6)),
    InferenceCase(
      .broadcast(Broadcast(shape: [4, 2, 3], dimensions: [0, 2])), [f32(1, 3)],
      gives: f32(4, 2, 3)),
    InferenceCase(
      .transpose(Transpose(permutation: [2, 0, 1])), [f32(2, 3, 4)], gives: f32(4, 2, 3)),
    InferenceCase(
      .slice(Slice(start: [1, 0], limit: [5, 0], stride: [3, 2])), [f32(7, 2)], gives: f32(2, 0)),
    InferenceCase(
      .pad(Pad(low: [1, -1], high: [2, 0], interior: [1, 0])), [f32(3, 4), f32()],
      gives: f32(8, 3)),
    InferenceCase(
      .concatenate(Concatenate(dimension: 1)), [f32(2, 3), f32(2, 4)], gives: f32(2, 7)),
    InferenceCase(.reverse(Reverse(dimensions: [0])), [f32(2)], gives: f32(2)),
    InferenceCase(
      .dot(Dot(batch: [[1], [0]], contracting: [[2], [2]])), [f32(5, 2, 3), f32(2, 7, 3)],
      gives: f32(2, 5, 7)),
    InferenceCase(
      .convolution(
        Convolution(
          stride: [2], padding: [[1, 2]], inputDilation: [3], kernelDilation: [2], groups: 2)),
      [f32(8, 10, 4), f32(3, 2, 6)], gives: f32(8, 14, 6)),
    InferenceCase(
      .convolution(Convolution(stride: [1], padding: [[-9, 0]])), [f32(1, 5, 1), f32(1, 1, 1)],
      gives: f32(1, 0, 1)),
    InferenceCase(.reduce(Reduce(.sum, dimensions: [0, 2])), [f32(2, 3, 4)], gives: f32(3)),
    InferenceCase(.argReduce(ArgReduce(.argmax, dimension: 0)), [f32(2, 3)], gives: i32(3)),
    InferenceCase(
      .reduceWindow(
        ReduceWindow(
          .max, window: Window(size: [3], stride: [2], padding: [[1, 1]], dilation: [2]))),
      [f32(10)], gives: f32(4)),
    InferenceCase(
      .reduceWindowGradient(ReduceWindowGradient(.min, window: Window(size: [2]))),
      [f32(5), f32(4)], gives: f32(5)),
    InferenceCase(
      .gather(Gather(dimensions: [1, 3], batch: 1)), [f32(2, 3, 4, 5), i32(2, 7, 2)],
      gives: f32(2, 7, 4)),
    InferenceCase(
      .scatter(Scatter(.sum, dimensions: [0])), [f32(3, 4), i32(6, 1), f32(6, 4)],
      gives: f32(3, 4)),
    InferenceCase(
      .random(Random(f32(3), stream: 0)), [TensorType(.u64, [2])], gives: f32(3)),
  ])
  func accepted(_ example: InferenceCase) throws {
    #expect(try example.infer() == example.types)
  }

  @Test(arguments: [
    InferenceCase(.unary(Unary(.exp)), [i32(3)], .typeMismatch, "exp is not defined for i32[3]"),
    InferenceCase(.unary(Unary(.exp)), [], .wrongCount, "takes 1 operand, not 0"),
    InferenceCase(.unary(Unary(.exp)), [f32(-1)], .sizeOverflow, "[-1]"),
    InferenceCase(.binary(Binary(.add)), [f32(3), f64(3)], .typeMismatch, "f32[3] and f64[3]"),
    InferenceCase(.binary(Binary(.add)), [f32(3), f32(4)], .shapeMismatch, "f32[3] and f32[4]"),
    InferenceCase(.binary(Binary(.add)), [bool(3), bool(3)], .typeMismatch, "bool[3]"),
    InferenceCase(.binary(Binary(.xor)), [f32(3), f32(3)], .typeMismatch, "f32[3]"),
    InferenceCase(.compare(Compare(.less)), [f32(3), i32(3)], .typeMismatch, "f32[3] and i32[3]"),
    InferenceCase(.select(Select()), [f32(3), f32(3), f32(3)], .typeMismatch, "condition of bool"),
    InferenceCase(.select(Select()), [bool(), f32(3), f32(3)], .shapeMismatch, "bool for f32[3]"),
    InferenceCase(
      .select(Select()), [bool(3), f32(3), i32(3)], .typeMismatch, "f32[3] and i32[3]"),
    InferenceCase(.clamp(Clamp()), [f32(), f32(3), f32()], .shapeMismatch, "f32 and f32[3]"),
    InferenceCase(.clamp(Clamp()), [bool(), bool(), bool()], .typeMismatch, "bool"),
    InferenceCase(.convert(Convert(.f32)), [], .wrongCount, "not 0"),
    InferenceCase(.constant(Constant(f32(3))), [], .wrongCount, "no literal"),
    InferenceCase(.iota(Iota(f32(), dimension: 0)), [], .invalidAttribute, "0 in dimension"),
    InferenceCase(.iota(Iota(bool(3), dimension: 0)), [], .typeMismatch, "bool[3]"),
    InferenceCase(.iota(Iota(f32(-3), dimension: 0)), [], .sizeOverflow, "[-3]"),
    InferenceCase(
      .reshape(Reshape(shape: [7])), [f32(2, 3)], .shapeMismatch, "f32[2,3] into f32[7]"),
    InferenceCase(
      .broadcast(Broadcast(shape: [4], dimensions: [0])), [f32(3)], .shapeMismatch,
      "f32[3] into f32[4]"),
    InferenceCase(
      .broadcast(Broadcast(shape: [4, 3], dimensions: [1, 0])), [f32(3, 4)], .invalidAttribute,
      "not strictly increasing"),
    InferenceCase(
      .broadcast(Broadcast(shape: [4], dimensions: [])), [f32(4)], .invalidAttribute, "0 entries"),
    InferenceCase(
      .transpose(Transpose(permutation: [0, 0])), [f32(2, 3)], .invalidAttribute, "twice"),
    InferenceCase(
      .transpose(Transpose(permutation: [0, 2])), [f32(2, 3)], .invalidAttribute, "2 in"),
    InferenceCase(
      .slice(Slice(start: [0], limit: [4])), [f32(3)], .invalidAttribute, "0 ..< 4"),
    InferenceCase(
      .slice(Slice(start: [0], limit: [3], stride: [0])), [f32(3)], .invalidAttribute,
      "0 in stride"),
    InferenceCase(
      .slice(Slice(start: [], limit: [])), [f32(3)], .invalidAttribute, "0 entries in start"),
    InferenceCase(
      .pad(Pad(low: [-3], high: [-1])), [f32(3), f32()], .invalidAttribute, "cuts more"),
    InferenceCase(.pad(Pad(low: [0], high: [0])), [f32(3), i32()], .typeMismatch, "not i32"),
    InferenceCase(
      .pad(Pad(low: [0], high: [0], interior: [-1])), [f32(3), f32()], .invalidAttribute,
      "-1 in interior"),
    InferenceCase(
      .pad(Pad(low: [.max], high: [0])), [f32(3), f32()], .invalidAttribute, "in low"),
    InferenceCase(
      .pad(Pad(low: [0], high: [0], interior: [1 << 40])), [f32(1 << 20), f32()], .sizeOverflow,
      "spreads"),
    InferenceCase(.concatenate(Concatenate(dimension: 0)), [], .wrongCount, "not 0"),
    InferenceCase(
      .concatenate(Concatenate(dimension: 0)), [f32(2, 3), f32(2, 4)], .shapeMismatch,
      "f32[2,3] and f32[2,4]"),
    InferenceCase(
      .concatenate(Concatenate(dimension: 1)), [f32(2)], .invalidAttribute, "1 in dimension"),
    InferenceCase(
      .concatenate(Concatenate(dimension: 0)), [f32(2), i32(2)], .typeMismatch, "f32[2] and i32[2]"),
    InferenceCase(
      .reverse(Reverse(dimensions: [1])), [f32(2)], .invalidAttribute, "1 in dimensions"),
    InferenceCase(
      .dot(Dot(contracting: [[1], [0]])), [f32(2, 3), f32(4, 5)], .shapeMismatch,
      "dimension 1 of f32[2,3] with dimension 0 of f32[4,5]"),
    InferenceCase(
      .dot(Dot(batch: [[0], [0]], contracting: [[0], [1]])), [f32(3, 3), f32(3, 3)],
      .invalidAttribute, "twice"),
    InferenceCase(
      .dot(Dot(contracting: [[0]])), [f32(3), f32(3)], .invalidAttribute, "two lists"),
    InferenceCase(
      .dot(Dot(contracting: [])), [bool(3), bool(3)], .typeMismatch, "bool[3]"),
    InferenceCase(
      .convolution(Convolution(stride: [1], padding: [[0, 0]])), [f32(1, 5, 4), f32(3, 3, 6)],
      .shapeMismatch, "f32[1,5,4] with 1 group cannot use a filter f32[3,3,6]"),
    InferenceCase(
      .convolution(Convolution(stride: [1], padding: [[0, 0]], groups: 3)),
      [f32(1, 5, 4), f32(3, 1, 6)], .invalidAttribute, "3 groups"),
    InferenceCase(
      .convolution(Convolution(stride: [1], padding: [[0, 0]])), [f32(1, 5, 4), f32(0, 4, 6)],
      .shapeMismatch, "empty along dimension 0"),
    InferenceCase(
      .convolution(Convolution(stride: [1], padding: [[0]])), [f32(1, 5, 4), f32(1, 4, 6)],
      .invalidAttribute, "[0] in padding"),
    InferenceCase(
      .convolution(Convolution(stride: [], padding: [])), [i32(3), i32(3)], .shapeMismatch,
      "of one rank"),
    InferenceCase(
      .convolution(Convolution(stride: [], padding: [])),
      [TensorType(.u8, [3, 4]), TensorType(.u8, [4, 4])], .typeMismatch, "u8"),
    InferenceCase(
      .reduce(Reduce(.sum, dimensions: [0])), [bool(3)], .typeMismatch, "reduce_sum is not"),
    InferenceCase(
      .reduce(Reduce(.max, dimensions: [1, 0])), [f32(3, 3)], .invalidAttribute, "increasing"),
    InferenceCase(
      .argReduce(ArgReduce(.argmin, dimension: 0)), [f32(0, 3)], .shapeMismatch, "f32[0,3]"),
    InferenceCase(
      .argReduce(ArgReduce(.argmin, dimension: 0, dtype: .u8)), [f32(3)], .invalidAttribute, "u8"),
    InferenceCase(
      .argReduce(ArgReduce(.argmin, dimension: 0)), [f32(1 << 32)], .invalidAttribute, "i32"),
    InferenceCase(
      .reduceWindow(ReduceWindow(.sum, window: Window(size: [0]))), [f32(3)], .invalidAttribute,
      "0 in size"),
    InferenceCase(
      .reduceWindow(ReduceWindow(.sum, window: Window(size: [1], padding: [[-1, 0]]))), [f32(3)],
      .invalidAttribute, "-1 in padding"),
    InferenceCase(
      .reduceWindow(
        ReduceWindow(.sum, window: Window(size: [1 << 40], dilation: [1 << 40]))), [f32(3)],
      .sizeOverflow, "spreads"),
    InferenceCase(
      .reduceWindowGradient(ReduceWindowGradient(.max, window: Window(size: [2]))),
      [f32(5), f32(5)], .shapeMismatch, "f32[5] cannot take a gradient f32[5]"),
    InferenceCase(
      .reduceWindowGradient(ReduceWindowGradient(.sum, window: Window(size: [2]))),
      [f32(5), f32(4)], .invalidAttribute, "is not an operation"),
    InferenceCase(
      .gather(Gather(dimensions: [0])), [f32(3), f32(2, 1)], .typeMismatch, "i32 or i64 indices"),
    InferenceCase(
      .gather(Gather(dimensions: [0])), [f32(3), i32(2)], .shapeMismatch, "indices i32[2]"),
    InferenceCase(
      .gather(Gather(dimensions: [0], batch: 1)), [f32(3, 4), i32(3, 1)], .invalidAttribute,
      "0 in dimensions"),
    InferenceCase(
      .gather(Gather(dimensions: [1], batch: 1)), [f32(3, 4), i32(2, 5, 1)], .shapeMismatch,
      "indices i32[2,5,1]"),
    InferenceCase(
      .gather(Gather(dimensions: [0])), [f32(0), i32(2, 1)], .shapeMismatch, "finds no element"),
    InferenceCase(
      .gather(Gather(dimensions: [])), [f32(3), i32(2, 0)], .invalidAttribute, "no dimension"),
    InferenceCase(
      .scatter(Scatter(.sum, dimensions: [0])), [bool(3), i32(2, 1), bool(2)], .typeMismatch,
      "scatter_sum is not defined"),
    InferenceCase(
      .scatter(Scatter(.max, dimensions: [0])), [f32(3), i32(2, 1), f32(3)], .shapeMismatch,
      "updates f32[3]"),
    InferenceCase(
      .random(Random(f32(3), stream: 0)), [i32(2)], .typeMismatch, "a state of u64[2], not i32[2]"),
    InferenceCase(
      .random(Random(f32(3), stream: -1)), [TensorType(.u64, [2])], .invalidAttribute, "stream"),
    InferenceCase(
      .random(Random(f32(1 << 34), stream: 0)), [TensorType(.u64, [2])], .sizeOverflow,
      "f32[17179869184]"),
    InferenceCase(.composite(Composite("c")), [], .wrongCount, "exactly one body, not 0"),
    InferenceCase(.composite(Composite("a b")), [], .name, "\"a b\""),
  ])
  func refused(_ example: InferenceCase) {
    let error = #expect(throws: Diagnostic.self) { try example.infer() }
    #expect(error?.code == example.code, "\(String(describing: error))")
    #expect(error?.message.contains(example.message) == true, "\(String(describing: error))")
  }

  @Test func everyKindHasARefusedCase() {
    // Every operation refuses two operands too many; concatenate refuses what does not fit.
    for sample in allSamples() {
      let more = sample.operands + [f32(3), i32(4, 4)]
      #expect(throws: Diagnostic.self, "\(sample)") {
        try sample.operation.inferTypes(more, bodies: sample.bodies, literal: sample.literal)
      }
    }
  }
}
