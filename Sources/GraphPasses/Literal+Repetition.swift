import GraphIR

extension Literal {
  /// A scalar of the one element that all elements are equal to, bit by bit; nil without elements.
  var repeatedElement: Literal? {
    let width = type.dtype.byteCount
    let repeats = bytes.withUnsafeBytes { raw in
      (width..<max(width, raw.count)).allSatisfy { raw[$0] == raw[$0 - width] }
    }
    guard repeats, !bytes.isEmpty else { return nil }
    return Literal(TensorType(type.dtype, []), bytes: Array(bytes[..<width]))
  }
}
