import CLLVM
import GraphIR
import LoopIR

/// The elementwise functions: one case each in an exhaustive switch. Floats of 16 bits are computed as f32 and
/// rounded; transcendental functions are in `VectorMath`.
extension ModuleEmitter {
  /// A constant's bits in every lane.
  func constant(_ bits: UInt64, _ type: LoopType) -> CodeValue {
    switch type.dtype {
    case .f32:
      ir.bitcast(
        ir.splat(bits & 0xFFFF_FFFF, ir.vector(ir.integer(32), type.lanes)), registerType(type))
    case .f64:
      ir.bitcast(ir.splat(bits, ir.vector(ir.int64, type.lanes)), registerType(type))
    case .f16, .bf16:
      fromStorage(
        type.dtype == .f16
          ? ir.bitcast(
            ir.splat(bits & 0xFFFF, ir.vector(ir.integer(16), type.lanes)),
            ir.vector(storageType(.f16), type.lanes))
          : ir.splat(bits & 0xFFFF, ir.vector(ir.integer(16), type.lanes)), type)
    case .bool: ir.splat(bits & 1, registerType(type))
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64:
      ir.splat(bits & (.max >> UInt64(64 - type.dtype.bitCount)), registerType(type))
    }
  }

  func unary(_ function: UnaryFunction, _ x: CodeValue, _ type: LoopType) -> CodeValue {
    let isFloat = type.dtype.isFloat
    switch function {
    case .negate: return isFloat ? ir.fneg(x) : ir.sub(ir.zero(ir.type(of: x)), x)
    case .abs: return isFloat ? ir.intrinsic("llvm.fabs", [x]) : integerAbs(x, type)
    case .sign: return isFloat ? floatSign(x) : integerSign(x, type)
    case .exp: return rounded(math.exp(x), type)
    case .expm1: return rounded(math.expm1(x), type)
    case .log: return rounded(math.log(x), type)
    case .softplus: return rounded(math.softplus(x), type)
    case .log1p: return rounded(math.log1p(x), type)
    case .sqrt: return rounded(ir.intrinsic("llvm.sqrt", [x]), type)
    case .rsqrt: return rounded(math.reciprocalSquareRoot(x), type)
    case .sin: return rounded(math.sine(x, quarterTurns: 0), type)
    case .cos: return rounded(math.sine(x, quarterTurns: 1), type)
    case .tanh: return rounded(math.tanh(x), type)
    case .sigmoid: return rounded(math.sigmoid(x), type)
    case .erf: return rounded(math.erf(x), type)
    case .floor: return ir.intrinsic("llvm.floor", [x])
    case .ceil: return ir.intrinsic("llvm.ceil", [x])
    case .round: return ir.intrinsic("llvm.roundeven", [x])
    case .not: return ir.not(x)
    }
  }

  func binary(
    _ function: BinaryFunction, _ x: CodeValue, _ y: CodeValue, _ type: LoopType
  ) -> CodeValue {
    let isFloat = type.dtype.isFloat
    switch function {
    case .add: return isFloat ? rounded(ir.fadd(x, y), type) : ir.add(x, y)
    case .subtract: return isFloat ? rounded(ir.fsub(x, y), type) : ir.sub(x, y)
    case .multiply: return isFloat ? rounded(ir.fmul(x, y), type) : ir.mul(x, y)
    case .divide: return isFloat ? rounded(ir.fdiv(x, y), type) : integerDivide(x, y, type)
    case .remainder:
      return isFloat ? rounded(math.remainder(x, y), type) : integerRemainder(x, y, type)
    case .power: return isFloat ? rounded(math.power(x, y), type) : integerPower(x, y, type)
    case .maximum, .minimum:
      return extreme(x, y, type, isMaximum: function == .maximum)
    case .and: return ofBits(ir.and, x, y, type)
    case .or: return ofBits(ir.or, x, y, type)
    case .xor: return ofBits(ir.xor, x, y, type)
    case .shiftLeft, .shiftRightArithmetic, .shiftRightLogical:
      return shift(function, x, y, type)
    }
  }

  /// A function of bits; floats are taken as theirs.
  private func ofBits(
    _ function: (CodeValue, CodeValue) -> CodeValue, _ x: CodeValue, _ y: CodeValue,
    _ type: LoopType
  ) -> CodeValue {
    guard type.dtype == .f32 || type.dtype == .f64 else { return function(x, y) }
    return ir.bitcast(function(math.bits(x), math.bits(y)), ir.type(of: x))
  }

  func compare(
    _ function: CompareFunction, _ x: CodeValue, _ y: CodeValue, _ type: LoopType
  ) -> CodeValue {
    if type.dtype.isFloat {
      let predicate =
        switch function {
        case .equal: LLVMRealOEQ
        case .notEqual: LLVMRealUNE
        case .less: LLVMRealOLT
        case .lessEqual: LLVMRealOLE
        case .greater: LLVMRealOGT
        case .greaterEqual: LLVMRealOGE
        }
      return ir.compare(predicate, x, y)
    }
    let isSigned = type.dtype.category == .signed
    let predicate =
      switch function {
      case .equal: LLVMIntEQ
      case .notEqual: LLVMIntNE
      case .less: isSigned ? LLVMIntSLT : LLVMIntULT
      case .lessEqual: isSigned ? LLVMIntSLE : LLVMIntULE
      case .greater: isSigned ? LLVMIntSGT : LLVMIntUGT
      case .greaterEqual: isSigned ? LLVMIntSGE : LLVMIntUGE
      }
    return ir.compare(predicate, x, y)
  }

  /// a b + c with one rounding.
  func multiplyAdd(
    _ a: CodeValue, _ b: CodeValue, _ c: CodeValue, _ type: LoopType
  ) -> CodeValue {
    let addend = options.fault == .llvmDropsAddend ? ir.zero(ir.type(of: c)) : c
    switch type.dtype {
    case .f32, .f64: return ir.fma(a, b, addend)
    case .f16, .bf16: return shortMultiplyAdd(a, b, addend, type)
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64: return ir.add(ir.mul(a, b), addend)
    case .bool: return ir.or(ir.and(a, b), addend)
    }
  }

  /// The product is exact in f64; the sum is rounded to odd there, so that rounding it again is right.
  private func shortMultiplyAdd(
    _ a: CodeValue, _ b: CodeValue, _ c: CodeValue, _ type: LoopType
  ) -> CodeValue {
    let wide = ir.vector(storageType(.f64), type.lanes)
    let product = ir.fmul(ir.fpext(a, wide), ir.fpext(b, wide))
    let (sum, error) = math.exactSum(product, ir.fpext(c, wide))
    let integers = ir.vector(ir.int64, type.lanes)
    let (bits, one) = (ir.bitcast(sum, integers), ir.splat(UInt64(1), integers))
    let isEven = ir.compare(LLVMIntEQ, ir.and(bits, one), ir.zero(integers))
    // Where the sum is infinite or NaN, the error is NaN.
    let isInexact = ir.compare(LLVMRealONE, error, 0)
    let isBelow = ir.compare(
      LLVMIntSGE, ir.xor(bits, ir.bitcast(error, integers)), ir.zero(integers))
    let odd = ir.select(isBelow, ir.add(bits, one), ir.sub(bits, one))
    let chosen = ir.select(ir.and(isEven, isInexact), odd, bits)
    return convert(
      ir.bitcast(chosen, wide), from: LoopType(.f64, lanes: type.lanes), to: type)
  }

  // MARK: Floats

  private func floatSign(_ x: CodeValue) -> CodeValue {
    let one = ir.intrinsic("llvm.copysign", [ir.splat(1.0, ir.type(of: x)), x])
    // Zeros and NaN are not ordered with, or are equal to, zero: they are kept.
    return ir.select(ir.compare(LLVMRealONE, x, 0), one, x)
  }

  /// The larger or smaller; NaN when either is NaN; -0 is smaller than +0.
  private func extreme(
    _ x: CodeValue, _ y: CodeValue, _ type: LoopType, isMaximum: Bool
  ) -> CodeValue {
    guard type.dtype.isFloat else {
      if type.dtype == .bool { return isMaximum ? ir.or(x, y) : ir.and(x, y) }
      let prefix = type.dtype.category == .signed ? "llvm.s" : "llvm.u"
      return ir.intrinsic(prefix + (isMaximum ? "max" : "min"), [x, y])
    }
    if type.lanes > 1, type.dtype == .f32 || type.dtype == .f64, Host.current.hasOneSidedExtremes,
      LLVMIsConstant(x) == 0, LLVMIsConstant(y) == 0
    {
      return extremeOfBothOrders(x, y, type, isMaximum: isMaximum)
    }
    return ir.intrinsic(isMaximum ? "llvm.maximum" : "llvm.minimum", [x, y])
  }

  /// The same from instructions that give the second operand where neither is the larger one.
  ///
  /// Asked in both orders, they differ in the sign of zeros alone, and where an operand is NaN. LLVM would put the
  /// operands in order first, with instructions that fewer units have than those of bits.
  private func extremeOfBothOrders(
    _ x: CodeValue, _ y: CodeValue, _ type: LoopType, isMaximum: Bool
  ) -> CodeValue {
    let integers = ir.vector(ir.integer(type.dtype.bitCount), type.lanes)
    let predicate = isMaximum ? LLVMRealOGT : LLVMRealOLT
    let both = [(x, y), (y, x)].map { first, second in
      ir.bitcast(ir.select(ir.compare(predicate, first, second), first, second), integers)
    }
    // The sign of -0 is set.
    let bits = isMaximum ? ir.and(both[0], both[1]) : ir.or(both[0], both[1])
    let isNaN = ir.sext(ir.compare(LLVMRealUNO, x, y), integers)
    return ir.bitcast(ir.or(bits, isNaN), ir.type(of: x))
  }

  // MARK: Integers

  private func integerAbs(_ x: CodeValue, _ type: LoopType) -> CodeValue {
    if type.dtype.category == .unsigned { return x }
    return ir.intrinsic(
      "llvm.abs", overloads: [ir.type(of: x)], [x, LLVMConstInt(ir.int1, 0, 0)])
  }

  private func integerSign(_ x: CodeValue, _ type: LoopType) -> CodeValue {
    let kind = ir.type(of: x)
    let (zero, one) = (ir.zero(kind), ir.splat(UInt64(1), kind))
    let isZero = ir.compare(LLVMIntEQ, x, zero)
    if type.dtype.category == .unsigned { return ir.select(isZero, zero, one) }
    let isNegative = ir.compare(LLVMIntSLT, x, zero)
    return ir.select(isZero, zero, ir.select(isNegative, ir.not(zero), one))
  }

  /// x / 0 = -1 and MIN / -1 = MIN: the divisor is replaced where the processor would trap.
  private func integerDivide(_ x: CodeValue, _ y: CodeValue, _ type: LoopType) -> CodeValue {
    let kind = ir.type(of: x)
    let isZero = ir.compare(LLVMIntEQ, y, ir.zero(kind))
    let one = ir.splat(UInt64(1), kind)
    if type.dtype.category == .unsigned {
      let quotient = LLVMBuildUDiv(ir.builder, x, ir.select(isZero, one, y), "")!
      return ir.select(isZero, ir.not(ir.zero(kind)), quotient)
    }
    let minusOne = ir.not(ir.zero(kind))
    let isMinusOne = ir.compare(LLVMIntEQ, y, minusOne)
    let safe = ir.select(ir.or(isZero, isMinusOne), one, y)
    let quotient = LLVMBuildSDiv(ir.builder, x, safe, "")!
    let negated = ir.select(isMinusOne, ir.sub(ir.zero(kind), x), quotient)
    return ir.select(isZero, minusOne, negated)
  }

  /// x % 0 = x.
  private func integerRemainder(_ x: CodeValue, _ y: CodeValue, _ type: LoopType) -> CodeValue {
    let kind = ir.type(of: x)
    let isZero = ir.compare(LLVMIntEQ, y, ir.zero(kind))
    let one = ir.splat(UInt64(1), kind)
    if type.dtype.category == .unsigned {
      let rest = LLVMBuildURem(ir.builder, x, ir.select(isZero, one, y), "")!
      return ir.select(isZero, x, rest)
    }
    let isMinusOne = ir.compare(LLVMIntEQ, y, ir.not(ir.zero(kind)))
    let safe = ir.select(ir.or(isZero, isMinusOne), one, y)
    return ir.select(isZero, x, LLVMBuildSRem(ir.builder, x, safe, "")!)
  }

  /// The power by repeated squaring, a turn for each bit of the exponent; wraps.
  private func integerPower(_ x: CodeValue, _ y: CodeValue, _ type: LoopType) -> CodeValue {
    let kind = ir.type(of: x)
    let (zero, one) = (ir.zero(kind), ir.splat(UInt64(1), kind))
    var (result, square) = (one, x)
    for bit in 0..<type.dtype.bitCount {
      let isSet = ir.compare(LLVMIntNE, ir.and(y, ir.splat(UInt64(1) << UInt64(bit), kind)), zero)
      result = ir.select(isSet, ir.mul(result, square), result)
      square = ir.mul(square, square)
    }
    guard type.dtype.category == .signed else { return result }
    // 1 / x^|y| truncates to 0 but for x = 1 and x = -1.
    let minusOne = ir.not(zero)
    let isOdd = ir.compare(LLVMIntNE, ir.and(y, one), zero)
    let ofMinusOne = ir.select(isOdd, minusOne, one)
    let isUnit = ir.compare(LLVMIntEQ, x, one)
    let inverse = ir.select(
      isUnit, one, ir.select(ir.compare(LLVMIntEQ, x, minusOne), ofMinusOne, zero))
    return ir.select(ir.compare(LLVMIntSLT, y, zero), inverse, result)
  }

  private func shift(
    _ function: BinaryFunction, _ x: CodeValue, _ y: CodeValue, _ type: LoopType
  ) -> CodeValue {
    let kind = ir.type(of: x)
    let width = ir.splat(UInt64(type.dtype.bitCount), kind)
    let isLarge = ir.compare(LLVMIntUGE, y, width)
    let last = ir.splat(UInt64(type.dtype.bitCount - 1), kind)
    let safe = ir.select(isLarge, last, y)
    if function == .shiftRightArithmetic { return ir.ashr(x, safe) }
    let shifted = function == .shiftLeft ? ir.shl(x, safe) : ir.lshr(x, safe)
    return ir.select(isLarge, ir.zero(kind), shifted)
  }
}
