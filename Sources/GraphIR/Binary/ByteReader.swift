/// Reads what `ByteWriter` has written.
package struct ByteReader {
  /// The bytes are not what was to be read.
  package struct Damage: Error {
    /// Makes the error.
    package init() {}
  }

  private var rest: ArraySlice<UInt8>

  /// Starts at the first byte.
  package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// The next byte.
  package mutating func tag() throws(Damage) -> UInt8 {
    guard let tag = rest.popFirst() else { throw Damage() }
    return tag
  }

  /// A number.
  package mutating func integer() throws(Damage) -> Int {
    var value: UInt = 0
    for shift in stride(from: 0, to: UInt.bitWidth, by: 7) {
      let byte = try tag()
      value |= UInt(byte & 0x7F) << UInt(shift)
      if byte & 0x80 == 0 { return Int(bitPattern: value >> 1) ^ -Int(value & 1) }
    }
    throw Damage()
  }

  /// A number that may not be there.
  package mutating func optionalInteger() throws(Damage) -> Int? {
    try tag() == 0 ? nil : try integer()
  }

  /// A text.
  package mutating func text() throws(Damage) -> String {
    String(decoding: try data(), as: UTF8.self)
  }

  /// Data.
  package mutating func data() throws(Damage) -> [UInt8] {
    let count = try integer()
    guard (0...rest.count).contains(count) else { throw Damage() }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  /// The elements of a list.
  package mutating func list<Element>(
    _ element: (inout ByteReader) throws(Damage) -> Element
  ) throws(Damage) -> [Element] {
    let count = try integer()
    // Every element has at least one byte.
    guard (0...rest.count).contains(count) else { throw Damage() }
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try element(&self)) }
    return elements
  }

  /// Makes sure that nothing is left.
  package func end() throws(Damage) {
    if !rest.isEmpty { throw Damage() }
  }
}

extension ByteReader {
  /// A type.
  package mutating func type() throws(Damage) -> TensorType {
    guard let dtype = DType(rawValue: try text()) else { throw Damage() }
    let extents = try list { reader throws(Damage) in try reader.integer() }
    guard let shape = Shape.checked(extents) else { throw Damage() }
    return TensorType(dtype, shape)
  }

  /// A location.
  package mutating func location() throws(Damage) -> Location {
    let file = try tag() == 0 ? nil : try text()
    return Location(file: file, line: try integer(), path: try text())
  }
}
