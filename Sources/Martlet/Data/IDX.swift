import GraphIR

/// The IDX format of the MNIST files (LeCun, Cortes and Burges): two zero bytes, a type, a rank, the extents as
/// big-endian 32-bit numbers, then the elements, big-endian.
public enum IDX {
  /// Reads a file, which may be compressed with gzip.
  ///
  /// - Returns: a tensor of dtype u8, i8, i16, i32, f32 or f64.
  /// - Throws: what is wrong with the file.
  public static func read(_ path: String) throws(Diagnostic) -> Literal {
    try parse(try Gzip.read(path), name: path)
  }

  static func parse(_ bytes: [UInt8], name: String) throws(Diagnostic) -> Literal {
    func bad(_ what: String) -> Diagnostic {
      Diagnostic(.format, "'\(name)' is no IDX file: \(what)")
    }
    guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
      throw bad("it does not begin with two zero bytes")
    }
    guard let dtype = dtypes[bytes[2]] else { throw bad("its element type is \(bytes[2])") }
    let rank = Int(bytes[3])
    let start = 4 + 4 * rank
    guard bytes.count >= start else { throw bad("its header is cut off") }
    let extents = (0..<rank).map { dimension in
      bytes[4 + 4 * dimension..<8 + 4 * dimension].reduce(0) { $0 << 8 | Int($1) }
    }
    guard let shape = Shape.checked(extents) else {
      throw bad("its extents \(extents) are too large")
    }
    let type = TensorType(dtype, shape)
    guard bytes.count - start == type.byteCount else {
      throw bad("\(type) needs \(type.byteCount) bytes, it has \(bytes.count - start)")
    }
    var elements = Array(bytes[start...])
    let size = dtype.byteCount
    if size > 1 {
      for first in stride(from: 0, to: elements.count, by: size) {
        elements[first..<first + size].reverse()
      }
    }
    guard let literal = Literal(type, bytes: elements) else { throw bad("its elements do not fit") }
    return literal
  }

  private static let dtypes: [UInt8: DType] = [
    0x08: .u8, 0x09: .i8, 0x0B: .i16, 0x0C: .i32, 0x0D: .f32, 0x0E: .f64,
  ]
}
