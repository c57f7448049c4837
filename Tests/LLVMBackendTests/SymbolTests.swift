import CLLVM
import GraphIR
import LLVMBackend
import LoopIR
import Testing

/// Native code calls nothing: no function of the C library, none of LLVM's run-time library.
@Suite struct SymbolTests {
  /// Every instruction that computes, as a function of registers of one dtype.
  private static func instructions(
    _ dtype: DType
  ) -> [(inputs: [DType], output: DType, LoopInstruction.Maker)] {
    var all: [(inputs: [DType], output: DType, LoopInstruction.Maker)] = []
    for function in UnaryFunction.allCases where function.categories.contains(dtype.category) {
      all.append(([dtype], dtype, { .unary(function, $0[0]) }))
    }
    for function in BinaryFunction.allCases where function.categories.contains(dtype.category) {
      all.append(([dtype, dtype], dtype, { .binary(function, $0[0], $0[1]) }))
    }
    for function in CompareFunction.allCases {
      all.append(([dtype, dtype], .bool, { .compare(function, $0[0], $0[1]) }))
    }
    for target in DType.allCases { all.append(([dtype], target, { .convert($0[0]) })) }
    all.append(([.bool, dtype, dtype], dtype, { .select($0[0], $0[1], $0[2]) }))
    if dtype != .bool {
      all.append(([dtype, dtype, dtype], dtype, { .multiplyAdd($0[0], $0[1], $0[2]) }))
    }
    return all
  }

  @Test(arguments: DType.allCases)
  func nothingIsCalled(_ dtype: DType) throws {
    for lanes in [1, 3, 8] {
      for (inputs, output, make) in SymbolTests.instructions(dtype) {
        let harness = try ElementwiseHarness(inputs, to: output, count: 13, lanes: lanes, make)
        let symbols = try KernelText.undefinedSymbols(harness.loops, options: CodeOptions())
        let instruction = make([RegisterID(0), RegisterID(1), RegisterID(2)])
        #expect(symbols.isEmpty, "\(lanes) lanes of \(dtype): \(instruction)")
      }
    }
  }

  /// Loops that fill and copy memory, which compilers like to turn into calls.
  @Test func noCallsThatFillOrCopy() throws {
    let loops = try buildLoops([
      LoopMemory(name: "x", dtype: .u8, count: 4096, kind: .input),
      LoopMemory(name: "y", dtype: .u8, count: 8192, kind: .output),
    ]) { (builder: LoopsBuilder, _: LoopIndex) throws(Diagnostic) in
      try builder.loop("i", to: 4096) { (i: LoopIndex) throws(Diagnostic) in
        let x = builder.define(.load(LoopAccess(memory: 0, offset: i)), LoopType(.u8))
        builder.store(x, LoopAccess(memory: 1, offset: i))
        builder.store(
          builder.define(.constant(0), LoopType(.u8)), LoopAccess(memory: 1, offset: i + 4096))
      }
    }
    #expect(try KernelText.undefinedSymbols(loops, options: CodeOptions()).isEmpty)
    try LoopsHarness(loops).check("fill and copy")
  }

  /// The inspection itself: an object that calls is found out.
  @Test func callsAreFound() throws {
    #expect(LLVMInitializeNativeTarget() == 0 && LLVMInitializeNativeAsmPrinter() == 0)
    let context = LLVMContextCreate()
    defer { LLVMContextDispose(context) }
    let text =
      "declare float @expf(float)\n"
      + "define float @f(float %x) {\n %y = call float @expf(float %x)\n ret float %y\n}\n"
    let source = LLVMCreateMemoryBufferWithMemoryRangeCopy(text, text.utf8.count, "text")
    var module: LLVMModuleRef?
    #expect(LLVMParseIRInContext(context, source, &module, nil) == 0)
    defer { LLVMDisposeModule(module) }
    let triple = LLVMGetDefaultTargetTriple()
    defer { LLVMDisposeMessage(triple) }
    var target: LLVMTargetRef?
    #expect(LLVMGetTargetFromTriple(triple, &target, nil) == 0)
    let machine = LLVMCreateTargetMachine(
      target, triple, "", "", LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelDefault)
    defer { LLVMDisposeTargetMachine(machine) }
    var buffer: LLVMMemoryBufferRef?
    #expect(
      LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, nil, &buffer) == 0)
    let object = ObjectCode(try #require(buffer))
    let symbols = try object.undefinedSymbols()
    #expect(symbols.contains { $0.hasSuffix("expf") })
    do {
      try object.requireSelfContained("f")
      Issue.record("an object that calls expf was taken")
    } catch {
      #expect(error.message.contains("expf"))
    }
  }
}

extension LoopInstruction {
  /// Makes an instruction of operands.
  typealias Maker = @Sendable ([RegisterID]) -> LoopInstruction
}
