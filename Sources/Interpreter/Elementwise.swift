import GraphIR

extension Evaluator {
  package mutating func visit(_ op: Unary) throws(Diagnostic) -> [CarriedTensor] {
    let dtype = operands[0].type.dtype
    let result: CarriedTensor.Storage? =
      switch operands[0].storage {
      case .floats(let x): op.function.applied(to: x).map { .floats($0) }
      case .signed(let x): op.function.applied(to: x).map { .signed($0) }
      case .unsigned(let x): op.function.applied(to: x).map { .unsigned($0) }
      case .bools(let x): op.function == .not ? .bools(x.map { !$0 }) : nil
      }
    guard let result else { throw notDefined("\(op.function.rawValue) of \(dtype)") }
    return store(result)
  }

  package mutating func visit(_ op: Binary) throws(Diagnostic) -> [CarriedTensor] {
    let bits = operands[0].type.dtype.bitCount
    let result: CarriedTensor.Storage? =
      switch (operands[0].storage, operands[1].storage) {
      case (.floats(let x), .floats(let y)): op.function.applied(to: x, y).map { .floats($0) }
      case (.signed(let x), .signed(let y)):
        op.function.applied(to: x, y, bits: bits).map { .signed($0) }
      case (.unsigned(let x), .unsigned(let y)):
        op.function.applied(to: x, y, bits: bits).map { .unsigned($0) }
      case (.bools(let x), .bools(let y)): op.function.applied(to: x, y).map { .bools($0) }
      case (.floats, _), (.signed, _), (.unsigned, _), (.bools, _): nil
      }
    guard let result else { throw notDefined(op.function.rawValue) }
    return store(result)
  }

  package mutating func visit(_ op: Compare) throws(Diagnostic) -> [CarriedTensor] {
    func compare<T: Carrier>(_ x: [T], _ y: [T]) -> [Bool] {
      switch op.function {
      case .equal: map(x, y) { $0 == $1 }
      case .notEqual: map(x, y) { $0 != $1 }
      case .less: map(x, y) { T.isLess($0, $1) }
      case .lessEqual: map(x, y) { T.isLess($0, $1) || $0 == $1 }
      case .greater: map(x, y) { T.isLess($1, $0) }
      case .greaterEqual: map(x, y) { T.isLess($1, $0) || $0 == $1 }
      }
    }
    switch (operands[0].storage, operands[1].storage) {
    case (.floats(let x), .floats(let y)): return keep(.bools(compare(x, y)))
    case (.signed(let x), .signed(let y)): return keep(.bools(compare(x, y)))
    case (.unsigned(let x), .unsigned(let y)): return keep(.bools(compare(x, y)))
    case (.bools(let x), .bools(let y)): return keep(.bools(compare(x, y)))
    case (.floats, _), (.signed, _), (.unsigned, _), (.bools, _):
      throw notDefined(op.function.rawValue)
    }
  }

  package mutating func visit(_ op: Select) throws(Diagnostic) -> [CarriedTensor] {
    guard case .bools(let condition) = operands[0].storage,
      let both = operands[1].storage.appending(operands[2].storage)
    else { throw notDefined("select") }
    let count = condition.count
    return keep(both.picking(condition.indices.map { condition[$0] ? $0 : count + $0 }))
  }

  package mutating func visit(_ op: Clamp) throws(Diagnostic) -> [CarriedTensor] {
    func clamp<T: Carrier>(_ low: [T], _ x: [T], _ high: [T]) -> [T] {
      map(map(x, low, T.maximum), high, T.minimum)
    }
    switch (operands[0].storage, operands[1].storage, operands[2].storage) {
    case (.floats(let low), .floats(let x), .floats(let high)):
      return keep(.floats(clamp(low, x, high)))
    case (.signed(let low), .signed(let x), .signed(let high)):
      return keep(.signed(clamp(low, x, high)))
    case (.unsigned(let low), .unsigned(let x), .unsigned(let high)):
      return keep(.unsigned(clamp(low, x, high)))
    case (.floats, _, _), (.signed, _, _), (.unsigned, _, _), (.bools, _, _):
      throw notDefined("clamp")
    }
  }

  package mutating func visit(_ op: Convert) throws(Diagnostic) -> [CarriedTensor] {
    switch operands[0].storage {
    case .floats(let x): store(.convert(x, to: op.dtype))
    case .signed(let x): store(.convert(x, to: op.dtype))
    case .unsigned(let x): store(.convert(x, to: op.dtype))
    case .bools(let x): store(.convert(x.map { $0 ? 1 : 0 } as [Int64], to: op.dtype))
    }
  }
}

extension CarriedTensor.Storage {
  /// Floats in the carrier of another dtype; integers saturate at the dtype's bounds.
  fileprivate static func convert(_ x: [Double], to dtype: DType) -> CarriedTensor.Storage {
    let bits = dtype.bitCount
    return switch dtype {
    case .f32, .f64, .f16, .bf16: .floats(x)
    case .i8, .i16, .i32, .i64:
      .signed(saturated(x, least: .min >> Int64(64 - bits), greatest: .max >> Int64(64 - bits)))
    case .u8, .u16, .u32, .u64:
      .unsigned(saturated(x, least: 0, greatest: .max >> UInt64(64 - bits)))
    case .bool: .bools(x.map { $0 != 0 })
    }
  }

  /// Floats truncated toward zero between two bounds; NaN gives 0.
  private static func saturated<Wide: FixedWidthInteger>(
    _ x: [Double], least: Wide, greatest: Wide
  ) -> [Wide] {
    let tooLow = Double(least) - 1
    // Rounded up to a power of two where it is not exact.
    let tooHigh = Double(greatest) == Double(greatest - 1) ? Double(greatest) : Double(greatest) + 1
    return x.map { x in
      if x.isNaN { return 0 }
      if x <= tooLow { return least }
      return x >= tooHigh ? greatest : Wide(x)
    }
  }

  /// Integers in the carrier of another dtype; the low bits of an integer are kept when it is
  /// stored.
  fileprivate static func convert<Wide: FixedWidthInteger>(
    _ x: [Wide], to dtype: DType
  ) -> CarriedTensor.Storage {
    switch dtype {
    case .f64: .floats(x.map { Double($0) })
    case .f32, .f16, .bf16: .floats(x.map { roundedToOdd($0) })
    case .i8, .i16, .i32, .i64: .signed(x.map { Int64(truncatingIfNeeded: $0) })
    case .u8, .u16, .u32, .u64: .unsigned(x.map { UInt64(truncatingIfNeeded: $0) })
    case .bool: .bools(x.map { $0 != 0 })
    }
  }

  /// The double toward zero from an integer, with the last bit set when it is inexact.
  ///
  /// Rounding it again to a narrower float then gives what rounding the integer would (Boldo and
  /// Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
  /// odd", 2008).
  private static func roundedToOdd<Wide: FixedWidthInteger>(_ x: Wide) -> Double {
    if let exact = Double(exactly: x) { return exact }
    let magnitude = x.magnitude
    let spare =
      Wide.Magnitude.bitWidth - magnitude.leadingZeroBitCount - Double.significandBitCount - 1
    let kept = Double(magnitude >> spare | 1) * Double(sign: .plus, exponent: spare, significand: 1)
    return x < 0 ? -kept : kept
  }
}
