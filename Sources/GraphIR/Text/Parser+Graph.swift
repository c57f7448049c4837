/// The grammar of graphs and statements.
extension Parser {
  /// What one graph's text has given so far.
  private struct Scope {
    var builder: GraphBuilder
    var bindings: [String: Binding] = [:]
    /// Whether all of it could be understood.
    var isComplete = true
  }

  /// An output as the head of a graph declares it.
  private struct Declared {
    var name: String
    var type: TensorType
    var token: Token
  }

  /// Reads one graph.
  ///
  /// - Returns: nil when statements were refused; `diagnostics` then says why.
  mutating func graph(nesting: Int) throws(Diagnostic) -> Graph? {
    let start = token
    try expect(word: "graph")
    guard nesting <= Graph.maximumNesting else {
      throw error(.syntax, "graphs nest too deeply", at: start)
    }
    var scope = Scope(builder: GraphBuilder(name: try symbol("the graph's name (@name)")))
    let donations = try inputs(&scope)
    try expectArrow()
    let declared = try outputs()
    try resolve(donations, declared, &scope)
    try expect("{")
    while !at(word: "return") {
      let position = position
      do {
        try statement(&scope, nesting: nesting)
      } catch {
        diagnostics.append(error)
        scope.isComplete = false
        guard recover(from: position) else { return nil }
      }
      if at("}") { break }
    }
    return try end(&scope, declared, start)
  }

  /// `(%x: f32[3] donates y, ...)`; gives the outputs' names to which inputs are donated.
  private mutating func inputs(
    _ scope: inout Scope
  ) throws(Diagnostic) -> [(input: Int, output: String, token: Token)] {
    try expect("(")
    var donations: [(input: Int, output: String, token: Token)] = []
    while !take(")") {
      if !scope.bindings.isEmpty { try expect(",") }
      let start = token
      let name = try valueName()
      try expect(":")
      let type = try type()
      if take(word: "donates") {
        let output = token
        donations.append(
          (scope.builder.graph.inputs.count, try word("the name of an output"), output))
      }
      let value = scope.builder.input(name, type, location: try location() ?? line(start))
      guard scope.bindings.updateValue(.value(value), forKey: name) == nil else {
        throw error(.name, "two inputs have the name \(name)", at: start)
      }
    }
    return donations
  }

  /// `f32[3]`, or `(loss: f32, f32[3], ...)`.
  private mutating func outputs() throws(Diagnostic) -> [Declared] {
    guard take("(") else {
      let start = token
      return [Declared(name: Output.defaultName(0), type: try type(), token: start)]
    }
    var position = 0
    return try list(until: ")") { parser throws(Diagnostic) in
      defer { position += 1 }
      let start = parser.token
      guard parser.isNamedOutput else {
        return Declared(
          name: Output.defaultName(position), type: try parser.type(), token: start)
      }
      let name = try parser.word("the name of an output")
      try parser.expect(":")
      return Declared(name: name, type: try parser.type(), token: start)
    }
  }

  private func resolve(
    _ donations: [(input: Int, output: String, token: Token)], _ declared: [Declared],
    _ scope: inout Scope
  ) throws(Diagnostic) {
    for (input, output, token) in donations {
      guard let position = declared.firstIndex(where: { $0.name == output }) else {
        throw error(
          .name, "there is no output \(output) to donate to", at: token,
          hint: "the outputs are: \(declared.map(\.name).joined(separator: ", "))")
      }
      scope.builder.graph.inputs[input].donatedTo = position
    }
  }

  /// `return %a, %b }`, and the graph made of it.
  private mutating func end(
    _ scope: inout Scope, _ declared: [Declared], _ start: Token
  ) throws(Diagnostic) -> Graph? {
    let place = token
    statementStart = position
    var returned: [Binding] = []
    do {
      try expect(word: "return")
      returned = try values(scope)
      try expect("}")
    } catch {
      // After a refused statement the end is read to keep in step, not to be judged.
      if scope.isComplete { throw error }
      return nil
    }
    guard returned.count == declared.count else {
      throw error(
        .wrongCount, "\(returned.count) values are returned for \(declared.count) outputs",
        at: place)
    }
    var outputs: [Output] = []
    for (binding, output) in zip(returned, declared) {
      guard case .value(let value) = binding else { continue }
      let type = scope.builder.type(of: value)
      guard type == output.type else {
        throw error(
          .typeMismatch, "output \(output.name) is declared as \(output.type), but given \(type)",
          at: place)
      }
      outputs.append(Output(output.name, value))
    }
    guard scope.isComplete else { return nil }
    do {
      return try scope.builder.finish(outputs)
    } catch {
      throw atLine(of: start, error)
    }
  }

  /// `%a, %b = name @symbol %x, %y {attributes} data graph... : types loc(...)`.
  private mutating func statement(_ scope: inout Scope, nesting: Int) throws(Diagnostic) {
    let start = token
    statementStart = position
    let results = try self.results(&scope)
    let mnemonicToken = token
    let mnemonic = try word("an operation")
    guard let head = Operation.heads[mnemonic] else {
      throw error(
        .name, "'\(mnemonic)' is no operation", at: mnemonicToken,
        hint: Self.similar(to: mnemonic).map { "did you mean \($0)?" })
    }
    let name = head.kind == .composite ? try symbol("the composite's name (@name)") : nil
    let operands = try values(scope, before: results)
    let attributes = take("{") ? try attributes() : []
    let data = head.kind == .constant ? try data() : nil
    var bodies: [Graph] = []
    while at(word: "graph") {
      guard let body = try graph(nesting: nesting + 1) else {
        scope.isComplete = false
        try skipTypes()
        return
      }
      bodies.append(body)
    }
    let types = try types()
    let location = try location() ?? line(start)
    guard token.startsLine || at("}") else { throw unexpected("the end of the line") }
    guard results.count == types.count else {
      throw error(
        .wrongCount, "\(results.count) results are named for \(types.count) types", at: start)
    }
    let values = operands.compactMap { if case .value(let value) = $0 { value } else { nil } }
    guard values.count == operands.count else { return }
    do {
      let operation = try Operation(head, name: name, attributes, type: types.first)
      let literal = try data.map { data throws(AttributeError) in
        try self.literal(data, types.first)
      }
      try append(
        operation, values, bodies, literal ?? nil, types, results, location, start, &scope)
    } catch let error as AttributeError {
      throw self.error(.invalidAttribute, error.message, at: start)
    } catch let error as Diagnostic {
      throw error
    } catch {
      throw self.error(.internalError, "\(error)", at: start)
    }
  }

  private func append(
    _ operation: Operation, _ operands: [Value], _ bodies: [Graph], _ literal: Literal?,
    _ types: [TensorType], _ results: [String], _ location: Location, _ start: Token,
    _ scope: inout Scope
  ) throws(Diagnostic) {
    let values: [Value]
    do {
      values = try scope.builder.append(
        operation, operands, bodies: bodies, literal: literal, at: location)
    } catch {
      throw atLine(of: start, error)
    }
    let inferred = values.map { scope.builder.type(of: $0) }
    guard inferred == types else {
      let list = inferred.map(\.description).joined(separator: ", ")
      let written = types.map(\.description).joined(separator: ", ")
      throw error(
        .typeMismatch, "\(operation.mnemonic) gives \(list), not \(written) as written", at: start)
    }
    for (name, value) in zip(results, values) { scope.bindings[name] = .value(value) }
  }

  /// `%a, %b =`, whose names stay unknown until the statement is understood.
  private mutating func results(_ scope: inout Scope) throws(Diagnostic) -> [String] {
    var names: [String] = []
    while case .value(let name) = token.kind {
      guard scope.bindings[name] == nil else {
        throw error(.name, "%\(name) is defined twice", at: token)
      }
      scope.bindings[name] = .unknown
      names.append(name)
      advance()
      if take("=") { return names }
      try expect(",")
    }
    guard names.isEmpty else { throw unexpected("a value (%name)") }
    return names
  }

  /// `%a, %b`, or nothing; the statement's own results are not there yet.
  private mutating func values(
    _ scope: Scope, before results: [String] = []
  ) throws(Diagnostic) -> [Binding] {
    var bindings: [Binding] = []
    while case .value(let name) = token.kind {
      guard let binding = scope.bindings[name], !results.contains(name) else {
        throw error(.name, "%\(name) is not defined", at: token)
      }
      bindings.append(binding)
      advance()
      guard take(",") else { return bindings }
      guard case .value = token.kind else { throw unexpected("a value (%name)") }
    }
    return bindings
  }

  /// `: f32[3]`, `: (f32, f32)` or `: ()`.
  private mutating func types() throws(Diagnostic) -> [TensorType] {
    try expect(":")
    guard take("(") else { return [try type()] }
    return try list(until: ")") { parser throws(Diagnostic) in try parser.type() }
  }

  /// Reads over what follows a body that was refused.
  private mutating func skipTypes() throws(Diagnostic) {
    while !token.startsLine && token.kind != .end { advance() }
  }

  private func line(_ token: Token) -> Location {
    locatingByLine ? Location(file: file, line: token.line) : .unknown
  }
}

extension Parser {
  /// Whether `name:` stands here.
  fileprivate var isNamedOutput: Bool {
    var ahead = self
    guard case .word = token.kind else { return false }
    ahead.advance()
    return ahead.at(":")
  }

  /// A constant's data: in the text, or the name of a literal beside it.
  fileprivate enum ConstantData {
    case written(LiteralText.Written)
    case named(String, Token)
  }

  /// `1.5`, `[1, 2, 3]`, `"base64"` or `@name`.
  fileprivate mutating func data() throws(Diagnostic) -> ConstantData {
    let start = token
    switch token.kind {
    case .word(let word):
      advance()
      return .written(.element(word))
    case .string(let base64):
      advance()
      return .written(.base64(base64))
    case .symbol(let name):
      advance()
      return .named(name, start)
    case .punctuation("["):
      advance()
      return .written(
        .list(try list(until: "]") { parser throws(Diagnostic) in try parser.word("an element") }))
    case .value, .arrow, .punctuation, .invalid, .end:
      throw unexpected("the constant's data")
    }
  }

  fileprivate func literal(
    _ data: ConstantData, _ type: TensorType?
  ) throws(AttributeError) -> Literal? {
    guard let type else { return nil }
    switch data {
    case .written(let written): return try LiteralText.literal(written, type)
    case .named(let name, _):
      guard let literal = literals[name] else {
        throw AttributeError(
          message: "the constant @\(name) is not beside the text (in FILE.safetensors)")
      }
      return literal
    }
  }

  /// The operation whose name is nearest to a misspelled one; nil when none is near.
  fileprivate static func similar(to word: String) -> String? {
    guard word.utf8.count <= 40 else { return nil }
    let near = Operation.mnemonics.map { ($0, distance(Array($0.utf8), Array(word.utf8))) }
      .min { $0.1 < $1.1 }
    return near.flatMap { $0.1 <= 1 + word.utf8.count / 4 ? $0.0 : nil }
  }

  /// The number of bytes to insert, drop or change.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let changed = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(changed, diagonal + 1, row[j] + 1)
      }
    }
    return row[b.count]
  }
}
