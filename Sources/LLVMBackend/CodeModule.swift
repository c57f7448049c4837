import CLLVM
import GraphIR
import LoopIR

/// One kernel's LLVM module in a context of its own, and the machine that turns it into code.
///
/// Nothing is shared with other modules, so that kernels compile on several threads.
final class CodeModule {
  private let context: LLVMContextRef
  private let module: LLVMModuleRef
  private let machine: LLVMTargetMachineRef

  /// The passes that run: scalar cleaning up and loop-invariant code motion.
  ///
  /// The schedules have made all vectors; no vectorizer runs.
  static let passes =
    "function(sroa,early-cse,simplifycfg,instcombine<no-verify-fixpoint>,loop-mssa(licm),gvn,sroa,"
    + "instcombine<no-verify-fixpoint>,simplifycfg,adce)"

  /// Emits a kernel.
  ///
  /// - Parameter symbol: what its symbols begin with; the kernel's own name is not part of the code.
  init(_ loops: Loops, symbol: String, options: CodeOptions) throws(Diagnostic) {
    _ = registerNativeTarget
    machine = try CodeModule.makeMachine()
    context = LLVMContextCreate()
    module = LLVMModuleCreateWithNameInContext(symbol, context)
    // An object lists its source among its symbols; with no name it is told from a function.
    LLVMSetSourceFileName(module, "", 0)
    LLVMSetTarget(module, Host.current.triple)
    let layout = LLVMCreateTargetDataLayout(machine)
    LLVMSetModuleDataLayout(module, layout)
    LLVMDisposeTargetData(layout)
    var message: UnsafeMutablePointer<CChar>?
    let emitter = ModuleEmitter(
      loops, symbol: symbol, module: module, context: context, options: options)
    defer { withExtendedLifetime(emitter) {} }
    try emitter.emit()
    guard LLVMVerifyModule(module, LLVMReturnStatusAction, &message) == 0 else {
      throw Diagnostic(
        .internalError, "kernel \(loops.name) became wrong LLVM IR: \(takeMessage(message))")
    }
    _ = takeMessage(message)
    let builderOptions = LLVMCreatePassBuilderOptions()
    defer { LLVMDisposePassBuilderOptions(builderOptions) }
    try check(
      LLVMRunPasses(module, Self.passes, machine, builderOptions), "optimizing \(loops.name)")
    storeSingleLanes(of: module, in: context)
  }

  private static func makeMachine() throws(Diagnostic) -> LLVMTargetMachineRef {
    let host = Host.current
    if let missing = host.missingFeatures.first {
      throw Diagnostic(
        .unsupported, "the processor (\(host.cpuName)) has no \(missing)",
        hint: "code is made for x86-64 with FMA and F16C (from 2013 on), and for AArch64")
    }
    var target: LLVMTargetRef?
    var message: UnsafeMutablePointer<CChar>?
    guard LLVMGetTargetFromTriple(host.triple, &target, &message) == 0 else {
      throw Diagnostic(.unsupported, "LLVM has no code generator here: \(takeMessage(message))")
    }
    guard
      let machine = LLVMCreateTargetMachine(
        target, host.triple, host.cpuName, host.features, LLVMCodeGenLevelDefault, LLVMRelocPIC,
        LLVMCodeModelSmall)
    else { throw Diagnostic(.unsupported, "LLVM cannot make code for \(host.triple)") }
    return machine
  }

  deinit {
    LLVMDisposeModule(module)
    LLVMContextDispose(context)
    LLVMDisposeTargetMachine(machine)
  }

  /// The optimized LLVM IR.
  func text() -> String {
    defer { withExtendedLifetime(self) {} }
    return takeMessage(LLVMPrintModuleToString(module))
  }

  /// Assembly text.
  func assembly() throws(Diagnostic) -> String {
    String(decoding: ObjectCode(try emit(LLVMAssemblyFile)).bytes(), as: UTF8.self)
  }

  /// An object file.
  func object() throws(Diagnostic) -> ObjectCode { ObjectCode(try emit(LLVMObjectFile)) }

  private func emit(_ kind: LLVMCodeGenFileType) throws(Diagnostic) -> LLVMMemoryBufferRef {
    defer { withExtendedLifetime(self) {} }
    var message: UnsafeMutablePointer<CChar>?
    var buffer: LLVMMemoryBufferRef?
    guard LLVMTargetMachineEmitToMemoryBuffer(machine, module, kind, &message, &buffer) == 0,
      let buffer
    else { throw Diagnostic(.internalError, "LLVM cannot emit code: \(takeMessage(message))") }
    return buffer
  }
}
