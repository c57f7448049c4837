import CLLVM
import GraphIR
import LoopIR

/// A value of the code that is being made.
typealias CodeValue = LLVMValueRef

/// A thin layer over the calls of LLVM's instruction builder that the emission uses.
final class IRBuilder {
  let module: LLVMModuleRef
  let context: LLVMContextRef
  let builder: LLVMBuilderRef

  init(module: LLVMModuleRef, context: LLVMContextRef) {
    self.module = module
    self.context = context
    builder = LLVMCreateBuilderInContext(context)
  }

  deinit { LLVMDisposeBuilder(builder) }

  // MARK: Types

  var int1: LLVMTypeRef { LLVMInt1TypeInContext(context) }
  var int64: LLVMTypeRef { LLVMInt64TypeInContext(context) }
  var pointer: LLVMTypeRef { LLVMPointerTypeInContext(context, 0) }
  func integer(_ bits: Int) -> LLVMTypeRef { LLVMIntTypeInContext(context, UInt32(bits)) }
  func vector(_ element: LLVMTypeRef, _ lanes: Int) -> LLVMTypeRef {
    lanes == 1 ? element : LLVMVectorType(element, UInt32(lanes))
  }
  func type(of value: CodeValue) -> LLVMTypeRef { LLVMTypeOf(value) }

  // MARK: Constants

  func constant(_ value: Int) -> CodeValue {
    LLVMConstInt(int64, UInt64(bitPattern: Int64(value)), 1)
  }

  /// Every element of a vector type, or a scalar type, as an integer constant.
  func splat(_ bits: UInt64, _ type: LLVMTypeRef) -> CodeValue {
    spread(type) { LLVMConstInt($0, bits, 0) }
  }

  /// Every element of a vector type, or a scalar type, as a float constant.
  func splat(_ number: Double, _ type: LLVMTypeRef) -> CodeValue {
    spread(type) { LLVMConstReal($0, number) }
  }

  private func spread(_ type: LLVMTypeRef, _ make: (LLVMTypeRef) -> CodeValue) -> CodeValue {
    guard LLVMGetTypeKind(type) == LLVMVectorTypeKind else { return make(type) }
    let element = make(LLVMGetElementType(type))
    return vectorConstant([CodeValue](repeating: element, count: Int(LLVMGetVectorSize(type))))
  }

  /// A vector of constants; a scalar when it is one.
  func vectorConstant(_ elements: [CodeValue]) -> CodeValue {
    if elements.count == 1 { return elements[0] }
    var elements: [CodeValue?] = elements
    return LLVMConstVector(&elements, UInt32(elements.count))
  }

  func zero(_ type: LLVMTypeRef) -> CodeValue { LLVMConstNull(type) }
  func poison(_ type: LLVMTypeRef) -> CodeValue { LLVMGetPoison(type) }

  // MARK: Integer arithmetic

  func add(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildAdd(builder, a, b, "") }
  func sub(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildSub(builder, a, b, "") }
  func mul(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildMul(builder, a, b, "") }
  func and(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildAnd(builder, a, b, "") }
  func or(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildOr(builder, a, b, "") }
  func xor(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildXor(builder, a, b, "") }
  func not(_ a: CodeValue) -> CodeValue { LLVMBuildNot(builder, a, "") }
  func shl(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildShl(builder, a, b, "") }
  func lshr(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildLShr(builder, a, b, "") }
  func ashr(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildAShr(builder, a, b, "") }
  func shl(_ a: CodeValue, by n: Int) -> CodeValue { shl(a, splat(UInt64(n), type(of: a))) }
  func lshr(_ a: CodeValue, by n: Int) -> CodeValue { lshr(a, splat(UInt64(n), type(of: a))) }
  func ashr(_ a: CodeValue, by n: Int) -> CodeValue { ashr(a, splat(UInt64(n), type(of: a))) }
  func compare(_ p: LLVMIntPredicate, _ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildICmp(builder, p, a, b, "")
  }

  /// A sum that is known not to overflow.
  func addWithoutOverflow(_ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildNSWAdd(builder, a, b, "")
  }
  /// A product that is known not to overflow.
  func multiplyWithoutOverflow(_ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildNSWMul(builder, a, b, "")
  }
  func unsignedQuotient(_ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildUDiv(builder, a, b, "")
  }
  func unsignedRemainder(_ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildURem(builder, a, b, "")
  }
  func signedQuotient(_ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildSDiv(builder, a, b, "")
  }
  func signedRemainder(_ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildSRem(builder, a, b, "")
  }

  // MARK: Float arithmetic

  func fadd(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildFAdd(builder, a, b, "") }
  func fsub(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildFSub(builder, a, b, "") }
  func fmul(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildFMul(builder, a, b, "") }
  func fdiv(_ a: CodeValue, _ b: CodeValue) -> CodeValue { LLVMBuildFDiv(builder, a, b, "") }
  func fneg(_ a: CodeValue) -> CodeValue { LLVMBuildFNeg(builder, a, "") }
  func fadd(_ a: CodeValue, _ b: Double) -> CodeValue { fadd(a, splat(b, type(of: a))) }
  func fmul(_ a: CodeValue, _ b: Double) -> CodeValue { fmul(a, splat(b, type(of: a))) }
  func fma(_ a: CodeValue, _ b: CodeValue, _ c: CodeValue) -> CodeValue {
    intrinsic("llvm.fma", [a, b, c])
  }
  func compare(_ p: LLVMRealPredicate, _ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildFCmp(builder, p, a, b, "")
  }
  func compare(_ p: LLVMRealPredicate, _ a: CodeValue, _ b: Double) -> CodeValue {
    compare(p, a, splat(b, type(of: a)))
  }

  // MARK: Others

  func select(_ c: CodeValue, _ a: CodeValue, _ b: CodeValue) -> CodeValue {
    LLVMBuildSelect(builder, c, a, b, "")
  }
  func bitcast(_ a: CodeValue, _ type: LLVMTypeRef) -> CodeValue {
    LLVMBuildBitCast(builder, a, type, "")
  }
  func zext(_ a: CodeValue, _ type: LLVMTypeRef) -> CodeValue {
    LLVMBuildZExt(builder, a, type, "")
  }
  func sext(_ a: CodeValue, _ type: LLVMTypeRef) -> CodeValue {
    LLVMBuildSExt(builder, a, type, "")
  }
  func trunc(_ a: CodeValue, _ type: LLVMTypeRef) -> CodeValue {
    LLVMBuildTrunc(builder, a, type, "")
  }
  func fpext(_ a: CodeValue, _ type: LLVMTypeRef) -> CodeValue {
    LLVMBuildFPExt(builder, a, type, "")
  }
  func fptrunc(_ a: CodeValue, _ type: LLVMTypeRef) -> CodeValue {
    LLVMBuildFPTrunc(builder, a, type, "")
  }
  func numberFromUnsigned(_ a: CodeValue, _ type: LLVMTypeRef) -> CodeValue {
    LLVMBuildUIToFP(builder, a, type, "")
  }

  /// Calls an intrinsic that is overloaded on the type of its first argument.
  func intrinsic(_ name: String, _ arguments: [CodeValue]) -> CodeValue {
    intrinsic(name, overloads: [type(of: arguments[0])], arguments)
  }

  func intrinsic(
    _ name: String, overloads: [LLVMTypeRef], _ arguments: [CodeValue]
  ) -> CodeValue {
    let id = LLVMLookupIntrinsicID(name, name.utf8.count)
    precondition(id != 0, "LLVM has no intrinsic \(name)")
    var overloads: [LLVMTypeRef?] = overloads
    let function = LLVMGetIntrinsicDeclaration(module, id, &overloads, overloads.count)
    return call(
      function!, LLVMIntrinsicGetType(context, id, &overloads, overloads.count), arguments)
  }

  func call(_ function: CodeValue, _ type: LLVMTypeRef, _ arguments: [CodeValue]) -> CodeValue {
    var arguments: [CodeValue?] = arguments
    return LLVMBuildCall2(builder, type, function, &arguments, UInt32(arguments.count), "")
  }

  // MARK: Blocks

  var block: LLVMBasicBlockRef { LLVMGetInsertBlock(builder) }
  func newBlock(_ name: String) -> LLVMBasicBlockRef {
    LLVMAppendBasicBlockInContext(context, LLVMGetBasicBlockParent(block), name)
  }
  func moveToEnd(of block: LLVMBasicBlockRef) { LLVMPositionBuilderAtEnd(builder, block) }
  func branch(to block: LLVMBasicBlockRef) { LLVMBuildBr(builder, block) }
  func branch(if c: CodeValue, _ yes: LLVMBasicBlockRef, else no: LLVMBasicBlockRef) {
    LLVMBuildCondBr(builder, c, yes, no)
  }

  /// A phi of which the first value comes from the present predecessor.
  func phi(_ type: LLVMTypeRef) -> CodeValue { LLVMBuildPhi(builder, type, "") }
  func addIncoming(_ phi: CodeValue, _ value: CodeValue, from block: LLVMBasicBlockRef) {
    var value: CodeValue? = value
    var block: LLVMBasicBlockRef? = block
    LLVMAddIncoming(phi, &value, &block, 1)
  }
}
