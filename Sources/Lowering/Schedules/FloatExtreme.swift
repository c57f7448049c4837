import GraphIR
import LoopIR

/// The largest or smallest of many floats, for one point of a fold.
///
/// That NaN wins and that -0 is less than +0 makes an exact `maximum` five instructions, each of which waits for the one
/// before. A fold needs both only at its end: a NaN is kept where one comes by, and of zeros it is enough to know
/// whether all had the same sign. What is left is the processor's own comparison.
struct FloatExtreme {
  let body: BodyEmitter
  let function: ReduceFunction
  let type: LoopType
  /// The conjunction (of a maximum) or disjunction of the signs so far, in the sign bits.
  private let signs: VariableID

  /// From so many values for each accumulator on, its end is worth it.
  static let fewestSteps = 16

  private var builder: LoopsBuilder { body.builder }
  private var isMaximum: Bool { function == .max }

  /// Begins a fold of a float type.
  init(_ body: BodyEmitter, _ function: ReduceFunction, _ type: LoopType) {
    self.body = body
    self.function = function
    self.type = type
    signs = body.builder.makeVariable(type)
    body.builder.assign(signs, body.builder.define(.constant(function.identity(type.dtype)), type))
  }

  /// The better of what is best so far and one more value; a zero's sign may be wrong until the end.
  func step(_ best: RegisterID, _ value: RegisterID) -> RegisterID {
    let value = body.widen(value, to: type.lanes)
    builder.assign(signs, body.binary(isMaximum ? .and : .or, builder.read(signs), value))
    let mask = LoopType(.bool, lanes: type.lanes)
    let isNaN = builder.define(.compare(.notEqual, value, value), mask)
    // A NaN is never left: nothing compares with it.
    return builder.define(.select(isNaN, constant(type.dtype.nan), better(value, best)), type)
  }

  /// The best of all accumulators.
  func result(_ values: [RegisterID]) -> RegisterID {
    let mask = LoopType(.bool, lanes: type.lanes)
    var best = values[0]
    for value in values.dropFirst() {
      let isNaN = builder.define(.compare(.notEqual, value, value), mask)
      best = builder.define(.select(isNaN, value, better(value, best)), type)
    }
    let isZero = builder.define(.compare(.equal, best, constant(0)), mask)
    let zero = body.binary(.and, builder.read(signs), constant(type.dtype.signBit))
    return builder.define(.select(isZero, zero, best), type)
  }

  /// The value where it is better than the best so far, which NaN is not; else the best.
  private func better(_ value: RegisterID, _ best: RegisterID) -> RegisterID {
    let mask = LoopType(.bool, lanes: type.lanes)
    let isBetter = builder.define(
      .compare(isMaximum ? .greater : .less, value, best), mask)
    return builder.define(.select(isBetter, value, best), type)
  }

  private func constant(_ bits: UInt64) -> RegisterID { builder.define(.constant(bits), type) }
}

extension NestPlan {
  /// Folds extremes of floats so where there are enough steps to be worth the end, and registers for it.
  mutating func endExtremesExactly(_ kernel: Kernel, _ target: Target) {
    let points = loops.reduce(1) { $0 * $1.tile }
    for (place, stage) in kernel.stages.enumerated() {
      guard case .fold(let function, let over) = stage.kind, function == .max || function == .min,
        stage.foldedType == .f32 || stage.foldedType == .f64
      else { continue }
      let own = stages[place]
      let isAlong = own.vector.map { over.contains($0) } ?? false
      let lanes = isAlong || vector == nil ? own.lanes : self.lanes
      let slots = vector == nil ? points : points / lanes
      let wide = ceilingQuotient(lanes * stage.foldedType.byteCount, target.vectorBytes)
      let steps = kernel.points(over) / own.accumulators / (isAlong ? lanes : 1)
      stages[place].endsExactly =
        steps >= FloatExtreme.fewestSteps
        && slots * (own.accumulators + 1) * wide <= target.vectorRegisters
    }
  }
}

extension DType {
  fileprivate var signBit: UInt64 { 1 << UInt64(bitCount - 1) }

  /// The bits of a quiet NaN of a wide float.
  fileprivate var nan: UInt64 {
    self == .f64 ? Double.nan.bitPattern : UInt64(Float.nan.bitPattern)
  }
}
