import GraphIR

/// A lesson that the program `martlet` can train by name: a model, or several that are compared.
public struct Sample: Sendable {
  /// The name on the command line: `lenet`.
  public let name: String
  /// One line on what it is.
  public let summary: String
  /// What is trained, in order; at least one.
  public let recipes: [Recipe]
  private let conclude: (@Sendable ([Recipe.Outcome]) throws(Diagnostics) -> [String])?
  private let draw: (@Sendable (Recipe.Outcome) throws(Diagnostics) -> [PictureSheet])?

  /// Makes a sample of one model.
  ///
  /// - Parameters:
  ///   - conclusion: Gives lines on what there is to learn from the outcome, beside its loss and metrics.
  ///   - pictures: Gives pictures of what was learned.
  public init(
    _ name: String, _ summary: String, _ recipe: Recipe,
    conclusion: (@Sendable (Recipe.Outcome) throws(Diagnostics) -> [String])? = nil,
    pictures: (@Sendable (Recipe.Outcome) throws(Diagnostics) -> [PictureSheet])? = nil
  ) {
    self.name = name
    self.summary = summary
    recipes = [recipe]
    draw = pictures
    guard let conclusion else {
      conclude = nil
      return
    }
    conclude = { outcomes throws(Diagnostics) in
      try outcomes.first.map(conclusion) ?? []
    }
  }

  /// Makes a sample of several models that are trained one after the other and compared; each has a name.
  ///
  /// - Parameter conclusion: Gives lines on what there is to learn from the outcomes, beside their losses and metrics.
  public init(
    _ name: String, _ summary: String, comparing recipes: [Recipe],
    conclusion: (@Sendable ([Recipe.Outcome]) throws(Diagnostics) -> [String])? = nil
  ) {
    precondition(!recipes.isEmpty, "a sample trains at least one model")
    self.name = name
    self.summary = summary
    self.recipes = recipes
    draw = nil
    conclude = conclusion
  }

  /// The recipe of a name among several; the first for an empty name, nil where there is none.
  public func recipe(named name: String) -> Recipe? {
    name.isEmpty ? recipes.first : recipes.first { $0.name == name }
  }

  /// What there is to learn from the outcomes of all recipes, in order; empty when they say it themselves.
  ///
  /// A last line that is no row of a table also stands in `Samples/README.md`.
  public func conclusion(_ outcomes: [Recipe.Outcome]) throws(Diagnostics) -> [String] {
    try conclude?(outcomes) ?? []
  }

  /// Pictures of what was learned; empty for most samples.
  public func pictures(_ outcomes: [Recipe.Outcome]) throws(Diagnostics) -> [PictureSheet] {
    guard let draw, let outcome = outcomes.first else { return [] }
    return try draw(outcome)
  }
}

extension Sample {
  /// Lines of a table for a conclusion: columns are as wide as their widest cell and two spaces apart, numbers at the right.
  ///
  /// - Parameters:
  ///   - header: The columns' names; the first names the rows.
  ///   - rows: Cells, as many in each row as there are columns.
  public static func table(_ header: [String], _ rows: [[String]]) -> [String] {
    let lines = [header] + rows
    let widths = header.indices.map { column in
      lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return lines.map { line in
      zip(line, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: max(cell.1 - cell.0.count, 0))
        return column == 0 ? cell.0 + space : space + cell.0
      }.joined(separator: "  ")
    }
  }
}
