/// Turns the attributes of any operation into their tree, by way of `Encodable`.
///
/// Numbers other than integers are refused: attributes hold integers, bools, enums and lists of
/// these.
struct AttributeEncoder: Encoder {
  /// Where the value comes to stand.
  fileprivate let sink: Sink
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// The tree of attributes.
  static func encode(_ attributes: some Encodable) throws -> AttributeValue {
    let sink = Sink()
    try attributes.encode(to: AttributeEncoder(sink: sink))
    return sink.value
  }

  func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(Braces<Key>(sink: sink.becoming(.pairs([]))))
  }
  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    List(sink: sink.becoming(.list([])))
  }
  func singleValueContainer() -> any SingleValueEncodingContainer { Scalar(sink: sink) }
}

/// A place in the tree that is filled while encoding goes on.
private final class Sink {
  enum Content {
    case value(AttributeValue)
    case list([Sink])
    case pairs([(String, Sink)])
  }
  var content = Content.pairs([])

  var value: AttributeValue {
    switch content {
    case .value(let value): value
    case .list(let list): .list(list.map(\.value))
    case .pairs(let pairs): .pairs(pairs.map { .init(key: $0.0, value: $0.1.value) })
    }
  }

  func becoming(_ content: Content) -> Sink {
    self.content = content
    return self
  }

  /// A new place behind the last one of a list, or under a key.
  func child(_ key: String? = nil) -> Sink {
    let child = Sink()
    switch (content, key) {
    case (.list(let list), _): content = .list(list + [child])
    case (.pairs(let pairs), let key?): content = .pairs(pairs + [(key, child)])
    case (.pairs, nil), (.value, _): content = .list([child])
    }
    return child
  }

  func put(_ value: some Encodable) throws {
    switch value {
    case let value as Bool: content = .value(.bool(value))
    case let value as String: content = .value(.word(value))
    case let value as any BinaryInteger:
      guard let integer = Int(exactly: value) else {
        throw AttributeError(message: "\(value) is not an attribute's integer")
      }
      content = .value(.integer(integer))
    case let value as any BinaryFloatingPoint:
      throw AttributeError(message: "\(value) is a number that attributes do not hold")
    default:  // number
      try value.encode(to: AttributeEncoder(sink: self))
    }
  }
}

private struct Braces<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil(forKey key: Key) throws {}
  mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try sink.child(key.stringValue).put(value)
  }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    AttributeEncoder(sink: sink.child(key.stringValue)).container(keyedBy: Nested.self)
  }
  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    AttributeEncoder(sink: sink.child(key.stringValue)).unkeyedContainer()
  }
  mutating func superEncoder() -> any Encoder { AttributeEncoder(sink: sink.child("super")) }
  mutating func superEncoder(forKey key: Key) -> any Encoder {
    AttributeEncoder(sink: sink.child(key.stringValue))
  }
}

private struct List: UnkeyedEncodingContainer {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }
  var count: Int {
    guard case .list(let list) = sink.content else { return 0 }
    return list.count
  }

  mutating func encodeNil() throws {}
  mutating func encode<T: Encodable>(_ value: T) throws { try sink.child().put(value) }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type
  ) -> KeyedEncodingContainer<Nested> {
    AttributeEncoder(sink: sink.child()).container(keyedBy: Nested.self)
  }
  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    AttributeEncoder(sink: sink.child()).unkeyedContainer()
  }
  mutating func superEncoder() -> any Encoder { AttributeEncoder(sink: sink.child()) }
}

private struct Scalar: SingleValueEncodingContainer {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil() throws {}
  mutating func encode<T: Encodable>(_ value: T) throws { try sink.put(value) }
}
