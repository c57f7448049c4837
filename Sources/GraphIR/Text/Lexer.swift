/// One token of the text of a graph, with its place.
struct Token {
  enum Kind: Equatable {
    /// `%name`: a value.
    case value(String)
    /// `@name`: a graph or a composite.
    case symbol(String)
    /// A keyword, name, type or number.
    case word(String)
    /// `"..."`, without quotes and escapes.
    case string(String)
    /// `->`
    case arrow
    /// One of `( ) { } [ ] , : =`.
    case punctuation(Character)
    /// Something that is no token; the message says what.
    case invalid(String)
    case end
  }
  var kind: Kind
  /// From 1.
  var line: Int
  /// In bytes, from 1.
  var column: Int
  /// Whether it is the first token of its line.
  var startsLine: Bool

  /// The token as a message shows it.
  var shown: String {
    switch kind {
    case .value(let name): "%\(name)"
    case .symbol(let name): "@\(name)"
    case .word(let word): "'\(word)'"
    case .string(let text): Text.quoted(text.count > 20 ? text.prefix(20) + "..." : text)
    case .arrow: "'->'"
    case .punctuation(let mark): "'\(mark)'"
    case .invalid(let message): message
    case .end: "the end of the text"
    }
  }
}

/// Splits the text of a graph into tokens; it never fails, but gives `invalid` tokens.
///
/// White space and `// comments` separate tokens. Names hold `/`, so that a comment behind a word
/// needs a space before it.
struct Lexer {
  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var lineStart = 0

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// All tokens of a text, the last of which is `end`.
  static func tokens(of text: String) -> [Token] {
    var lexer = Lexer(text)
    var tokens: [Token] = []
    var lastLine = 0
    while true {
      lexer.skipSpace()
      let (line, column) = (lexer.line, lexer.position - lexer.lineStart + 1)
      let kind = lexer.next()
      tokens.append(
        Token(kind: kind, line: line, column: column, startsLine: line != lastLine))
      lastLine = line
      if kind == .end { return tokens }
    }
  }

  private func peek(_ distance: Int = 0) -> UInt8? {
    position + distance < bytes.count ? bytes[position + distance] : nil
  }

  private mutating func skipSpace() {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\n"):
        position += 1
        line += 1
        lineStart = position
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
        position += 1
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        while let next = peek(), next != UInt8(ascii: "\n") { position += 1 }
      default:  // text
        return
      }
    }
  }

  private mutating func next() -> Token.Kind {
    guard let byte = peek() else { return .end }
    switch byte {
    case UInt8(ascii: "%"): return name { .value($0) }
    case UInt8(ascii: "@"): return name { .symbol($0) }
    case UInt8(ascii: "\""): return string()
    case UInt8(ascii: "-") where peek(1) == UInt8(ascii: ">"):
      position += 2
      return .arrow
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "}"),
      UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"),
      UInt8(ascii: "="):
      position += 1
      return .punctuation(Character(UnicodeScalar(byte)))
    default:  // text
      let word = take { $0.isNameByte || $0 == UInt8(ascii: "+") }
      if !word.isEmpty { return .word(word) }
      position += 1
      return .invalid("a character that has no meaning here (byte \(byte))")
    }
  }

  private mutating func name(_ make: (String) -> Token.Kind) -> Token.Kind {
    position += 1
    let name = take(\.isNameByte)
    return name.isEmpty ? .invalid("a sign without a name") : make(name)
  }

  private mutating func take(_ belongs: (UInt8) -> Bool) -> String {
    let start = position
    while let byte = peek(), belongs(byte) { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func string() -> Token.Kind {
    position += 1
    var content: [UInt8] = []
    while let byte = peek(), byte != UInt8(ascii: "\n") {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return .string(String(decoding: content, as: UTF8.self))
      case UInt8(ascii: "\\"):
        guard let escaped = escape() else { return .invalid("an unknown escape in a string") }
        content += escaped
      default:  // text
        content.append(byte)
      }
    }
    return .invalid("a string without an end")
  }

  /// What stands behind a backslash: `\"`, `\\`, `\n` or `\{HEX}` for a Unicode scalar.
  private mutating func escape() -> [UInt8]? {
    guard let byte = peek() else { return nil }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [byte]
    case UInt8(ascii: "n"): return [UInt8(ascii: "\n")]
    case UInt8(ascii: "{"):
      let digits = take { $0 != UInt8(ascii: "}") && $0.isNameByte }
      guard peek() == UInt8(ascii: "}"), let scalar = UInt32(digits, radix: 16),
        let scalar = UnicodeScalar(scalar)
      else { return nil }
      position += 1
      return Array(String(Character(scalar)).utf8)
    default:  // text
      return nil
    }
  }
}

/// What printer and parser share.
enum Text {
  /// A string in quotes, with escapes that the lexer reads back.
  static func quoted(_ string: some StringProtocol) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        text += "\\{" + String(scalar.value, radix: 16) + "}"
      default:  // text
        text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
