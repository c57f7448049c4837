import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// Native code against the evaluator of loops, bit for bit, on special values and random bit patterns.
@Suite struct InstructionTests {
  static let exactUnary: [UnaryFunction] = [
    .negate, .abs, .sign, .sqrt, .floor, .ceil, .round, .not,
  ]
  static let exactBinary = BinaryFunction.allCases.filter { $0 != .power }

  @Test(arguments: exactUnary)
  func unary(_ function: UnaryFunction) throws {
    for dtype in DType.allCases where function.categories.contains(dtype.category) {
      for lanes in [1, 4, 8, 16] {
        try check([dtype], to: dtype, lanes: lanes, "\(function) \(dtype)") {
          .unary(function, $0[0])
        }
      }
    }
  }

  @Test(arguments: exactBinary)
  func binary(_ function: BinaryFunction) throws {
    for dtype in DType.allCases where function.categories.contains(dtype.category) {
      for lanes in [1, 8] {
        try check([dtype, dtype], to: dtype, lanes: lanes, "\(function) \(dtype)") {
          .binary(function, $0[0], $0[1])
        }
      }
    }
  }

  @Test func integerPowers() throws {
    for dtype in DType.allCases where dtype.isInteger {
      try check([dtype, dtype], to: dtype, lanes: 8, "power \(dtype)") {
        .binary(.power, $0[0], $0[1])
      }
    }
  }

  @Test(arguments: CompareFunction.allCases)
  func comparison(_ function: CompareFunction) throws {
    for dtype in DType.allCases {
      try check([dtype, dtype], to: .bool, lanes: 8, "\(function) \(dtype)") {
        .compare(function, $0[0], $0[1])
      }
    }
  }

  @Test(arguments: DType.allCases)
  func conversion(_ source: DType) throws {
    for target in DType.allCases {
      for lanes in [1, 8] {
        try check([source], to: target, lanes: lanes, "\(source) to \(target)") { .convert($0[0]) }
      }
    }
  }

  @Test(arguments: DType.allCases)
  func multiplyAdd(_ dtype: DType) throws {
    guard dtype != .bool else { return }
    try check([dtype, dtype, dtype], to: dtype, lanes: 8, "multiply-add \(dtype)") {
      .multiplyAdd($0[0], $0[1], $0[2])
    }
  }

  /// 1.5 (1 + 2^-7) lies between two numbers of bf16; an addend that f64 cannot hold beside it decides.
  @Test func multiplyAddRoundsOnce() throws {
    let harness = try ElementwiseHarness([.bf16, .bf16, .bf16], to: .bf16, count: 2, lanes: 2) {
      .multiplyAdd($0[0], $0[1], $0[2])
    }
    let type = TensorType(.bf16, [2])
    let operands = [
      Literal(type, doubles: [1.0078125, 1.0078125]), Literal(type, doubles: [1.5, 1.5]),
      Literal(type, doubles: [-0x1p-100, 0x1p-100]),
    ]
    #expect(try harness.runNatively(operands).doubles() == [193.0 / 128, 194.0 / 128])
    #expect(try harness.evaluate(operands).doubles() == [193.0 / 128, 194.0 / 128])
  }

  @Test(arguments: DType.allCases)
  func selection(_ dtype: DType) throws {
    try check([.bool, dtype, dtype], to: dtype, lanes: 8, "select \(dtype)") {
      .select($0[0], $0[1], $0[2])
    }
  }

  private func check(
    _ inputs: [DType], to output: DType, lanes: Int, _ what: String,
    _ instruction: ([RegisterID]) -> LoopInstruction
  ) throws {
    let count = 16 * 11 + 5
    let harness = try ElementwiseHarness(
      inputs, to: output, count: count, lanes: lanes, instruction)
    let values = inputs.enumerated().map { position, dtype in
      let values = patterns(dtype, count: count, seed: UInt64(position) + 3)
      return position == 0 ? values : rotated(values, by: 5 * position)
    }
    let native = try harness.runNatively(values)
    let expected = try harness.evaluate(values)
    if let place = difference(native, expected) {
      let operands = values.map { "\($0.doubles()[place])" }.joined(separator: ", ")
      Issue.record(
        "\(what), \(lanes) lanes, of \(operands): \(native.doubles()[place]) instead of \(expected.doubles()[place])"
      )
    }
  }

  /// Moves the special values of one operand against those of another.
  private func rotated(_ literal: Literal, by places: Int) -> Literal {
    let bytes = places * literal.type.dtype.byteCount
    return Literal(
      literal.type, bytes: Array(literal.bytes[bytes...] + literal.bytes[..<bytes])) ?? literal
  }
}
