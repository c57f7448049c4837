import GraphIR

/// How the elements of an operand are drawn.
package enum OperandValues: Sendable, Hashable {
  /// Whatever the dtype can hold: special values, extremes, and ordinary numbers.
  case anything
  /// Special values of floats (NaN, infinities, zeros) and ordinary numbers, but nothing tiny or
  /// huge.
  case specials
  /// Numbers drawn uniformly between bounds; integers take the numbers between them.
  case between(Double, Double)
  /// Indices with one coordinate per bound, inside of `0 ..< bound` and outside.
  case indices([Int])
  /// The state of `random`.
  case state

  /// A literal of the given type.
  package func literal(_ type: TensorType, using generator: inout SplitMix64) -> Literal {
    switch self {
    case .anything where type.dtype.isInteger: return Self.anyInteger(type, using: &generator)
    case .state: return Self.anyInteger(type, using: &generator)
    case .anything, .specials, .between, .indices: break
    }
    let doubles = (0..<type.shape.elementCount).map { element(at: $0, type.dtype, &generator) }
    return Literal(type, doubles: doubles)
  }

  private func element(
    at position: Int, _ dtype: DType, _ generator: inout SplitMix64
  ) -> Double {
    if dtype == .bool { return Bool.random(using: &generator) ? 1 : 0 }
    switch self {
    case .anything:
      if Int.random(in: 0..<3, using: &generator) == 0 {
        return Self.special(dtype.extremes, using: &generator)
      }
      return Double.random(in: -10...10, using: &generator)
    case .specials:
      if dtype.isFloat, Int.random(in: 0..<3, using: &generator) == 0 {
        return Self.special([], using: &generator)
      }
      return Double.random(in: -10...10, using: &generator)
    case .between(let low, let high):
      return dtype.isFloat
        ? Double.random(in: low...high, using: &generator)
        : Double(Int.random(in: Int(low)...Int(high), using: &generator))
    case .indices(let bounds):
      let bound = bounds[position % max(bounds.count, 1)]
      let choice = Int.random(in: 0..<16, using: &generator)
      if choice == 0 { return -0x1p63 }
      if choice == 1 { return 0x1p62 }
      return Double(Int.random(in: -2...(bound + 1), using: &generator))
    case .state:
      return 0
    }
  }

  private static func special(_ more: [Double], using generator: inout SplitMix64) -> Double {
    let all = [.nan, .infinity, -.infinity, 0, -0.0, 1, -1, 0.5, -0.5, 2.5] + more
    return all[Int.random(in: all.indices, using: &generator)]
  }

  /// Bits drawn uniformly, small numbers, and the extremes.
  private static func anyInteger(
    _ type: TensorType, using generator: inout SplitMix64
  ) -> Literal {
    let size = type.dtype.byteCount
    let least = UInt64(1) << UInt64(type.dtype.bitCount - 1)
    var bytes: [UInt8] = []
    for _ in 0..<type.shape.elementCount {
      let bits: UInt64 =
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: [0, 1, .max, least, least &- 1][Int.random(in: 0..<5, using: &generator)]
        case 1, 2: generator.next()
        default:  // number
          UInt64(bitPattern: Int64.random(in: -9...9, using: &generator))
        }
      bytes += (0..<size).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
    }
    return Literal(type, bytes: bytes) ?? Literal(zeros: type)
  }
}

extension DType {
  /// The least positive and the greatest finite value of a float type, with both signs.
  var extremes: [Double] {
    let (least, greatest): (Double, Double) =
      switch self {
      case .f64: (.leastNonzeroMagnitude, .greatestFiniteMagnitude)
      case .f32:
        (Double(Float.leastNonzeroMagnitude), Double(Float.greatestFiniteMagnitude))
      case .f16:
        (Double(Float16.leastNonzeroMagnitude), Double(Float16.greatestFiniteMagnitude))
      case .bf16: (0x1p-133, 0x1.FEp127)
      case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: (0, 1)
      }
    return [least, -least, least * 3, greatest, -greatest]
  }
}
