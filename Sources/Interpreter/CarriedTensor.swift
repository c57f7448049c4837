import GraphIR

/// A tensor's elements, widened to the carrier of its dtype's category, in row-major order.
package struct CarriedTensor: Sendable {
  /// The elements; the case is the category of the dtype.
  package enum Storage: Sendable {
    case floats([Double])
    case signed([Int64])
    case unsigned([UInt64])
    case bools([Bool])
  }

  /// The type that the tensor has in the graph.
  package var type: TensorType
  /// The elements.
  package var storage: Storage

  /// The extents.
  package var shape: Shape { type.shape }
}

/// How the interpreter stores the results of float operations.
public enum Precision: Hashable, Sendable {
  /// Each node's result is rounded to its dtype: what the graph says.
  case typed
  /// No result is rounded: every float value is held as f64, whatever its dtype.
  case double
}

extension CarriedTensor {
  /// Widens a literal, which may be f64 where `type` is another float.
  package init(_ literal: Literal, as type: TensorType) {
    self.type = type
    switch literal.type.dtype {
    case .f32, .f64, .f16, .bf16: storage = .floats(literal.doubles())
    case .i8: storage = .signed(literal.widened(Int8.self))
    case .i16: storage = .signed(literal.widened(Int16.self))
    case .i32: storage = .signed(literal.widened(Int32.self))
    case .i64: storage = .signed(literal.widened(Int64.self))
    case .u8: storage = .unsigned(literal.widened(UInt8.self))
    case .u16: storage = .unsigned(literal.widened(UInt16.self))
    case .u32: storage = .unsigned(literal.widened(UInt32.self))
    case .u64: storage = .unsigned(literal.widened(UInt64.self))
    case .bool: storage = .bools(literal.bytes.map { $0 != 0 })
    }
  }

  /// The tensor as a literal: of its own type, or with floats as f64 when they were not rounded.
  package func literal(_ precision: Precision) -> Literal {
    switch storage {
    case .floats(let x):
      let dtype = precision == .double ? DType.f64 : type.dtype
      return Literal(TensorType(dtype, shape), doubles: x)
    case .signed(let x): return narrowed(x)
    case .unsigned(let x): return narrowed(x)
    case .bools(let x): return Literal(type, doubles: x.map { $0 ? 1 : 0 })
    }
  }

  /// Integers, which already lie in the range of the dtype, as a literal.
  private func narrowed<Wide: BinaryInteger>(_ x: [Wide]) -> Literal {
    func literal<T: LiteralElement & FixedWidthInteger>(_: T.Type) -> Literal {
      Literal(shape, x.map { T(truncatingIfNeeded: $0) })
    }
    return switch type.dtype {
    case .i8: literal(Int8.self)
    case .i16: literal(Int16.self)
    case .i32: literal(Int32.self)
    case .i64: literal(Int64.self)
    case .u8: literal(UInt8.self)
    case .u16: literal(UInt16.self)
    case .u32: literal(UInt32.self)
    case .u64: literal(UInt64.self)
    case .f32, .f64, .f16, .bf16, .bool: Literal(type, doubles: x.map { Double($0) })
    }
  }
}

extension Literal {
  /// The integers of this literal, whose dtype is the given type's, in a wide carrier.
  fileprivate func widened<Narrow, Wide>(_: Narrow.Type) -> [Wide]
  where Narrow: LiteralElement & FixedWidthInteger, Wide: FixedWidthInteger {
    (elements(as: Narrow.self) ?? []).map { Wide(truncatingIfNeeded: $0) }
  }
}

extension CarriedTensor.Storage {
  /// The elements at the given positions, in their order.
  package func picking(_ positions: [Int]) -> CarriedTensor.Storage {
    func pick<T: BitwiseCopyable>(_ x: [T]) -> [T] {
      x.withUnsafeBufferPointer { x in positions.map { x[$0] } }
    }
    return switch self {
    case .floats(let x): .floats(pick(x))
    case .signed(let x): .signed(pick(x))
    case .unsigned(let x): .unsigned(pick(x))
    case .bools(let x): .bools(pick(x))
    }
  }

  /// These elements followed by others of the same carrier.
  package func appending(_ other: CarriedTensor.Storage) -> CarriedTensor.Storage? {
    switch (self, other) {
    case (.floats(let x), .floats(let y)): .floats(x + y)
    case (.signed(let x), .signed(let y)): .signed(x + y)
    case (.unsigned(let x), .unsigned(let y)): .unsigned(x + y)
    case (.bools(let x), .bools(let y)): .bools(x + y)
    case (.floats, _), (.signed, _), (.unsigned, _), (.bools, _): nil
    }
  }

  /// The elements' absolute values, where they are floats.
  package var magnitudes: CarriedTensor.Storage {
    switch self {
    case .floats(let x): .floats(x.map(\.magnitude))
    case .signed, .unsigned, .bools: self
    }
  }
}

extension CarriedTensor {
  /// The elements with the dimensions in another order.
  func transposed(_ permutation: [Int]) -> Storage {
    if permutation == Array(0..<shape.rank) { return storage }
    return storage.picking(Positions.along(permutation, of: shape))
  }
}

/// The values of a dtype among those of its carrier.
package enum Narrowing {
  /// Each value rounded to the nearest of a float dtype, ties to even.
  package static func round(_ x: [Double], to dtype: DType) -> [Double] {
    switch dtype {
    case .f32: x.map { Double(Float($0)) }
    case .f16: x.map { Double(Float16($0)) }
    case .bf16: x.map { Double(Float(bitPattern: UInt32(UInt16(bfloat16: $0)) << 16)) }
    case .f64, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: x
    }
  }

  /// The low bits of each value, as a signed dtype reads them.
  package static func wrap(_ x: [Int64], to dtype: DType) -> [Int64] {
    let spare = Int64(64 - dtype.bitCount)
    return spare == 0 ? x : x.map { ($0 &<< spare) &>> spare }
  }

  /// The low bits of each value, as an unsigned dtype reads them.
  package static func wrap(_ x: [UInt64], to dtype: DType) -> [UInt64] {
    let spare = UInt64(64 - dtype.bitCount)
    return spare == 0 ? x : x.map { ($0 &<< spare) &>> spare }
  }
}
