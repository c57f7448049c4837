import CLLVM
import GraphIR
import LoopIR

/// The native code of several kernels; it stays valid as long as the library lives.
///
/// The code can call nothing outside of itself: an object that names an undefined symbol, such as a function of the
/// C library or of LLVM's run-time library, is not linked.
package final class JITLibrary: @unchecked Sendable {
  /// A phase's code: runs the tasks from the first (included) to the end (excluded).
  ///
  /// It takes the kernel's memories in the order of `Loops.memories`, and the scratch of a worker, aligned to 64 bytes.
  package typealias Function =
    @convention(c) (
      UnsafeMutablePointer<UnsafeMutableRawPointer?>, Int, Int, UnsafeMutableRawPointer?
    ) -> Void

  private let linker: Linker
  private let phases: [[Function]]

  /// Compiles kernels on all cores and links them.
  ///
  /// - Throws: when LLVM fails, which is our bug, or this machine has no code generator.
  package init(_ kernels: [Loops], options: CodeOptions) throws(Diagnostic) {
    let linker = try Linker()
    try CompileJobs.run(kernels, options: options) {
      (index: Int, object: consuming ObjectCode) throws(Diagnostic) in
      try linker.add(object, of: kernels[index])
    }
    var phases: [[Function]] = []
    for (index, kernel) in kernels.enumerated() {
      var functions: [Function] = []
      for phase in kernel.phases.indices {
        let name = ModuleEmitter.symbol(
          JITLibrary.prefix(ofKernel: index) + kernel.name, phase: phase)
        let address = try linker.address(of: name)
        functions.append(unsafeBitCast(address, to: Function.self))
      }
      phases.append(functions)
    }
    self.phases = phases
    self.linker = linker
  }

  /// The phases' code of the kernel at a place of the given list.
  package func functions(ofKernel index: Int) -> [Function] { phases[index] }

  /// What the symbols of a kernel begin with: kernels of one library are told apart by number.
  static func prefix(ofKernel index: Int) -> String { "k\(index)." }
}

/// LLVM's linker in memory, which owns the code that it links.
private struct Linker: ~Copyable {
  private let jit: LLVMOrcLLJITRef

  init() throws(Diagnostic) {
    _ = registerNativeTarget
    var jit: LLVMOrcLLJITRef?
    try check(LLVMOrcCreateLLJIT(&jit, nil), "starting the JIT")
    guard let jit else { throw Diagnostic(.internalError, "LLVM gave no JIT") }
    self.jit = jit
  }

  deinit { LLVMConsumeError(LLVMOrcDisposeLLJIT(jit)) }

  /// Links an object, which must not need any other.
  func add(_ object: consuming ObjectCode, of kernel: Loops) throws(Diagnostic) {
    try object.requireSelfContained(kernel.name)
    let library = LLVMOrcLLJITGetMainJITDylib(jit)
    try check(LLVMOrcLLJITAddObjectFile(jit, library, object.release()), "adding an object")
  }

  func address(of symbol: String) throws(Diagnostic) -> Int {
    var address: LLVMOrcExecutorAddress = 0
    try check(LLVMOrcLLJITLookup(jit, &address, symbol), "linking \(symbol)")
    return Int(address)
  }
}
