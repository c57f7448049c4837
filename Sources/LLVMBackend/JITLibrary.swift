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
  /// The name of each kernel's code: that of equal code is equal.
  package let names: [String]
  /// The entry of the cache that has each kernel's code; nil where none has.
  package let entries: [CacheReference?]

  /// Compiles kernels, equal ones once, and links them.
  ///
  /// - Parameters:
  ///   - cache: where code is looked for first and kept.
  ///   - threads: how many threads compile, the calling one included.
  /// - Throws: when LLVM fails, which is our bug, or this machine has no code generator.
  package init(
    _ kernels: [Loops], options: CodeOptions, cache: CodeCache = .off, threads: Int = 1
  ) throws(Diagnostic) {
    let keys = kernels.map { CacheKey($0, options) }
    var places: [CacheKey: Int] = [:]
    for (place, key) in keys.enumerated() where places[key] == nil { places[key] = place }
    let distinct = kernels.indices.filter { places[keys[$0]] == $0 }
    var origins = [CodeOrigin](repeating: .equalKernel, count: kernels.count)
    var entries: [CacheKey: CacheReference] = [:]
    let linker = try Linker()
    try CompileJobs.run(
      distinct.map { kernels[$0] }, keys: distinct.map { keys[$0] }, options: options,
      cache: cache, threads: threads
    ) { (index: Int, code: consuming CompileJobs.CodeOfKernel) throws(Diagnostic) in
      origins[distinct[index]] = code.origin
      entries[keys[distinct[index]]] = code.entry
      try linker.add(code.object)
    }
    if origins.contains(where: \.isCompiled) { cache.trim() }
    phases = try linker.functions(
      of: zip(keys, kernels).map { (name: $0.name, phases: $1.phases.count) })
    self.origins = origins
    self.entries = keys.map { entries[$0] }
    names = keys.map(\.name)
    self.linker = linker
  }

  /// Links the objects of kernels that a cache gave.
  ///
  /// - Parameters:
  ///   - kernels: the entry of each kernel and the number of its phases.
  ///   - objects: the objects by the names of the entries.
  /// - Throws: when they cannot be linked.
  package init(
    _ kernels: [(entry: CacheReference, phases: Int)], objects: [String: ArraySlice<UInt8>]
  ) throws(Diagnostic) {
    let linker = try Linker()
    var origins: [CodeOrigin] = []
    var linked = Set<String>()
    for (entry, _) in kernels {
      let isNew = linked.insert(entry.name).inserted
      origins.append(isNew ? .cache : .equalKernel)
      if isNew, let object = objects[entry.name] { try linker.add(ObjectCode(copying: object)) }
    }
    phases = try linker.functions(of: kernels.map { (name: $0.entry.name, phases: $0.phases) })
    self.origins = origins
    entries = kernels.map(\.entry)
    names = kernels.map(\.entry.name)
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

  /// The phases' code of kernels, by the names of their keys.
  func functions(
    of kernels: [(name: String, phases: Int)]
  ) throws(Diagnostic) -> [[JITLibrary.Function]] {
    var functions: [[JITLibrary.Function]] = []
    for (name, phases) in kernels {
      var own: [JITLibrary.Function] = []
      for phase in 0..<phases {
        let address = try address(of: ModuleEmitter.symbol(name, phase: phase))
        own.append(unsafeBitCast(address, to: JITLibrary.Function.self))
      }
      functions.append(own)
    }
    return functions
  }

  private func address(of symbol: String) throws(Diagnostic) -> Int {
    var address: LLVMOrcExecutorAddress = 0
    try check(LLVMOrcLLJITLookup(jit, &address, symbol), "linking \(symbol)")
    return Int(address)
  }
}
