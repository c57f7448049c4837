import GraphIR

/// NumPy's format for one array, versions 1 to 3 (numpy.lib.format): a magic string, a header in Python's syntax, and
/// the elements in row-major order.
public enum NPY {
  /// Reads an array.
  ///
  /// Column-major arrays and big-endian elements are brought into order.
  ///
  /// - Returns: a tensor of the array's dtype; NumPy has no bf16.
  /// - Throws: what is wrong with the file, or which of its features no tensor has.
  public static func read(_ path: String) throws(Diagnostic) -> Literal {
    try parse(try Files.read(path), name: path)
  }

  /// Writes an array as version 1.0, replacing a file as a whole.
  ///
  /// - Throws: when the file cannot be written, or the tensor is bf16, which NumPy does not have.
  public static func write(_ literal: Literal, to path: String) throws(Diagnostic) {
    try Files.write([try serialized(literal)], to: path)
  }

  /// The content of a file that holds the tensor.
  static func serialized(_ literal: Literal) throws(Diagnostic) -> [UInt8] {
    guard let description = descriptions.first(where: { $0.value == literal.type.dtype })?.key
    else {
      throw Diagnostic(
        .unsupported, "NumPy has no \(literal.type.dtype)", hint: "convert to f32 before writing")
    }
    let order = literal.type.dtype.byteCount == 1 ? "|" : "<"
    let extents = literal.type.shape.extents.map { "\($0)," }.joined(separator: " ")
    let tuple = literal.type.shape.rank == 1 ? "(\(extents))" : "(\(extents.dropLast()))"
    var header =
      "{'descr': '\(order)\(description)', 'fortran_order': False, 'shape': \(tuple), }"
    // The elements begin at a multiple of 64.
    let length = (magic.count + 4 + header.utf8.count + 1 + 63) / 64 * 64
    header += String(repeating: " ", count: length - magic.count - 4 - header.utf8.count - 1) + "\n"
    let size = UInt16(clamping: header.utf8.count)
    return magic + [1, 0, UInt8(size & 0xFF), UInt8(size >> 8)] + Array(header.utf8) + literal.bytes
  }

  static func parse(_ bytes: [UInt8], name: String) throws(Diagnostic) -> Literal {
    func bad(_ what: String) -> Diagnostic {
      Diagnostic(.format, "'\(name)' is no NPY file: \(what)")
    }
    guard bytes.starts(with: magic), bytes.count >= 10 else {
      throw bad("it does not begin with NumPy's magic string")
    }
    let version = bytes[6]
    guard (1...3).contains(version) else { throw bad("its version is \(version)") }
    let sizeBytes = version == 1 ? 2 : 4
    let start = 8 + sizeBytes
    guard bytes.count >= start else { throw bad("its header is cut off") }
    let size = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard size <= bytes.count - start, size <= 1 << 16 else { throw bad("its header is cut off") }
    guard let header = Header(Array(bytes[start..<start + size])) else {
      throw bad("its header cannot be read")
    }
    guard let dtype = descriptions[String(header.description.dropFirst())] else {
      throw bad("no tensor has elements of the type '\(header.description)'")
    }
    guard let shape = Shape.checked(header.shape) else {
      throw bad("its shape \(header.shape) is not one of a tensor")
    }
    let type = TensorType(dtype, shape)
    var elements = Array(bytes[(start + size)...])
    guard elements.count == type.byteCount else {
      throw bad("\(type) needs \(type.byteCount) bytes, it has \(elements.count)")
    }
    let width = dtype.byteCount
    if header.description.hasPrefix(">"), width > 1 {
      for first in stride(from: 0, to: elements.count, by: width) {
        elements[first..<first + width].reverse()
      }
    }
    if header.isColumnMajor { elements = rowMajor(elements, shape, width) }
    guard let literal = Literal(type, bytes: elements) else {
      throw bad("a bool is neither 0 nor 1")
    }
    return literal
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  private static let descriptions: [String: DType] = [
    "f4": .f32, "f8": .f64, "f2": .f16, "i1": .i8, "i2": .i16, "i4": .i32, "i8": .i64, "u1": .u8,
    "u2": .u16, "u4": .u32, "u8": .u64, "b1": .bool,
  ]

  /// Column-major elements in row-major order.
  private static func rowMajor(_ elements: [UInt8], _ shape: Shape, _ width: Int) -> [UInt8] {
    var columnStrides: [Int] = []
    for extent in shape.extents.dropLast().reduce(into: [1], { $0.append($0[$0.count - 1] * $1) }) {
      columnStrides.append(extent)
    }
    let rowStrides = shape.strides
    var result: [UInt8] = []
    result.reserveCapacity(elements.count)
    for index in 0..<shape.elementCount {
      var rest = index
      var source = 0
      for dimension in 0..<shape.rank {
        source += rest / rowStrides[dimension] * columnStrides[dimension]
        rest %= rowStrides[dimension]
      }
      result += elements[source * width..<(source + 1) * width]
    }
    return result
  }

  /// The header's dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
  private struct Header {
    var description = ""
    var isColumnMajor = false
    var shape: [Int] = []
    private var text: Substring

    init?(_ bytes: [UInt8]) {
      guard let string = String(validating: bytes, as: UTF8.self) else { return nil }
      text = Substring(string)
      guard take("{") else { return nil }
      var keys: Set<String> = []
      while !take("}") {
        guard let key = quoted(), take(":"), keys.insert(key).inserted, readValue(of: key) else {
          return nil
        }
        guard take(",") || text.drop(while: \.isWhitespace).first == "}" else { return nil }
      }
      guard keys == ["descr", "fortran_order", "shape"], text.allSatisfy(\.isWhitespace) else {
        return nil
      }
      guard let order = description.first, "<>|=".contains(order) else { return nil }
    }

    private mutating func readValue(of key: String) -> Bool {
      switch key {
      case "descr":
        guard let value = quoted() else { return false }
        description = value
        return true
      case "fortran_order":
        isColumnMajor = take("True")
        return isColumnMajor || take("False")
      case "shape":
        guard take("(") else { return false }
        while !take(")") {
          let digits = text.drop(while: \.isWhitespace).prefix { $0.isASCII && $0.isNumber }
          guard let extent = Int(digits) else { return false }
          shape.append(extent)
          text = text[digits.endIndex...]
          guard take(",") || text.drop(while: \.isWhitespace).first == ")" else { return false }
        }
        return true
      default:
        return false
      }
    }

    private mutating func take(_ token: String) -> Bool {
      let rest = text.drop(while: \.isWhitespace)
      guard rest.hasPrefix(token) else { return false }
      text = rest.dropFirst(token.count)
      return true
    }

    private mutating func quoted() -> String? {
      guard take("'") || take("\"") else { return nil }
      let content = text.prefix { $0 != "'" && $0 != "\"" }
      text = text[content.endIndex...].dropFirst()
      return String(content)
    }
  }
}
