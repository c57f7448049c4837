/// Reads the attributes of any operation from their tree, by way of `Decodable`.
///
/// A missing list is empty; anything else that is missing is an error.
struct AttributeDecoder: Decoder {
  let value: AttributeValue
  /// The key under which the value stands, for messages.
  var name = ""
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .pairs(let pairs) = value else { throw unexpected("braces") }
    return KeyedDecodingContainer(Braces<Key>(pairs: pairs))
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .list(let list) = value else { throw unexpected("a list") }
    return List(list: list, name: name)
  }
  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    Scalar(decoder: self)
  }

  func unexpected(_ wanted: String) -> AttributeError {
    AttributeError(message: "\(name) needs \(wanted), not \(value.text)")
  }

  func read<T: Decodable>(_: T.Type) throws -> T {
    let found: Any? =
      switch value {
      case .integer(let integer): (T.self as? any BinaryInteger.Type)?.init(exactly: integer)
      case .bool(let bool): bool as? T
      case .word(let word): word as? T
      case .list, .pairs: nil
      }
    if let found = found as? T { return found }
    if T.self is any BinaryInteger.Type { throw unexpected("an integer") }
    if T.self == Bool.self { throw unexpected("true or false") }
    if T.self == String.self { throw unexpected("a word") }
    return try T(from: self)
  }
}

/// An array type, whose missing attribute is empty.
private protocol ListAttribute {}
extension Array: ListAttribute {}

private struct Braces<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let pairs: [AttributeValue.Pair]
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { pairs.compactMap { Key(stringValue: $0.key) } }

  func contains(_ key: Key) -> Bool { pairs.contains { $0.key == key.stringValue } }
  func decodeNil(forKey key: Key) throws -> Bool { !contains(key) }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    if !contains(key), T.self is any ListAttribute.Type {
      return try AttributeDecoder(value: .list([]), name: key.stringValue).read(type)
    }
    return try decoder(key).read(type)
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try decoder(key).container(keyedBy: Nested.self)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try decoder(key).unkeyedContainer()
  }
  func superDecoder() throws -> any Decoder {
    AttributeDecoder(value: .pairs(pairs), name: "super")
  }
  func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

  private func decoder(_ key: Key) throws -> AttributeDecoder {
    guard let pair = pairs.first(where: { $0.key == key.stringValue }) else {
      throw AttributeError(message: "the attribute \(key.stringValue) is missing")
    }
    return AttributeDecoder(value: pair.value, name: pair.key)
  }
}

private struct List: UnkeyedDecodingContainer {
  let list: [AttributeValue]
  let name: String
  var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { list.count }
  var isAtEnd: Bool { currentIndex >= list.count }

  init(list: [AttributeValue], name: String) {
    self.list = list
    self.name = name
  }

  mutating func decodeNil() throws -> Bool { false }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().read(type) }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try next().container(keyedBy: Nested.self)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next().unkeyedContainer()
  }
  mutating func superDecoder() throws -> any Decoder { try next() }

  private mutating func next() throws -> AttributeDecoder {
    guard !isAtEnd else { throw AttributeError(message: "\(name) has too few entries") }
    defer { currentIndex += 1 }
    return AttributeDecoder(value: list[currentIndex], name: name)
  }
}

private struct Scalar: SingleValueDecodingContainer {
  let decoder: AttributeDecoder
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { false }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.read(type) }
}
