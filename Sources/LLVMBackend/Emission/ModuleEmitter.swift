import CLLVM
import GraphIR
import LoopIR

/// Makes the LLVM module of one kernel: a function for each phase, and the functions of ours that they call.
final class ModuleEmitter {
  let loops: Loops
  let options: CodeOptions
  let ir: IRBuilder
  private let symbol: String

  init(
    _ loops: Loops, symbol: String, module: LLVMModuleRef, context: LLVMContextRef,
    options: CodeOptions
  ) {
    self.loops = loops
    self.symbol = symbol
    self.options = options
    ir = IRBuilder(module: module, context: context)
  }

  /// The symbol of a phase.
  static func symbol(_ kernel: String, phase: Int) -> String { "\(kernel).phase\(phase)" }

  /// Emits all phases.
  func emit() throws(Diagnostic) {
    for index in loops.phases.indices {
      let symbol = ModuleEmitter.symbol(symbol, phase: index)
      var parameters: [LLVMTypeRef?] = [ir.pointer, ir.int64, ir.int64, ir.pointer]
      let type = LLVMFunctionType(LLVMVoidTypeInContext(ir.context), &parameters, 4, 0)!
      let function = LLVMAddFunction(ir.module, symbol, type)!
      setAttributes(of: function)
      let phase = PhaseEmitter(self, function: function, phase: loops.phases[index])
      try phase.emit()
    }
  }

  /// Code of ours throws nothing and must not be turned into calls of library functions.
  func setAttributes(of function: CodeValue) {
    let nounwind = LLVMGetEnumAttributeKindForName("nounwind", 8)
    LLVMAddAttributeAtIndex(
      function, LLVMAttributeIndex(bitPattern: -1), LLVMCreateEnumAttribute(ir.context, nounwind, 0)
    )
    let noBuiltins = LLVMCreateStringAttribute(ir.context, "no-builtins", 11, "", 0)
    LLVMAddAttributeAtIndex(function, LLVMAttributeIndex(bitPattern: -1), noBuiltins)
  }

  /// A function of the module that is made when it is first asked for: scalar code of which inlining gains nothing.
  func helper(
    _ name: String, _ parameters: [LLVMTypeRef], _ result: LLVMTypeRef,
    body: ([CodeValue]) -> CodeValue
  ) -> (function: CodeValue, type: LLVMTypeRef) {
    var types: [LLVMTypeRef?] = parameters
    let type = LLVMFunctionType(result, &types, UInt32(types.count), 0)!
    if let function = LLVMGetNamedFunction(ir.module, name) { return (function, type) }
    let function = LLVMAddFunction(ir.module, name, type)!
    LLVMSetLinkage(function, LLVMInternalLinkage)
    setAttributes(of: function)
    let outer = LLVMGetInsertBlock(ir.builder)
    ir.moveToEnd(of: LLVMAppendBasicBlockInContext(ir.context, function, "entry"))
    let value = body(parameters.indices.map { LLVMGetParam(function, UInt32($0)) })
    LLVMBuildRet(ir.builder, value)
    if let outer { ir.moveToEnd(of: outer) }
    return (function, type)
  }

  // MARK: Types

  /// The type of an element in memory: bool is a byte, bf16 its 16 bits.
  func storageType(_ dtype: DType) -> LLVMTypeRef {
    switch dtype {
    case .f32: LLVMFloatTypeInContext(ir.context)
    case .f64: LLVMDoubleTypeInContext(ir.context)
    case .f16: LLVMHalfTypeInContext(ir.context)
    case .bf16: ir.integer(16)
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: ir.integer(dtype.bitCount)
    }
  }

  /// The type of an element in a register: bool is a bit; f16 and bf16 are held as f32, which has all their values.
  func elementType(_ dtype: DType) -> LLVMTypeRef {
    switch dtype {
    case .f16, .bf16: storageType(.f32)
    case .bool: ir.int1
    case .f32, .f64, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64: storageType(dtype)
    }
  }

  /// The type of a register.
  func registerType(_ type: LoopType) -> LLVMTypeRef {
    ir.vector(elementType(type.dtype), type.lanes)
  }
}
