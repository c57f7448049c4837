extension Graph {
  /// Reads the text of a graph; the syntax is in `IR/README.md`.
  ///
  /// - Parameters:
  ///   - text: one graph.
  ///   - file: the name by which diagnostics call the text.
  ///   - literals: the large constants that the text names (`@constant0`).
  ///   - locatingByLine: whether a node without a location gets the line of the text as its own.
  /// - Throws: every error found, each with its line.
  public static func parse(
    _ text: String, file: String, literals: [String: Literal] = [:], locatingByLine: Bool = false
  ) throws(Diagnostics) -> Graph {
    var parser = Parser(
      Lexer.tokens(of: text), file: file, literals: literals, locatingByLine: locatingByLine)
    var graph: Graph?
    do throws(Diagnostic) {
      graph = try parser.graph(nesting: 0)
      if parser.diagnostics.isEmpty, parser.token.kind != .end {
        throw parser.unexpected("the end of the text behind the graph")
      }
    } catch {
      parser.diagnostics.append(error)
    }
    if let graph, parser.diagnostics.isEmpty { return graph }
    throw Diagnostics(
      parser.diagnostics.isEmpty
        ? [Diagnostic(.internalError, "the text was refused without a reason")]
        : parser.diagnostics)
  }
}

/// Reads tokens into a graph; errors in one statement do not hide those of the next.
struct Parser {
  /// What a name stands for.
  enum Binding {
    case value(Value)
    /// The result of a statement that was refused: what uses it is not judged.
    case unknown
  }

  /// After so many errors the rest of the text is not read.
  static let maximumErrorCount = 50

  private let tokens: [Token]
  private(set) var position = 0
  let file: String
  let literals: [String: Literal]
  let locatingByLine: Bool
  var diagnostics: [Diagnostic] = []
  /// The first token of what is being read.
  var statementStart = 0

  init(
    _ tokens: [Token], file: String, literals: [String: Literal], locatingByLine: Bool
  ) {
    self.tokens = tokens
    self.file = file
    self.literals = literals
    self.locatingByLine = locatingByLine
  }

  // MARK: Tokens

  var token: Token { tokens[position] }

  mutating func advance() { position = min(position + 1, tokens.count - 1) }

  func at(_ mark: Character) -> Bool { token.kind == .punctuation(mark) }

  func at(word keyword: String) -> Bool { token.kind == .word(keyword) }

  mutating func take(_ mark: Character) -> Bool {
    guard at(mark) else { return false }
    advance()
    return true
  }

  mutating func take(word keyword: String) -> Bool {
    guard at(word: keyword) else { return false }
    advance()
    return true
  }

  mutating func expect(_ mark: Character) throws(Diagnostic) {
    guard take(mark) else { throw unexpected("'\(mark)'") }
  }

  mutating func expect(word keyword: String) throws(Diagnostic) {
    guard take(word: keyword) else { throw unexpected("'\(keyword)'") }
  }

  mutating func expectArrow() throws(Diagnostic) {
    guard token.kind == .arrow else { throw unexpected("'->'") }
    advance()
  }

  mutating func word(_ what: String) throws(Diagnostic) -> String {
    guard case .word(let word) = token.kind else { throw unexpected(what) }
    advance()
    return word
  }

  mutating func symbol(_ what: String) throws(Diagnostic) -> String {
    guard case .symbol(let name) = token.kind else { throw unexpected(what) }
    advance()
    return name
  }

  mutating func valueName() throws(Diagnostic) -> String {
    guard case .value(let name) = token.kind else { throw unexpected("a value (%name)") }
    advance()
    return name
  }

  mutating func integer(_ what: String) throws(Diagnostic) -> Int {
    guard case .word(let word) = token.kind, let integer = Int(word) else {
      throw unexpected(what)
    }
    advance()
    return integer
  }

  /// Reads entries between commas up to a closing mark, which is read too.
  mutating func list<Entry>(
    until close: Character, _ entry: (inout Parser) throws(Diagnostic) -> Entry
  ) throws(Diagnostic) -> [Entry] {
    var entries: [Entry] = []
    if take(close) { return entries }
    while true {
      entries.append(try entry(&self))
      if take(close) { return entries }
      guard take(",") else { throw unexpected("',' or '\(close)'") }
    }
  }

  // MARK: Errors

  /// The place of a token, in a diagnostic's location and note.
  func error(
    _ code: Diagnostic.Code, _ message: String, at token: Token, hint: String? = nil
  ) -> Diagnostic {
    Diagnostic(
      code, message, at: Location(file: file, line: token.line),
      notes: ["column \(token.column)"], hint: hint)
  }

  func unexpected(_ wanted: String) -> Diagnostic {
    // What is missing at the end of a line is not the fault of the next.
    if token.startsLine, position > statementStart {
      return error(
        .syntax, "expected \(wanted), found the end of the line", at: tokens[position - 1])
    }
    return error(.syntax, "expected \(wanted), found \(token.shown)", at: token)
  }

  /// Moves a diagnostic about a node to the line where the text defines it.
  func atLine(of token: Token, _ diagnostic: Diagnostic) -> Diagnostic {
    var copy = diagnostic
    if copy.location != .unknown && copy.location.file != file {
      copy.notes.append("it comes from \(copy.location)")
    }
    copy.location = Location(file: file, line: token.line)
    return copy
  }

  /// Goes to the next token that can begin a statement or end the graph whose statement failed.
  ///
  /// - Parameter start: where the failed statement begins, which is not read again.
  /// - Returns: whether there may be more to read in the graph.
  mutating func recover(from start: Int) -> Bool {
    if position == start { advance() }
    var depth = 0
    while diagnostics.count < Self.maximumErrorCount {
      switch token.kind {
      case .end: return false
      case .punctuation("{"): depth += 1
      case .punctuation("}"):
        if depth == 0 { return true }
        depth -= 1
      case .value where token.startsLine && depth == 0: return true
      case .word("return") where token.startsLine && depth == 0: return true
      case .value, .symbol, .word, .string, .arrow, .punctuation, .invalid: break
      }
      advance()
    }
    return false
  }

  // MARK: Types, attributes and locations

  /// `f32[64,10]`, or `f32` for a scalar.
  mutating func type() throws(Diagnostic) -> TensorType {
    let start = token
    let name = try word("a type")
    guard let dtype = DType(rawValue: name) else {
      let known = DType.allCases.map(\.rawValue).joined(separator: " ")
      throw error(.syntax, "'\(name)' is no element type", at: start, hint: "known: \(known)")
    }
    guard at("[") else { return TensorType(dtype, []) }
    advance()
    let extents = try list(until: "]") { parser throws(Diagnostic) in
      try parser.integer("an extent")
    }
    guard let shape = Shape.checked(extents) else {
      throw error(
        .sizeOverflow, "there is no tensor of \(dtype)\(Shape(extents))", at: start,
        hint: "extents are not negative, and a tensor has at most 2^48 elements")
    }
    return TensorType(dtype, shape)
  }

  /// `key = value, ...` up to the closing brace, behind the opening one.
  mutating func attributes(nesting: Int = 0) throws(Diagnostic) -> [AttributeValue.Pair] {
    var keys: Set<String> = []
    return try list(until: "}") { parser throws(Diagnostic) in
      let start = parser.token
      let key = try parser.word("an attribute")
      guard keys.insert(key).inserted else {
        throw parser.error(.name, "the attribute \(key) is given twice", at: start)
      }
      try parser.expect("=")
      return AttributeValue.Pair(key: key, value: try parser.attribute(nesting: nesting))
    }
  }

  private mutating func attribute(nesting: Int) throws(Diagnostic) -> AttributeValue {
    guard nesting < AttributeValue.maximumNesting else {
      throw error(.syntax, "attributes nest too deeply", at: token)
    }
    if take("[") {
      return .list(
        try list(until: "]") { parser throws(Diagnostic) in
          try parser.attribute(nesting: nesting + 1)
        })
    }
    if take("{") { return .pairs(try attributes(nesting: nesting + 1)) }
    let word = try word("an attribute's value")
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    default:  // text
      return Int(word).map { .integer($0) } ?? .word(word)
    }
  }

  /// `loc("path" "file":line)` or nothing; `nil` when nothing is there.
  mutating func location() throws(Diagnostic) -> Location? {
    guard take(word: "loc") else { return nil }
    try expect("(")
    var location = Location()
    var strings: [String] = []
    while case .string(let string) = token.kind, strings.count < 2 {
      strings.append(string)
      advance()
    }
    let isPlaceUnknown = take(word: "unknown")
    if isPlaceUnknown || at(":") {
      if !isPlaceUnknown { location.file = strings.popLast() }
      try expect(":")
      location.line = try integer("a line number")
    }
    guard strings.count <= 1 else { throw unexpected("':' and a line number") }
    location.path = strings.first ?? ""
    try expect(")")
    return location
  }
}
