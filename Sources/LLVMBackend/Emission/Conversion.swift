import CLLVM
import GraphIR
import LoopIR

/// Conversions between dtypes, and between memory and registers.
extension ModuleEmitter {
  /// What was read from memory as a register.
  func fromStorage(_ raw: CodeValue, _ type: LoopType) -> CodeValue {
    switch type.dtype {
    case .bool: return ir.trunc(raw, registerType(type))
    case .f16: return ir.fpext(raw, registerType(type))
    case .bf16:
      let wide = ir.zext(raw, ir.vector(ir.integer(32), type.lanes))
      return ir.bitcast(ir.shl(wide, by: 16), registerType(type))
    case .f32, .f64, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64: return raw
    }
  }

  /// A register as it is written to memory.
  ///
  /// Floats of 16 bits hold values of their dtype: nothing is rounded.
  func toStorage(_ register: CodeValue, _ type: LoopType) -> CodeValue {
    let storage = ir.vector(storageType(type.dtype), type.lanes)
    switch type.dtype {
    case .bool: return ir.zext(register, storage)
    case .f16: return ir.fptrunc(register, storage)
    case .bf16:
      let bits = ir.bitcast(register, ir.vector(ir.integer(32), type.lanes))
      return ir.trunc(ir.lshr(bits, by: 16), storage)
    case .f32, .f64, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64: return register
    }
  }

  /// An f32 or f64 result as a value of the dtype: rounded to nearest even where the dtype has 16 bits.
  func rounded(_ x: CodeValue, _ type: LoopType) -> CodeValue {
    switch type.dtype {
    case .f16:
      let half = ir.fptrunc(x, ir.vector(storageType(.f16), type.lanes))
      return ir.fpext(half, registerType(type))
    case .bf16: return roundToBFloat16(x, type)
    case .f32, .f64, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: return x
    }
  }

  /// Adds half of the last kept bit (and the kept bit, for ties to even) and cuts; NaN is kept quiet.
  private func roundToBFloat16(_ x: CodeValue, _ type: LoopType) -> CodeValue {
    let integers = ir.vector(ir.integer(32), type.lanes)
    let bits = ir.bitcast(x, integers)
    let last = ir.and(ir.lshr(bits, by: 16), ir.splat(UInt64(1), integers))
    let sum = ir.add(ir.add(bits, ir.splat(UInt64(0x7FFF), integers)), last)
    let quiet = ir.or(bits, ir.splat(UInt64(0x0040_0000), integers))
    let chosen = ir.select(ir.compare(LLVMRealUNO, x, x), quiet, sum)
    return ir.bitcast(ir.and(chosen, ir.splat(UInt64(0xFFFF_0000), integers)), ir.type(of: x))
  }

  /// An f64 as an f32 whose last bit tells of anything cut off, so that rounding it again is right (Boldo and
  /// Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
  private func roundToOdd(_ x: CodeValue, lanes: Int) -> CodeValue {
    let single = ir.fptrunc(x, ir.vector(storageType(.f32), lanes))
    let back = ir.fpext(single, ir.type(of: x))
    let integers = ir.vector(ir.integer(32), lanes)
    let bits = ir.bitcast(single, integers)
    let one = ir.splat(UInt64(1), integers)
    let isEven = ir.compare(LLVMIntEQ, ir.and(bits, one), ir.zero(integers))
    let isInexact = ir.compare(LLVMRealONE, x, back)
    let infinite = ir.compare(
      LLVMRealOEQ, ir.intrinsic("llvm.fabs", [single]),
      ir.splat(Double.infinity, ir.type(of: single)))
    let size = ir.intrinsic("llvm.fabs", [x])
    let isAway = ir.compare(LLVMRealOLT, size, ir.intrinsic("llvm.fabs", [back]))
    // An even neighbour further from zero steps back; one nearer to zero takes the odd one above.
    let odd = ir.select(isAway, ir.sub(bits, one), ir.or(bits, one))
    let changes = ir.and(ir.and(isEven, isInexact), ir.not(infinite))
    return ir.bitcast(ir.select(changes, odd, bits), ir.type(of: single))
  }

  /// x as another dtype, as `Convert` says.
  func convert(_ x: CodeValue, from: LoopType, to: LoopType) -> CodeValue {
    if from.dtype == to.dtype { return x }
    let target = registerType(to)
    switch (from.dtype.category, to.dtype.category) {
    case (.float, .float): return convertFloat(x, from, to, target)
    case (.float, .signed), (.float, .unsigned):
      let name = to.dtype.category == .signed ? "llvm.fptosi.sat" : "llvm.fptoui.sat"
      return saturate(x, name, from, to, target)
    case (.float, .bool): return ir.compare(LLVMRealUNE, x, 0)
    case (.signed, .float), (.unsigned, .float), (.bool, .float):
      return convertInteger(x, from, to, target)
    case (.bool, .signed), (.bool, .unsigned): return ir.zext(x, target)
    case (.signed, .bool), (.unsigned, .bool):
      return ir.compare(LLVMIntNE, x, ir.zero(ir.type(of: x)))
    case (.signed, .signed), (.signed, .unsigned), (.unsigned, .signed), (.unsigned, .unsigned):
      if from.dtype.bitCount == to.dtype.bitCount { return x }
      if from.dtype.bitCount > to.dtype.bitCount { return ir.trunc(x, target) }
      return from.dtype.category == .signed ? ir.sext(x, target) : ir.zext(x, target)
    case (.bool, .bool): return x
    }
  }

  private func convertFloat(
    _ x: CodeValue, _ from: LoopType, _ to: LoopType, _ target: LLVMTypeRef
  ) -> CodeValue {
    if to.dtype == .f64 { return ir.fpext(x, target) }
    if from.dtype != .f64 { return rounded(x, to) }
    if to.dtype == .f32 { return ir.fptrunc(x, target) }
    return rounded(roundToOdd(x, lanes: to.lanes), to)
  }

  /// Saturates through a width that the processor knows, then cuts.
  private func saturate(
    _ x: CodeValue, _ name: String, _ from: LoopType, _ to: LoopType, _ target: LLVMTypeRef
  ) -> CodeValue {
    ir.intrinsic(name, overloads: [target, ir.type(of: x)], [x])
  }

  private func convertInteger(
    _ x: CodeValue, _ from: LoopType, _ to: LoopType, _ target: LLVMTypeRef
  ) -> CodeValue {
    let isSigned = from.dtype.category == .signed
    func number(_ type: LLVMTypeRef) -> CodeValue {
      isSigned ? LLVMBuildSIToFP(ir.builder, x, type, "") : LLVMBuildUIToFP(ir.builder, x, type, "")
    }
    switch to.dtype {
    case .f16, .bf16:
      // f64 holds integers up to 32 bits exactly; wider ones first lose bits that f16 and bf16 cannot see,
      // but for ties, which rounding to odd keeps apart.
      guard from.dtype.bitCount == 64 else {
        let wide = number(ir.vector(storageType(.f64), to.lanes))
        return rounded(roundToOdd(wide, lanes: to.lanes), to)
      }
      return rounded(wideIntegerToOdd(x, isSigned: isSigned, lanes: to.lanes), to)
    case .f32, .f64: return number(target)
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: return x
    }
  }

  /// A 64-bit integer as an f32 rounded to odd: its low bits are gathered in one before it is converted.
  private func wideIntegerToOdd(_ x: CodeValue, isSigned: Bool, lanes: Int) -> CodeValue {
    let type = ir.type(of: x)
    let zero = ir.zero(type)
    let isNegative = isSigned ? ir.compare(LLVMIntSLT, x, zero) : nil
    let size = isNegative.map { ir.select($0, ir.sub(zero, x), x) } ?? x
    // Beyond 2^40 the lowest 16 bits only say whether anything is left.
    let low = ir.and(size, ir.splat(UInt64(0xFFFF), type))
    let sticky = ir.zext(ir.compare(LLVMIntNE, low, zero), type)
    let cut = ir.or(ir.and(size, ir.splat(~UInt64(0xFFFF), type)), ir.shl(sticky, by: 16))
    let isLarge = ir.compare(LLVMIntUGE, size, ir.splat(UInt64(1) << 40, type))
    let kept = ir.select(isLarge, cut, size)
    // Halves of at most 32 bits convert exactly to f64; their sum is exact or its last bit is sticky.
    let wide = ir.vector(storageType(.f64), lanes)
    let high = LLVMBuildUIToFP(ir.builder, ir.lshr(kept, by: 32), wide, "")!
    let rest = LLVMBuildUIToFP(
      ir.builder, ir.and(kept, ir.splat(UInt64(0xFFFF_FFFF), type)), wide, "")!
    let sum = ir.fma(high, ir.splat(0x1p32, wide), rest)
    let single = roundToOdd(sum, lanes: lanes)
    return isNegative.map { ir.select($0, ir.fneg(single), single) } ?? single
  }
}
