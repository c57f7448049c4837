/// The element type of a tensor.
///
/// The raw value is the name in the textual IR.
public enum DType: String, CaseIterable, Hashable, Sendable, Codable {
  /// IEEE 754 binary32.
  case f32
  /// IEEE 754 binary64.
  case f64
  /// IEEE 754 binary16.
  case f16
  /// The upper 16 bits of a binary32 ("brain float"), rounded to nearest even.
  case bf16
  /// Two's complement, 8 bits.
  case i8
  /// Two's complement, 16 bits.
  case i16
  /// Two's complement, 32 bits.
  case i32
  /// Two's complement, 64 bits.
  case i64
  /// Unsigned, 8 bits.
  case u8
  /// Unsigned, 16 bits.
  case u16
  /// Unsigned, 32 bits.
  case u32
  /// Unsigned, 64 bits.
  case u64
  /// A truth value, stored as one byte that is 0 or 1.
  case bool

  /// What kind of number an element is: decides the arithmetic and the interpreter's carrier.
  public enum Category: Hashable, Sendable {
    /// Floating point.
    case float
    /// Signed integer.
    case signed
    /// Unsigned integer.
    case unsigned
    /// Truth value.
    case bool
  }

  /// The category of this type.
  public var category: Category {
    switch self {
    case .f32, .f64, .f16, .bf16: .float
    case .i8, .i16, .i32, .i64: .signed
    case .u8, .u16, .u32, .u64: .unsigned
    case .bool: .bool
    }
  }

  /// The size of one stored element, in bytes.
  public var byteCount: Int {
    switch self {
    case .i8, .u8, .bool: 1
    case .f16, .bf16, .i16, .u16: 2
    case .f32, .i32, .u32: 4
    case .f64, .i64, .u64: 8
    }
  }

  /// The size of one element, in bits; 8 for `bool`, as it is stored.
  public var bitCount: Int { byteCount * 8 }

  /// Whether the type is a floating-point type.
  public var isFloat: Bool { category == .float }

  /// Whether the type is a signed or unsigned integer type; `bool` is not.
  public var isInteger: Bool { category == .signed || category == .unsigned }

  /// The distance from 1 to the next larger value of a floating-point type; nil for other types.
  public var epsilon: Double? {
    switch self {
    case .f64: 0x1p-52
    case .f32: 0x1p-23
    case .f16: 0x1p-10
    case .bf16: 0x1p-7
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: nil
    }
  }
}

extension DType: CustomStringConvertible {
  /// The name in the textual IR.
  public var description: String { rawValue }
}
