import GraphIR

extension LoopsVerifier {
  /// Checks what an instruction asks of its operands' types.
  mutating func check(
    _ instruction: LoopInstruction, _ result: LoopType, _ register: RegisterID
  ) {
    let name = "%\(register.index)"
    switch instruction {
    case .constant:
      break
    case .index(let index):
      check(index)
      expect(result, LoopType(.i64), name)
    case .lanes(let index, _):
      check(index)
      expect(result, LoopType(.i64, lanes: result.lanes), name)
    case .load(let access):
      check(access, result)
    case .gather(let memory, let offset, let offsets, let mask):
      checkGather(memory, offset, offsets, mask, result, name)
    case .read(let variable):
      checkRead(variable, result, name)
    case .broadcast(let a):
      expect(type(a), LoopType(result.dtype), name)
    case .extract(let a, let lane):
      expect(result, LoopType(type(a).dtype), name)
      if !(0..<max(type(a).lanes, 1)).contains(lane) { report("\(name) extracts lane \(lane)") }
    case .shuffle(let a, let b, let lanes):
      expect(type(a), type(b), name)
      expect(result, LoopType(type(a).dtype, lanes: lanes.count), name)
      if let lane = lanes.first(where: { !(0..<2 * type(a).lanes).contains($0) }) {
        report("\(name) takes lane \(lane) of two vectors of \(type(a).lanes)")
      }
    case .reduceLanes(_, let a):
      expect(result, LoopType(type(a).dtype), name)
      let lanes = type(a).lanes
      if lanes < 1 || lanes & (lanes - 1) != 0 { report("\(name) reduces \(lanes) lanes") }
    case .unary(_, let a):
      expect(type(a), result, name)
    case .binary(_, let a, let b):
      expect(type(a), result, name)
      expect(type(b), result, name)
    case .multiplyAdd(let a, let b, let c):
      for operand in [a, b, c] { expect(type(operand), result, name) }
    case .compare(_, let a, let b):
      expect(type(a), type(b), name)
      expect(result, LoopType(.bool, lanes: type(a).lanes), name)
    case .select(let condition, let a, let b):
      expect(type(condition), LoopType(.bool, lanes: result.lanes), name)
      expect(type(a), result, name)
      expect(type(b), result, name)
    case .convert(let a):
      expect(type(a), LoopType(type(a).dtype, lanes: result.lanes), name)
    case .random(_, let index, let seed, let step):
      let indexType = type(index)
      if indexType.lanes != result.lanes || (indexType.dtype != .i64 && indexType.dtype != .u64) {
        report("\(name) has an index of type \(indexType)")
      }
      expect(type(seed), LoopType(.u64), name)
      expect(type(step), LoopType(.u64), name)
    }
  }

  private mutating func checkGather(
    _ memory: Int, _ offset: LoopIndex, _ offsets: RegisterID, _ mask: RegisterID?,
    _ result: LoopType, _ name: String
  ) {
    check(offset)
    expect(type(offsets), LoopType(.i64, lanes: result.lanes), name)
    if let mask { expect(type(mask), LoopType(.bool, lanes: result.lanes), name) }
    guard loops.memories.indices.contains(memory) else {
      return report("unknown memory \(memory)")
    }
    if loops.memories[memory].dtype != result.dtype {
      report("\(name) gathers \(loops.memories[memory].dtype) as \(result.dtype)")
    }
  }

  private mutating func expect(_ found: LoopType, _ wanted: LoopType, _ name: String) {
    if found != wanted { report("\(name) has an operand or result \(found) instead of \(wanted)") }
  }
}
