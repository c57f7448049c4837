import CLLVM

/// Memory, and what LLVM is told of it.
extension IRBuilder {
  func parameter(_ index: Int, of function: CodeValue) -> CodeValue {
    LLVMGetParam(function, UInt32(index))
  }

  /// A place in the frame.
  func frameSlot(_ type: LLVMTypeRef) -> CodeValue { LLVMBuildAlloca(builder, type, "") }

  /// The value in a place of the frame.
  func read(_ type: LLVMTypeRef, _ slot: CodeValue) -> CodeValue {
    LLVMBuildLoad2(builder, type, slot, "")
  }

  func load(_ type: LLVMTypeRef, _ address: CodeValue, alignment: Int) -> CodeValue {
    let value: CodeValue = LLVMBuildLoad2(builder, type, address, "")
    LLVMSetAlignment(value, UInt32(alignment))
    return value
  }

  @discardableResult
  func store(_ value: CodeValue, _ address: CodeValue, alignment: Int) -> CodeValue {
    let store: CodeValue = LLVMBuildStore(builder, value, address)
    LLVMSetAlignment(store, UInt32(alignment))
    return store
  }

  /// Stores a vector past the caches; `finishStreams` makes it seen by others.
  func stream(_ value: CodeValue, _ address: CodeValue, alignment: Int) {
    let store = store(value, address, alignment: alignment)
    let name = "nontemporal"
    let kind = LLVMGetMDKindIDInContext(context, name, UInt32(name.utf8.count))
    var one: LLVMMetadataRef? = LLVMValueAsMetadata(
      LLVMConstInt(LLVMInt32TypeInContext(context), 1, 0))
    let node = LLVMMDNodeInContext2(context, &one, 1)
    LLVMSetMetadata(store, kind, LLVMMetadataAsValue(context, node))
  }

  /// Orders streamed stores before all later ones, which x86 alone does not do by itself.
  func finishStreams() {
    if Host.current.triple.hasPrefix("x86_64") {
      _ = intrinsic("llvm.x86.sse.sfence", overloads: [], [])
    }
  }

  /// The address of an element.
  func element(_ type: LLVMTypeRef, _ base: CodeValue, _ index: CodeValue) -> CodeValue {
    var index: CodeValue? = index
    return LLVMBuildGEP2(builder, type, base, &index, 1, "")
  }

  /// The lanes of a vector in memory where the mask is set; the others are zero and are not touched.
  func maskedLoad(
    _ vector: LLVMTypeRef, _ address: CodeValue, _ mask: CodeValue, alignment: Int
  ) -> CodeValue {
    var arguments = [address, mask, zero(vector)]
    if maskedIntrinsicsTakeAlignment { arguments.insert(alignmentConstant(alignment), at: 1) }
    let call = intrinsic("llvm.masked.load", overloads: [vector, pointer], arguments)
    if !maskedIntrinsicsTakeAlignment { align(call, argument: 1, alignment) }
    return call
  }

  /// Stores the lanes of a vector where the mask is set; other memory is not touched.
  @discardableResult
  func maskedStore(
    _ value: CodeValue, _ address: CodeValue, _ mask: CodeValue, alignment: Int
  ) -> CodeValue {
    var arguments = [value, address, mask]
    if maskedIntrinsicsTakeAlignment { arguments.insert(alignmentConstant(alignment), at: 2) }
    let call = intrinsic("llvm.masked.store", overloads: [type(of: value), pointer], arguments)
    if !maskedIntrinsicsTakeAlignment { align(call, argument: 2, alignment) }
    return call
  }

  /// LLVM 22 says the alignment in an attribute of the address, earlier versions in an argument.
  private var maskedIntrinsicsTakeAlignment: Bool { LLVM_VERSION_MAJOR < 22 }

  private func alignmentConstant(_ alignment: Int) -> CodeValue {
    LLVMConstInt(LLVMInt32TypeInContext(context), UInt64(alignment), 0)
  }

  private func align(_ call: CodeValue, argument: UInt32, _ alignment: Int) {
    let kind = LLVMGetEnumAttributeKindForName("align", 5)
    LLVMAddCallSiteAttribute(
      call, argument, LLVMCreateEnumAttribute(context, kind, UInt64(alignment)))
  }
}
