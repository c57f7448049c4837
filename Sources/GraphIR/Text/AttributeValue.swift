/// The text of attributes as a tree: `{stride = [1, 1], window = {size = [2, 2]}}`.
indirect enum AttributeValue: Equatable {
  case integer(Int)
  case bool(Bool)
  /// The raw value of an enum, or a name.
  case word(String)
  case list([AttributeValue])
  case pairs([Pair])

  struct Pair: Equatable {
    var key: String
    var value: AttributeValue
  }

  /// How deep lists and braces may nest in text.
  static let maximumNesting = 8

  /// The value as text.
  ///
  /// Lists that are empty are left out of braces, since a missing list is empty.
  var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .word(let word): word
    case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .pairs(let pairs):
      "{"
        + pairs.filter { $0.value != .list([]) }.map { "\($0.key) = \($0.value.text)" }
        .joined(separator: ", ") + "}"
    }
  }

  /// The pairs of braces; none for anything else.
  var pairs: [Pair] {
    guard case .pairs(let pairs) = self else { return [] }
    return pairs
  }

  /// The first key, at any depth of braces, that stands here but not in another tree.
  func firstKey(notIn other: AttributeValue) -> String? {
    for pair in pairs {
      guard let known = other.pairs.first(where: { $0.key == pair.key }) else { return pair.key }
      if let key = pair.value.firstKey(notIn: known.value) { return key }
    }
    return nil
  }
}

/// What is wrong with the text of attributes.
struct AttributeError: Error {
  var message: String
}
