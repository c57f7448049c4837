import CLLVM

/// Makes each masked store whose constant mask leaves one lane a store of that lane.
///
/// LLVM 22.1 stores the one lane of a vector that was just truncated as wide as it was before, over the elements that
/// follow: X86's `reduceMaskedStoreToScalarStore` does not ask whether the store truncates.
func storeSingleLanes(of module: LLVMModuleRef, in context: LLVMContextRef) {
  let ir = IRBuilder(module: module, context: context)
  for store in maskedStores(of: module) {
    guard let mask = LLVMGetOperand(store, UInt32(LLVMGetNumArgOperands(store)) - 1),
      let lane = singleLane(of: mask),
      let value = LLVMGetOperand(store, 0), let base = LLVMGetOperand(store, 1)
    else { continue }
    LLVMPositionBuilderBefore(ir.builder, store)
    let element = ir.extract(value, lane)
    let address = ir.element(ir.type(of: element), base, ir.constant(lane))
    // Elements lie at multiples of their size, vectors need not.
    let bits = LLVMSizeOfTypeInBits(LLVMGetModuleDataLayout(module), ir.type(of: element))
    ir.store(element, address, alignment: Int(bits / 8))
    LLVMInstructionEraseFromParent(store)
  }
}

/// The lane that a constant mask leaves when it leaves just one.
private func singleLane(of mask: CodeValue) -> Int? {
  guard LLVMIsConstant(mask) != 0, LLVMIsUndef(mask) == 0 else { return nil }
  let lanes = 0..<Int(LLVMGetVectorSize(LLVMTypeOf(mask)))
  let chosen = lanes.filter { lane in
    guard let bit = LLVMGetAggregateElement(mask, UInt32(lane)), LLVMIsAConstantInt(bit) != nil
    else { return false }
    return LLVMConstIntGetZExtValue(bit) != 0
  }
  return chosen.count == 1 ? chosen[0] : nil
}

/// The calls of `llvm.masked.store`.
private func maskedStores(of module: LLVMModuleRef) -> [CodeValue] {
  let name = "llvm.masked.store"
  let id = LLVMLookupIntrinsicID(name, name.utf8.count)
  var stores: [CodeValue] = []
  for function in sequence(first: LLVMGetFirstFunction(module), next: { LLVMGetNextFunction($0) }) {
    guard let function, LLVMGetIntrinsicID(function) == id else { continue }
    var use = LLVMGetFirstUse(function)
    while let present = use {
      if let user = LLVMGetUser(present) { stores.append(user) }
      use = LLVMGetNextUse(present)
    }
  }
  return stores
}
