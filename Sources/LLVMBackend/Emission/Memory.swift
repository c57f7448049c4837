import CLLVM
import GraphIR
import LoopIR

/// Loads and stores.
extension PhaseEmitter {
  /// Where the first element of an access lies.
  struct Place {
    var address: CodeValue
    /// The type of an element in memory.
    var storage: LLVMTypeRef
    /// The bytes of an element in memory.
    var elementBytes: Int
  }

  private func place(_ memory: Int, _ offset: LoopIndex) throws(Diagnostic) -> Place {
    guard memories.indices.contains(memory) else { throw malformed("there is no memory \(memory)") }
    let dtype = loops.memories[memory].dtype
    let storage = module.storageType(dtype)
    let (parts, constant) = try parts(of: offset)
    var address = memories[memory]
    for (place, part) in parts.enumerated() {
      // LLVM would give each of the many elements that the copies of a body read an address of its own, which changes
      // with every loop around: more than there are registers for. What it cannot look through it takes as one.
      if place > 0, place == parts.count - 1, part.depth == depth, isUnrolled {
        address = ir.intrinsic("llvm.strip.invariant.group", [address])
      }
      address = ir.element(storage, address, part.value)
    }
    if constant != 0 { address = ir.element(storage, address, ir.constant(constant)) }
    return Place(
      address: address, storage: storage, elementBytes: dtype.byteCount)
  }

  /// Asks the second-level cache for the line of an element, which need not be inside of the memory.
  func prefetch(_ memory: Int, _ offset: LoopIndex) throws(Diagnostic) {
    let (read, medium, data) = (0, 2, 1)
    let options = [read, medium, data].map {
      LLVMConstInt(LLVMInt32TypeInContext(ir.context), UInt64($0), 0)!
    }
    let place = try self.place(memory, offset).address
    _ = ir.intrinsic("llvm.prefetch", [place] + options)
  }

  // MARK: Loads

  /// The elements of an access, as a register of the memory's dtype.
  func load(_ access: LoopAccess, _ type: LoopType) throws(Diagnostic) -> CodeValue {
    let place = try place(access.memory, access.offset)
    let mask = try access.mask.map { (mask) throws(Diagnostic) in try value(mask) }
    let active = min(access.active ?? type.lanes, type.lanes)
    let raw: CodeValue
    if type.lanes == 1 {
      // Instead of an element that must not be touched, one that holds zero.
      let address = try mask.map { (mask) throws(Diagnostic) in
        ir.select(mask, place.address, try spare())
      }
      raw = ir.load(place.storage, address ?? place.address, alignment: place.elementBytes)
    } else if access.stride == 1 {
      raw = loadDense(place, type, active: active, mask: mask)
    } else if mask == nil, active == type.lanes, access.stride <= 4 {
      raw = loadNear(place, type.lanes, stride: access.stride)
    } else {
      raw = try loadApart(place, type.lanes, stride: access.stride, active: active, mask: mask)
    }
    return module.fromStorage(raw, type)
  }

  private func loadDense(
    _ place: Place, _ type: LoopType, active: Int, mask: CodeValue?
  ) -> CodeValue {
    let vector = ir.vector(place.storage, type.lanes)
    let prefix = active < type.lanes ? ir.prefixMask(active, of: type.lanes) : nil
    if mask != nil || Host.current.masksLoads(ofBytes: place.elementBytes),
      let all = ir.and(prefix, mask)
    {
      return ir.maskedLoad(vector, place.address, all, alignment: place.elementBytes)
    }
    guard prefix != nil else {
      return ir.load(vector, place.address, alignment: place.elementBytes)
    }
    // A short vector, which LLVM loads in pieces of whole registers' parts.
    let part = ir.load(
      ir.vector(place.storage, active), place.address, alignment: place.elementBytes)
    if active == 1 { return ir.insert(ir.zero(vector), part, 0) }
    let zeros = ir.zero(ir.vector(place.storage, active))
    return ir.shuffle(part, zeros, (0..<type.lanes).map { min($0, active) })
  }

  /// Elements a few apart: whole vectors that cover them, and no element beyond the last, are shuffled together.
  private func loadNear(_ place: Place, _ lanes: Int, stride: Int) -> CodeValue {
    let span = (lanes - 1) * stride + 1
    var result: CodeValue?
    for piece in 0..<stride {
      let start = min(piece * lanes, span - lanes)
      let address =
        start == 0
        ? place.address : ir.element(place.storage, place.address, ir.constant(start))
      let vector = ir.load(
        ir.vector(place.storage, lanes), address, alignment: place.elementBytes)
      guard let earlier = result else {
        result = ir.shuffle(vector, vector, (0..<lanes).map { min($0 * stride, lanes - 1) })
        continue
      }
      result = ir.shuffle(
        earlier, vector,
        (0..<lanes).map { lane in
          let element = lane * stride
          let isHere = min(element / lanes, stride - 1) == piece
          return isHere ? lanes + element - start : lane
        })
    }
    return result ?? ir.zero(ir.vector(place.storage, lanes))
  }

  private func loadApart(
    _ place: Place, _ lanes: Int, stride: Int, active: Int, mask: CodeValue?
  ) throws(Diagnostic) -> CodeValue {
    var vector = ir.zero(ir.vector(place.storage, lanes))
    for lane in 0..<active {
      var address = ir.element(place.storage, place.address, ir.constant(lane * stride))
      if let mask { address = ir.select(ir.extract(mask, lane), address, try spare()) }
      vector = ir.insert(
        vector, ir.load(place.storage, address, alignment: place.elementBytes), lane)
    }
    return vector
  }

  /// The elements at offsets of their own.
  func gather(
    _ memory: Int, _ offset: LoopIndex, _ offsets: CodeValue, _ mask: CodeValue?, _ type: LoopType
  ) throws(Diagnostic) -> CodeValue {
    let place = try place(memory, offset)
    var vector = ir.zero(ir.vector(place.storage, type.lanes))
    for lane in 0..<type.lanes {
      var address = ir.element(
        place.storage, place.address, ir.extractLane(offsets, lane, of: type.lanes))
      if let mask {
        address = ir.select(ir.extractLane(mask, lane, of: type.lanes), address, try spare())
      }
      let element = ir.load(place.storage, address, alignment: place.elementBytes)
      vector = type.lanes == 1 ? element : ir.insert(vector, element, lane)
    }
    return module.fromStorage(vector, type)
  }

  // MARK: Stores

  /// Stores the lanes of a register.
  func store(
    _ register: CodeValue, _ access: LoopAccess, _ type: LoopType
  ) throws(Diagnostic) {
    let place = try place(access.memory, access.offset)
    let raw = module.toStorage(register, type)
    let mask = try access.mask.map { (mask) throws(Diagnostic) in try value(mask) }
    let active = min(access.active ?? type.lanes, type.lanes)
    if type.lanes > 1, access.stride == 1 {
      if access.isStreamed, active == type.lanes, mask == nil, isAligned(access, type) {
        ir.stream(raw, place.address, alignment: type.lanes * place.elementBytes)
        streams = true
      } else {
        storeDense(raw, place, lanes: type.lanes, active: active, mask: mask)
      }
      return
    }
    for lane in 0..<active {
      let element = ir.extractLane(raw, lane, of: type.lanes)
      let target = ir.element(place.storage, place.address, ir.constant(lane * access.stride))
      guard let mask else {
        ir.store(element, target, alignment: place.elementBytes)
        continue
      }
      let (inside, after) = (ir.newBlock("store"), ir.newBlock("stored"))
      ir.branch(if: ir.extractLane(mask, lane, of: type.lanes), inside, else: after)
      ir.moveToEnd(of: inside)
      ir.store(element, target, alignment: place.elementBytes)
      ir.branch(to: after)
      ir.moveToEnd(of: after)
    }
  }

  /// Whether a vector lies at a multiple of its size: memories do, and the first element may.
  private func isAligned(_ access: LoopAccess, _ type: LoopType) -> Bool {
    let bytes = type.lanes * type.dtype.byteCount
    let first = range(of: access.offset)
    return bytes >= 16 && bytes <= 64 && bytes & (bytes - 1) == 0
      && first.residue % type.lanes == 0 && first.modulus % type.lanes == 0
  }

  private func storeDense(
    _ raw: CodeValue, _ place: Place, lanes: Int, active: Int, mask: CodeValue?
  ) {
    let prefix = active < lanes ? ir.prefixMask(active, of: lanes) : nil
    if mask != nil || Host.current.hasMasks, let all = ir.and(prefix, mask) {
      ir.maskedStore(raw, place.address, all, alignment: place.elementBytes)
    } else {
      // A short vector, which LLVM stores in pieces: masked stores are slow where AVX-512 is missing.
      let part = active < lanes ? ir.lanes(raw, 0..<active) : raw
      ir.store(part, place.address, alignment: place.elementBytes)
    }
  }
}
