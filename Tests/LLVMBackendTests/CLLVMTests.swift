import CLLVM
import Testing

/// The module CLLVM brings LLVM's headers and its library.
@Suite struct CLLVMTests {
  @Test func versionOfTheLibraryIsTheHeaders() {
    var (major, minor, patch): (UInt32, UInt32, UInt32) = (0, 0, 0)
    LLVMGetVersion(&major, &minor, &patch)
    #expect(major == UInt32(LLVM_VERSION_MAJOR) && minor == UInt32(LLVM_VERSION_MINOR))
    #expect(major >= 19)
  }

  @Test func anLLJITForThisMachine() {
    #expect(LLVMInitializeNativeTarget() == 0)
    #expect(LLVMInitializeNativeAsmPrinter() == 0)
    var jit: LLVMOrcLLJITRef?
    let error = LLVMOrcCreateLLJIT(&jit, nil)
    #expect(error == nil)
    let triple = String(cString: LLVMOrcLLJITGetTripleString(jit))
    #expect(!triple.isEmpty)
    #expect(LLVMOrcDisposeLLJIT(jit) == nil)
  }
}
