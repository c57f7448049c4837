import CLLVM
import GraphIR
import LoopIR
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The native code of several kernels; it stays valid as long as the library lives.
///
/// The code calls nothing outside of itself: no C library, no run-time library. A module that declares such a
/// function is refused, and a test looks for calls in the assembly of every function and conversion.
package final class JITLibrary: @unchecked Sendable {
  /// A phase's code: runs the tasks from the first (included) to the end (excluded).
  package typealias Function =
    @convention(c) (
      UnsafeMutablePointer<UnsafeMutableRawPointer?>, Int, Int, UnsafeMutableRawPointer?
    ) -> Void

  private let jit: LLVMOrcLLJITRef
  private let phases: [[Function]]

  /// Compiles kernels on all cores and links them.
  ///
  /// - Throws: when LLVM fails, which is our bug, or this machine has no code generator.
  package init(_ kernels: [Loops], options: CodeOptions) throws(Diagnostic) {
    let objects = try compileInParallel(kernels, options: options)
    var jit: LLVMOrcLLJITRef?
    do {
      _ = registerNativeTarget
      try check(LLVMOrcCreateLLJIT(&jit, nil), "starting the JIT")
    } catch {
      for object in objects { LLVMDisposeMemoryBuffer(object) }
      throw error
    }
    guard let jit else { throw Diagnostic(.internalError, "LLVM gave no JIT") }
    do {
      phases = try JITLibrary.link(objects, kernels, into: jit)
    } catch {
      LLVMConsumeError(LLVMOrcDisposeLLJIT(jit))
      throw error
    }
    self.jit = jit
  }

  deinit { LLVMConsumeError(LLVMOrcDisposeLLJIT(jit)) }

  /// The phases' code of the kernel at a place of the given list.
  package func functions(ofKernel index: Int) -> [Function] { phases[index] }

  private static func link(
    _ objects: [LLVMMemoryBufferRef], _ kernels: [Loops], into jit: LLVMOrcLLJITRef
  ) throws(Diagnostic) -> [[Function]] {
    var waiting = objects[...]
    defer { for object in waiting { LLVMDisposeMemoryBuffer(object) } }
    while let object = waiting.popFirst() {
      try check(
        LLVMOrcLLJITAddObjectFile(jit, LLVMOrcLLJITGetMainJITDylib(jit), object), "adding an object"
      )
    }
    var phases: [[Function]] = []
    for (index, kernel) in kernels.enumerated() {
      var functions: [Function] = []
      for phase in kernel.phases.indices {
        var address: LLVMOrcExecutorAddress = 0
        let name = ModuleEmitter.symbol(prefix(ofKernel: index) + kernel.name, phase: phase)
        try check(LLVMOrcLLJITLookup(jit, &address, name), "linking kernel \(kernel.name)")
        functions.append(unsafeBitCast(Int(address), to: Function.self))
      }
      phases.append(functions)
    }
    return phases
  }

  /// What the symbols of a kernel begin with: kernels of one library are told apart by number.
  fileprivate static func prefix(ofKernel index: Int) -> String { "k\(index)." }
}

/// Text of a kernel's code, for dumps and tests.
package enum KernelText {
  /// The optimized LLVM IR.
  package static func llvm(_ loops: Loops, options: CodeOptions) throws(Diagnostic) -> String {
    let module = try CodeModule(loops, symbolPrefix: "", options: options)
    return module.text()
  }

  /// Assembly.
  package static func assembly(_ loops: Loops, options: CodeOptions) throws(Diagnostic) -> String {
    let module = try CodeModule(loops, symbolPrefix: "", options: options)
    return try module.assembly()
  }
}

/// Compiles kernels to objects, on as many threads as there are cores.
private func compileInParallel(
  _ kernels: [Loops], options: CodeOptions
) throws(Diagnostic) -> [LLVMMemoryBufferRef] {
  let jobs = CompileJobs(kernels, options)
  let helpers = min(kernels.count, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) - 1
  var threads: [pthread_t] = []
  for _ in 0..<max(helpers, 0) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(jobs).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<CompileJobs>.fromOpaque(context).takeRetainedValue().work()
        return nil
      }, context)
    guard status == 0 else {
      Unmanaged<CompileJobs>.fromOpaque(context).release()
      break
    }
    threads.append(thread)
  }
  jobs.work()
  for thread in threads { pthread_join(thread, nil) }
  return try jobs.finish()
}

/// Where the threads that compile leave what they made.
private final class CompileJobs: @unchecked Sendable {
  let kernels: [Loops]
  let options: CodeOptions
  private let next = Atomic(0)
  /// One place for each kernel, written by the thread that compiles it and read when all have ended.
  private let results: UnsafeMutablePointer<Result<LLVMMemoryBufferRef, Diagnostic>?>

  init(_ kernels: [Loops], _ options: CodeOptions) {
    self.kernels = kernels
    self.options = options
    results = .allocate(capacity: max(kernels.count, 1))
    results.initialize(repeating: nil, count: kernels.count)
  }

  deinit { results.deallocate() }

  /// Compiles kernels until none is left.
  func work() {
    defer { withExtendedLifetime(self) {} }
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < kernels.count else { return }
      let result: Result<LLVMMemoryBufferRef, Diagnostic>
      do {
        let prefix = JITLibrary.prefix(ofKernel: index)
        let module = try CodeModule(kernels[index], symbolPrefix: prefix, options: options)
        result = .success(try module.object())
      } catch {
        result = .failure(error)
      }
      results[index] = result
    }
  }

  func finish() throws(Diagnostic) -> [LLVMMemoryBufferRef] {
    defer { withExtendedLifetime(self) {} }
    var objects: [LLVMMemoryBufferRef] = []
    var problem: Diagnostic?
    for index in kernels.indices {
      switch results[index] {
      case .success(let object): objects.append(object)
      case .failure(let diagnostic): problem = problem ?? diagnostic
      case nil: problem = problem ?? Diagnostic(.internalError, "a kernel was not compiled")
      }
    }
    if let problem {
      for object in objects { LLVMDisposeMemoryBuffer(object) }
      throw problem
    }
    return objects
  }
}
