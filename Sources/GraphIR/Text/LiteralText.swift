import FoundationEssentials

/// The text of a constant's data.
///
/// One element that stands for all, a flat list in row-major order, or base64 of the little-endian
/// bytes. Floats are the shortest decimals that read back exactly, or `nan`, `inf`, `-inf`; any
/// other pattern of bits is written in hexadecimal without an exponent (`0x7fc00001`).
enum LiteralText {
  /// The largest number of different elements that are written one by one.
  static let maximumListed = 64
  /// The largest constant that text can describe, in bytes.
  static let maximumByteCount = 1 << 32

  /// The one element that a literal repeats; nil when its elements differ or there are none.
  private static func splat(_ literal: Literal) -> Int? {
    let size = literal.type.dtype.byteCount
    let bytes = literal.bytes
    guard !bytes.isEmpty else { return nil }
    let repeats = bytes.withUnsafeBytes { raw in
      (size..<max(size, raw.count)).allSatisfy { raw[$0] == raw[$0 - size] }
    }
    return repeats ? 0 : nil
  }

  /// Whether the literal is too long to be read by people.
  static func isLarge(_ literal: Literal) -> Bool {
    literal.type.shape.elementCount > maximumListed && splat(literal) == nil
  }

  /// The literal as text that stands alone.
  static func text(_ literal: Literal) -> String {
    if let element = splat(literal) { return text(literal, element) }
    if isLarge(literal) { return Text.quoted(Data(literal.bytes).base64EncodedString()) }
    let elements = (0..<literal.type.shape.elementCount).map { text(literal, $0) }
    return "[" + elements.joined(separator: ", ") + "]"
  }

  private static func text(_ literal: Literal, _ element: Int) -> String {
    let dtype = literal.type.dtype
    let bits = bits(literal, element)
    let readable = readable(bits, dtype)
    if self.bits(readable, dtype) == bits { return readable }
    return "0x" + String(bits, radix: 16)
  }

  private static func bits(_ literal: Literal, _ element: Int) -> UInt64 {
    let size = literal.type.dtype.byteCount
    return literal.bytes[(element * size)..<((element + 1) * size)].reversed()
      .reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func readable(_ bits: UInt64, _ dtype: DType) -> String {
    switch dtype {
    case .f64: Double(bitPattern: bits).description
    case .f32: Float(bitPattern: UInt32(truncatingIfNeeded: bits)).description
    case .f16: Float16(bitPattern: UInt16(truncatingIfNeeded: bits)).description
    case .bf16: Float(bitPattern: UInt32(truncatingIfNeeded: bits << 16)).description
    case .i8: Int8(truncatingIfNeeded: bits).description
    case .i16: Int16(truncatingIfNeeded: bits).description
    case .i32: Int32(truncatingIfNeeded: bits).description
    case .i64: Int64(truncatingIfNeeded: bits).description
    case .u8, .u16, .u32, .u64: bits.description
    case .bool: bits == 0 ? "false" : "true"
    }
  }

  /// The bits of an element that is written as text; nil when it is none of the dtype.
  private static func bits(_ word: String, _ dtype: DType) -> UInt64? {
    func integer<T: FixedWidthInteger>(_: T.Type) -> UInt64? {
      T(word).map { UInt64(truncatingIfNeeded: $0) & (.max >> UInt64(64 - T.bitWidth)) }
    }
    switch dtype {
    case .f32, .f64, .f16, .bf16: return floatBits(word, dtype)
    case .i8: return integer(Int8.self)
    case .i16: return integer(Int16.self)
    case .i32: return integer(Int32.self)
    case .i64: return integer(Int64.self)
    case .u8: return integer(UInt8.self)
    case .u16: return integer(UInt16.self)
    case .u32: return integer(UInt32.self)
    case .u64: return integer(UInt64.self)
    case .bool: return word == "true" ? 1 : word == "false" ? 0 : nil
    }
  }

  private static func floatBits(_ word: String, _ dtype: DType) -> UInt64? {
    if word.hasPrefix("0x"), !word.contains("p") {
      guard let bits = UInt64(word.dropFirst(2), radix: 16) else { return nil }
      return bits >> (UInt64(dtype.bitCount) - 1) > 1 ? nil : bits
    }
    // Swift reads more spellings ("infinity", "nan(7)"); one is enough.
    let isNumber = word.utf8.contains { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard isNumber && !word.contains("n") || ["nan", "inf", "-inf"].contains(word) else {
      return nil
    }
    func fits(_ value: some BinaryFloatingPoint) -> Bool { !isNumber || value.isFinite }
    switch dtype {
    case .f64: return Double(word).flatMap { fits($0) ? $0.bitPattern : nil }
    case .f32: return Float(word).flatMap { fits($0) ? UInt64($0.bitPattern) : nil }
    case .f16: return Float16(word).flatMap { fits($0) ? UInt64($0.bitPattern) : nil }
    case .bf16: return Double(word).flatMap { fits($0) ? UInt64(UInt16(bfloat16: $0)) : nil }
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: return nil
    }
  }

  /// How the data of a constant is written.
  enum Written {
    case element(String)
    case list([String])
    case base64(String)
  }

  /// The literal of a type that text describes; the error says what does not fit.
  static func literal(
    _ written: Written, _ type: TensorType
  ) throws(AttributeError) -> Literal {
    guard type.byteCount <= maximumByteCount else {
      throw AttributeError(
        message: "a constant of \(type) is too large; broadcast a scalar instead")
    }
    let bytes: [UInt8]
    switch written {
    case .element(let word):
      let element = try self.bytes(word, type.dtype)
      if element.allSatisfy({ $0 == element[0] }) {
        bytes = [UInt8](repeating: element[0], count: type.byteCount)
      } else {
        bytes = (0..<type.byteCount).map { element[$0 % element.count] }
      }
    case .list(let words):
      guard words.count == type.shape.elementCount else {
        throw AttributeError(
          message: "\(type) has \(type.shape.elementCount) elements, but \(words.count) are listed")
      }
      var listed: [UInt8] = []
      for word in words { listed += try self.bytes(word, type.dtype) }
      bytes = listed
    case .base64(let text):
      guard let data = Data(base64Encoded: text) else {
        throw AttributeError(message: "the constant's data is not base64")
      }
      bytes = Array(data)
    }
    guard let literal = Literal(type, bytes: bytes) else {
      throw AttributeError(
        message: "\(bytes.count) bytes are no data of \(type), which has \(type.byteCount)")
    }
    return literal
  }

  private static func bytes(_ word: String, _ dtype: DType) throws(AttributeError) -> [UInt8] {
    guard let bits = bits(word, dtype) else {
      throw AttributeError(message: "'\(word)' is no element of \(dtype)")
    }
    return (0..<dtype.byteCount).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
  }
}
