/// Writes values as bytes, each with its length or its case first: different values of one type have different bytes.
package struct ByteWriter {
  /// What has been written.
  package private(set) var bytes: [UInt8] = []

  /// Starts with nothing.
  package init() {}

  /// Says which case of an enum follows.
  package mutating func add(tag: UInt8) { bytes.append(tag) }

  /// Writes seven bits in a byte, the lowest first; the sign is the lowest of all.
  package mutating func add(_ value: Int) {
    var rest = UInt(bitPattern: (value << 1) ^ (value >> (Int.bitWidth - 1)))
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Writes a number that may not be there.
  package mutating func add(_ value: Int?) {
    add(tag: value == nil ? 0 : 1)
    if let value { add(value) }
  }

  /// Writes a text.
  package mutating func add(_ text: String) {
    add(text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }

  /// Writes data.
  package mutating func add(data: [UInt8]) {
    add(data.count)
    bytes += data
  }

  /// Writes the elements of a list.
  package mutating func add<Element>(
    _ elements: [Element], _ addElement: (inout ByteWriter, Element) -> Void
  ) {
    add(elements.count)
    for element in elements { addElement(&self, element) }
  }
}

extension ByteWriter {
  /// Writes a type.
  package mutating func add(_ type: TensorType) {
    add(type.dtype.rawValue)
    add(type.shape.extents) { $0.add($1) }
  }

  /// Writes a location.
  package mutating func add(_ location: Location) {
    add(tag: location.file == nil ? 0 : 1)
    if let file = location.file { add(file) }
    add(location.line)
    add(location.path)
  }
}
