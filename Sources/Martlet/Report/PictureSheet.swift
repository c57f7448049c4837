import GraphIR

/// Pictures that belong together, in rows: what a sample has to show of what it learned.
public struct PictureSheet: Sendable {
  /// A picture with a few words.
  public struct Figure: Sendable {
    /// The words.
    public let caption: String
    /// The picture.
    public let picture: Picture

    /// Makes a figure.
    public init(_ caption: String, _ picture: Picture) {
      self.caption = caption
      self.picture = picture
    }
  }

  /// A word that names a file: `saliency`.
  public let name: String
  /// What the pictures are.
  public let title: String
  /// A sentence or two on how to read them.
  public let explanation: String
  /// The number of pictures in a row.
  public let columns: Int
  /// The pictures, row by row.
  public let figures: [Figure]

  /// Makes a sheet.
  public init(
    _ name: String, title: String, explanation: String, columns: Int, _ figures: [Figure]
  ) {
    self.name = name
    self.title = title
    self.explanation = explanation
    self.columns = max(columns, 1)
    self.figures = figures
  }

  /// All pictures as one, without their captions; a pixel becomes a square of `scale`.
  public func picture(scale: Int = 3) -> Picture {
    Picture.sheet(figures.map { $0.picture.enlarged(scale) }, columns: columns, gap: 2 * scale)
  }

  /// Writes the sheet as `NAME.png` to a folder that is there.
  ///
  /// - Returns: the path of the file.
  /// - Throws: when it cannot be written.
  public func write(toFolder folder: String, scale: Int = 3) throws(Diagnostic) -> String {
    let path = "\(folder)/\(name).png"
    try Files.write([try picture(scale: scale).png()], to: path)
    return path
  }

  /// The sheet as a part of a page; without a number of columns, as many as fit.
  func markup(hasColumns: Bool = true) throws(Diagnostics) -> String {
    var content = ""
    for figure in figures {
      let source = try Diagnostics.collecting { () throws(Diagnostic) in
        try figure.picture.dataURI()
      }
      let image = element(
        "img",
        [
          "src": source, "alt": figure.caption,
          "width": figure.picture.width, "height": figure.picture.height,
        ])
      content += element(
        "figure", [:],
        image + (figure.caption.isEmpty ? "" : element("figcaption", text: figure.caption)))
    }
    return hasColumns
      ? element("div", ["class": "pictures scroll", "style": "--columns:\(columns)"], content)
      : element("div", ["class": "pictures fill"], content)
  }
}
