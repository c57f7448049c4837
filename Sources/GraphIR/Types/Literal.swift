/// The data of a tensor on the host: dense, row-major, in the machine's byte order.
public struct Literal: Hashable, Sendable {
  /// The type.
  public let type: TensorType
  /// The elements' bytes; `type.byteCount` of them.
  public let bytes: [UInt8]

  /// Makes a literal of bytes.
  ///
  /// - Returns: nil when the number of bytes is not the type's, or a bool is neither 0 nor 1.
  public init?(_ type: TensorType, bytes: [UInt8]) {
    guard bytes.count == type.byteCount else { return nil }
    guard type.dtype != .bool || bytes.allSatisfy({ $0 <= 1 }) else { return nil }
    self.type = type
    self.bytes = bytes
  }

  /// Makes a literal of Swift numbers, whose type gives the dtype; the count must be the shape's.
  public init<Element: LiteralElement>(_ shape: Shape, _ elements: [Element]) {
    precondition(
      elements.count == shape.elementCount,
      "\(elements.count) elements for \(shape), which has \(shape.elementCount)")
    type = TensorType(Element.dtype, shape)
    bytes = elements.withUnsafeBytes { Array($0) }
  }

  /// Makes a literal whose every element is zero (false).
  public init(zeros type: TensorType) {
    self.type = type
    bytes = [UInt8](repeating: 0, count: type.byteCount)
  }

  /// The elements as the Swift type of this literal's dtype; nil for another dtype.
  public func elements<Element: LiteralElement>(as: Element.Type = Element.self) -> [Element]? {
    guard Element.dtype == type.dtype else { return nil }
    return bytes.withUnsafeBytes { raw in
      (0..<type.shape.elementCount).map {
        raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.size, as: Element.self)
      }
    }
  }
}

/// A Swift number that is stored as an element of a dtype. (bf16 and bool have no such type.)
public protocol LiteralElement: BitwiseCopyable, Sendable {
  /// The dtype of which this type is the storage.
  static var dtype: DType { get }
}

extension Float: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .f32 }
}

extension Double: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .f64 }
}

extension Float16: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .f16 }
}

extension Int8: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .i8 }
}

extension Int16: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .i16 }
}

extension Int32: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .i32 }
}

extension Int64: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .i64 }
}

extension UInt8: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .u8 }
}

extension UInt16: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .u16 }
}

extension UInt32: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .u32 }
}

extension UInt64: LiteralElement {
  /// The dtype of which this type is the storage.
  public static var dtype: DType { .u64 }
}

extension Literal {
  /// The elements as doubles: exact for all floats and for integers up to 2^53; bools are 0 or 1.
  public func doubles() -> [Double] {
    func read<T: BitwiseCopyable>(_: T.Type, _ convert: (T) -> Double) -> [Double] {
      bytes.withUnsafeBytes { raw in
        (0..<type.shape.elementCount).map {
          convert(raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
        }
      }
    }
    return switch type.dtype {
    case .f32: read(Float.self) { Double($0) }
    case .f64: read(Double.self) { $0 }
    case .f16: read(Float16.self) { Double($0) }
    case .bf16: read(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .i8: read(Int8.self) { Double($0) }
    case .i16: read(Int16.self) { Double($0) }
    case .i32: read(Int32.self) { Double($0) }
    case .i64: read(Int64.self) { Double($0) }
    case .u8, .bool: read(UInt8.self) { Double($0) }
    case .u16: read(UInt16.self) { Double($0) }
    case .u32: read(UInt32.self) { Double($0) }
    case .u64: read(UInt64.self) { Double($0) }
    }
  }

  /// Makes a literal of doubles, each converted as the operation `convert` does; the count must be
  /// the shape's.
  public init(_ type: TensorType, doubles: [Double]) {
    precondition(doubles.count == type.shape.elementCount, "element count does not fit the shape")
    func write<T: BitwiseCopyable>(_ convert: (Double) -> T) -> [UInt8] {
      doubles.map(convert).withUnsafeBytes { Array($0) }
    }
    func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> [UInt8] {
      write { T(saturating: $0) }
    }
    self.type = type
    bytes =
      switch type.dtype {
      case .f32: write { Float($0) }
      case .f64: write { $0 }
      case .f16: write { Float16($0) }
      case .bf16: write { UInt16(bfloat16: $0) }
      case .i8: integer(Int8.self)
      case .i16: integer(Int16.self)
      case .i32: integer(Int32.self)
      case .i64: integer(Int64.self)
      case .u8: integer(UInt8.self)
      case .u16: integer(UInt16.self)
      case .u32: integer(UInt32.self)
      case .u64: integer(UInt64.self)
      case .bool: write { $0 != 0 ? UInt8(1) : 0 }
      }
  }

  /// A scalar of the given value, converted as the operation `convert` does.
  public static func scalar(_ value: Double, _ dtype: DType) -> Literal {
    Literal(TensorType(dtype, []), doubles: [value])
  }
}

extension FixedWidthInteger {
  /// Truncates toward zero and saturates; NaN gives 0.
  package init(saturating value: Double) {
    if value.isNaN {
      self = 0
    } else if let exact = Self(exactly: value.rounded(.towardZero)) {
      self = exact
    } else {
      self = value < 0 ? .min : .max
    }
  }
}

extension UInt16 {
  /// The bits of the bf16 nearest to a value, ties to even; NaN stays NaN.
  package init(bfloat16 value: Double) {
    // Rounding to odd in binary32 first keeps the second rounding exact.
    var single = Float(value)
    if Double(single) != value, single.isFinite, single.bitPattern & 1 == 0 {
      let towardZero = abs(Double(single)) > abs(value)
      single = Float(bitPattern: towardZero ? single.bitPattern &- 1 : single.bitPattern | 1)
    }
    if single.isNaN {
      self = UInt16(truncatingIfNeeded: single.bitPattern >> 16) | 0x0040
      return
    }
    let bits = single.bitPattern
    self = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }
}
