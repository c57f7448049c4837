import CLLVM
import GraphIR
import LoopIR

/// What computes registers.
extension PhaseEmitter {
  func emit(
    _ instruction: LoopInstruction, as type: LoopType
  ) throws(Diagnostic) -> CodeValue {
    switch instruction {
    case .constant(let bits): return module.constant(bits, type)
    case .index(let expression): return try index(expression)
    case .lanes(let expression, let stride):
      let offsets = (0..<type.lanes).map { ir.constant($0 * stride) }
      return ir.add(
        ir.broadcast(try index(expression), lanes: type.lanes), ir.vectorConstant(offsets))
    case .load(let access): return try load(access, type)
    case .gather(let memory, let offset, let offsets, let mask):
      let mask = try mask.map { (mask) throws(Diagnostic) in try value(mask) }
      return try gather(memory, offset, try value(offsets), mask, type)
    case .read(let variable):
      return ir.read(module.registerType(type), try place(of: variable))
    case .broadcast(let scalar): return ir.broadcast(try value(scalar), lanes: type.lanes)
    case .extract(let vector, let lane):
      return ir.extractLane(try value(vector), lane, of: self.type(vector).lanes)
    case .shuffle(let a, let b, let lanes):
      return ir.shuffle(try value(a), try value(b), lanes)
    case .reduceLanes(let function, let vector):
      return reduceLanes(function, try value(vector), self.type(vector))
    case .unary(let function, let x): return module.unary(function, try value(x), type)
    case .binary(let function, let x, let y):
      return module.binary(function, try value(x), try value(y), type)
    case .multiplyAdd(let a, let b, let c):
      return module.multiplyAdd(try value(a), try value(b), try value(c), type)
    case .compare(let function, let x, let y):
      return module.compare(function, try value(x), try value(y), self.type(x))
    case .select(let condition, let x, let y):
      return ir.select(try value(condition), try value(x), try value(y))
    case .convert(let x):
      return module.convert(try value(x), from: self.type(x), to: type)
    case .random(let stream, let index, let seed, let step):
      return module.random(
        stream: stream, index: try value(index), isBlocks: try isWholeBlocks(index, type),
        seed: try value(seed), step: try value(step), type)
    }
  }

  /// Whether the lanes of an index are neighbours, from the start of a block of random words to the end of one.
  private func isWholeBlocks(_ index: RegisterID, _ type: LoopType) throws(Diagnostic) -> Bool {
    let perBlock = type.dtype.bitCount == 64 ? 2 : 4
    guard case .lanes(let first, stride: 1) = try defined(index).instruction else { return false }
    let range = range(of: first)
    return type.lanes % perBlock == 0 && range.modulus % perBlock == 0
      && range.residue % perBlock == 0
  }

  /// Lane i with lane i + n/2, then halves again.
  private func reduceLanes(
    _ function: ReduceFunction, _ vector: CodeValue, _ type: LoopType
  ) -> CodeValue {
    var (vector, lanes) = (vector, type.lanes)
    while lanes > 1 {
      lanes /= 2
      let (low, high) = (ir.lanes(vector, 0..<lanes), ir.lanes(vector, lanes..<(2 * lanes)))
      vector = module.binary(
        function.combination, low, high, LoopType(type.dtype, lanes: lanes))
    }
    return vector
  }
}
