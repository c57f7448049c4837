import CLLVM
import GraphIR
import LoopIR

/// Loads and stores.
extension PhaseEmitter {
  /// The address of element `offset` of a memory.
  private func address(_ memory: Int, _ offset: CodeValue) -> CodeValue {
    ir.element(module.storageType(loops.memories[memory].dtype), memories[memory], offset)
  }

  /// The elements of an access, as a register of the memory's dtype.
  func load(_ access: LoopAccess, _ type: LoopType) -> CodeValue {
    let storage = module.storageType(type.dtype)
    let raw: CodeValue
    if type.lanes == 1 {
      let place = guarded(address(access.memory, index(access.offset)), access)
      raw = ir.load(storage, place, alignment: type.dtype.byteCount)
    } else if access.stride == 1 {
      raw = loadDense(access, type, storage)
    } else {
      raw = loadStrided(access, type, storage)
    }
    return module.fromStorage(raw, type)
  }

  /// The address of a scalar access, or a spare place that holds zero where its mask is false.
  private func guarded(_ address: CodeValue, _ access: LoopAccess) -> CodeValue {
    guard let mask = access.mask, let spare else { return address }
    return ir.select(value(mask), address, spare)
  }

  private func loadDense(
    _ access: LoopAccess, _ type: LoopType, _ storage: LLVMTypeRef
  ) -> CodeValue {
    let vector = ir.vector(storage, type.lanes)
    let place = address(access.memory, index(access.offset))
    guard let mask = mask(access, type.lanes) else {
      return ir.load(vector, place, alignment: type.dtype.byteCount)
    }
    return maskedLoad(vector, place, mask, alignment: type.dtype.byteCount)
  }

  private func loadStrided(
    _ access: LoopAccess, _ type: LoopType, _ storage: LLVMTypeRef
  ) -> CodeValue {
    var vector = ir.zero(ir.vector(storage, type.lanes))
    let first = address(access.memory, index(access.offset))
    for lane in 0..<min(access.active ?? type.lanes, type.lanes) {
      var place = ir.element(storage, first, ir.constant(lane * access.stride))
      if let mask = access.mask, let spare {
        place = ir.select(ir.extract(value(mask), lane), place, spare)
      }
      vector = ir.insert(vector, ir.load(storage, place, alignment: type.dtype.byteCount), lane)
    }
    return vector
  }

  /// The lanes that an access touches; nil when it is all of them.
  private func mask(_ access: LoopAccess, _ lanes: Int) -> CodeValue? {
    var mask: CodeValue?
    if let active = access.active, active < lanes {
      mask = ir.vectorConstant((0..<lanes).map { LLVMConstInt(ir.int1, $0 < active ? 1 : 0, 0) })
    }
    guard let dynamic = access.mask.map({ value($0) }) else { return mask }
    return mask.map { ir.and($0, dynamic) } ?? dynamic
  }

  private func maskedLoad(
    _ vector: LLVMTypeRef, _ place: CodeValue, _ mask: CodeValue, alignment: Int
  ) -> CodeValue {
    ir.maskedLoad(vector, place, mask, alignment: alignment)
  }

  /// The elements at offsets of their own.
  func gather(
    _ memory: Int, _ offset: LoopIndex, _ offsets: CodeValue, _ mask: CodeValue?, _ type: LoopType
  ) -> CodeValue {
    let storage = module.storageType(type.dtype)
    let base = address(memory, index(offset))
    var vector = ir.zero(ir.vector(storage, type.lanes))
    for lane in 0..<type.lanes {
      var place = ir.element(storage, base, ir.extractLane(offsets, lane, of: type.lanes))
      if let mask, let spare {
        place = ir.select(ir.extractLane(mask, lane, of: type.lanes), place, spare)
      }
      let element = ir.load(storage, place, alignment: type.dtype.byteCount)
      vector = type.lanes == 1 ? element : ir.insert(vector, element, lane)
    }
    return module.fromStorage(vector, type)
  }

  /// Stores the lanes of a register.
  func store(_ register: CodeValue, _ access: LoopAccess, _ type: LoopType) {
    let storage = module.storageType(type.dtype)
    let alignment = type.dtype.byteCount
    let raw = module.toStorage(register, type)
    let place = address(access.memory, index(access.offset))
    if type.lanes > 1, access.stride == 1 {
      if let mask = mask(access, type.lanes) {
        ir.maskedStore(raw, place, mask, alignment: alignment)
      } else {
        ir.store(raw, place, alignment: alignment)
      }
      return
    }
    for lane in 0..<min(access.active ?? type.lanes, type.lanes) {
      let element = ir.extractLane(raw, lane, of: type.lanes)
      let target = ir.element(storage, place, ir.constant(lane * access.stride))
      guard let mask = access.mask else {
        ir.store(element, target, alignment: alignment)
        continue
      }
      let (inside, after) = (ir.newBlock("store"), ir.newBlock("stored"))
      ir.branch(if: ir.extractLane(value(mask), lane, of: type.lanes), inside, else: after)
      ir.moveToEnd(of: inside)
      ir.store(element, target, alignment: alignment)
      ir.branch(to: after)
      ir.moveToEnd(of: after)
    }
  }
}

extension IRBuilder {
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
  func maskedStore(_ value: CodeValue, _ address: CodeValue, _ mask: CodeValue, alignment: Int) {
    var arguments = [value, address, mask]
    if maskedIntrinsicsTakeAlignment { arguments.insert(alignmentConstant(alignment), at: 2) }
    let call = intrinsic("llvm.masked.store", overloads: [type(of: value), pointer], arguments)
    if !maskedIntrinsicsTakeAlignment { align(call, argument: 2, alignment) }
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
