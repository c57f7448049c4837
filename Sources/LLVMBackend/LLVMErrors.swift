import CLLVM
import GraphIR

/// Throws what an LLVM call reports, as a failure inside Martlet.
func check(_ error: LLVMErrorRef?, _ what: String) throws(Diagnostic) {
  guard let error else { return }
  let message = LLVMGetErrorMessage(error)
  defer { LLVMDisposeErrorMessage(message) }
  throw Diagnostic(
    .internalError, "LLVM: \(what): \(message.map { String(cString: $0) } ?? "unknown error")")
}

/// Takes over a message that an LLVM call allocated.
func takeMessage(_ message: UnsafeMutablePointer<CChar>?) -> String {
  guard let message else { return "" }
  defer { LLVMDisposeMessage(message) }
  return String(cString: message)
}

/// Registers the code generator of this machine once.
let registerNativeTarget: Void = {
  _ = LLVMInitializeNativeTarget()
  _ = LLVMInitializeNativeAsmPrinter()
}()
