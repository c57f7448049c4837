extension Graph {
  /// The path of the large constants that lie beside a file of text.
  public static func literalsPath(beside path: String) -> String { "\(path).safetensors" }

  /// Reads a file of text, and the large constants beside it where the text names some.
  ///
  /// - Parameter locatingByLine: whether a node without a location gets its line in the file.
  public static func read(
    _ path: String, locatingByLine: Bool = true
  ) throws(Diagnostics) -> Graph {
    let text: String
    var literals: [String: Literal] = [:]
    do throws(Diagnostic) {
      guard let valid = String(validating: try Files.read(path), as: UTF8.self) else {
        throw Diagnostic(
          .format, "\(path) is not text", hint: "the text of a graph is in UTF-8")
      }
      text = valid
      if Lexer.tokens(of: text).namesLiterals {
        literals = try SafeTensors(path: literalsPath(beside: path)).literals
      }
    } catch {
      throw Diagnostics([error])
    }
    return try parse(text, file: path, literals: literals, locatingByLine: locatingByLine)
  }

  /// Writes the text to a file, and large constants to a safetensors file beside it.
  public func write(to path: String, locations: Bool = true) throws(Diagnostic) {
    let (text, literals) = textWithLiterals(locations: locations)
    // The constants first: a text without them could not be read.
    if !literals.isEmpty {
      try SafeTensors(literals).write(to: Graph.literalsPath(beside: path))
    }
    try Files.write([Array(text.utf8)], to: path)
  }
}

extension [Token] {
  /// Whether a constant's data is the name of a literal.
  fileprivate var namesLiterals: Bool {
    indices.dropFirst().contains { index in
      guard case .symbol = self[index].kind else { return false }
      return self[index - 1].kind == .word("constant")
    }
  }
}
