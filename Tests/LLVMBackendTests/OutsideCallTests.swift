import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// Native code calls no function outside of itself: assembly would name it through the procedure linkage table.
@Suite struct OutsideCallTests {
  @Test(arguments: DType.allCases)
  func functionsAndConversions(_ dtype: DType) throws {
    for lanes in [1, 8] {
      for function in UnaryFunction.allCases where function.categories.contains(dtype.category) {
        try check([dtype], to: dtype, lanes, "\(function)") { .unary(function, $0[0]) }
      }
      for function in BinaryFunction.allCases where function.categories.contains(dtype.category) {
        try check([dtype, dtype], to: dtype, lanes, "\(function)") {
          .binary(function, $0[0], $0[1])
        }
      }
      for target in DType.allCases {
        try check([dtype], to: target, lanes, "convert to \(target)") { .convert($0[0]) }
      }
    }
  }

  private func check(
    _ inputs: [DType], to output: DType, _ lanes: Int, _ what: String,
    _ instruction: ([RegisterID]) -> LoopInstruction
  ) throws {
    let harness = try ElementwiseHarness(
      inputs, to: output, count: 19, lanes: lanes, instruction)
    let assembly = try KernelText.assembly(harness.loops, options: CodeOptions())
    #expect(!assembly.contains("@PLT"), "\(what) of \(inputs[0]), \(lanes) lanes")
  }
}
