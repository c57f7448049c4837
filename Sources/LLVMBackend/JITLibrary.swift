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
  /// Where the code of each kernel came from.
  package let origins: [CodeOrigin]

  /// Compiles kernels, equal ones once, and links them.
  ///
  /// - Parameters:
  ///   - cache: where code is looked for first and kept.
  ///   - threads: how many threads compile, the calling one included.
  /// - Throws: when LLVM fails, which is our bug, or this machine has no code generator.
  package init(
    _ kernels: [Loops], options: CodeOptions, cache: CodeCache = .off, threads: Int = 1
  ) throws(Diagnostic) {
    let keys = kernels.map { KernelKey($0, options) }
    var places: [KernelKey: Int] = [:]
    for (place, key) in keys.enumerated() where places[key] == nil { places[key] = place }
    let distinct = kernels.indices.filter { places[keys[$0]] == $0 }
    var origins = [CodeOrigin](repeating: .equalKernel, count: kernels.count)
    let linker = try Linker()
    try CompileJobs.run(
      distinct.map { kernels[$0] }, keys: distinct.map { keys[$0] }, options: options,
      cache: cache, threads: threads
    ) { (index: Int, code: consuming CompileJobs.CodeOfKernel) throws(Diagnostic) in
      origins[distinct[index]] = code.origin
      try linker.add(code.object)
    }
    if origins.contains(where: \.isCompiled) { cache.trim() }
    var phases: [[Function]] = []
    for (key, kernel) in zip(keys, kernels) {
      var functions: [Function] = []
      for phase in kernel.phases.indices {
        let address = try linker.address(of: ModuleEmitter.symbol(key.name, phase: phase))
        functions.append(unsafeBitCast(address, to: Function.self))
      }
      phases.append(functions)
    }
    self.phases = phases
    self.origins = origins
    self.linker = linker
  }

  /// The phases' code of the kernel at a place of the given list.
  package func functions(ofKernel index: Int) -> [Function] { phases[index] }
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
  func add(_ object: consuming ObjectCode) throws(Diagnostic) {
    let library = LLVMOrcLLJITGetMainJITDylib(jit)
    try check(LLVMOrcLLJITAddObjectFile(jit, library, object.release()), "adding an object")
  }

  func address(of symbol: String) throws(Diagnostic) -> Int {
    var address: LLVMOrcExecutorAddress = 0
    try check(LLVMOrcLLJITLookup(jit, &address, symbol), "linking \(symbol)")
    return Int(address)
  }
}
