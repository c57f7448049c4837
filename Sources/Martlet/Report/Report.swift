import GraphIR

/// A page on one training run or on several that are compared: curves, gradients, what happens inside of the layers, and
/// where the model is wrong.
///
/// It is one HTML file without scripts that needs nothing else.
///
/// ```swift
/// let recorder = Recorder(test: digits.test)
/// try trainer.fit(digits.train, batch: 64, epochs: 20, callbacks: [recorder])
/// let run = Report.Run("lenet", trainer, recorder, test: digits.test)
/// try Report("LeNet", summary: "on digits", [run]).write(to: "report/index.html")
/// ```
public struct Report {
  /// A trained model with what was recorded while it learned.
  public struct Run {
    /// What tells it from the others; may be empty for one.
    public let name: String
    /// The trained model.
    public let trainer: Trainer
    /// What was recorded.
    public let recorder: Recorder
    /// The examples by which it is judged.
    public let test: Dataset

    /// Makes a run.
    public init(_ name: String, _ trainer: Trainer, _ recorder: Recorder, test: Dataset) {
      self.name = name
      self.trainer = trainer
      self.recorder = recorder
      self.test = test
    }
  }

  /// What the page is about.
  public let title: String
  /// One line on it.
  public let summary: String
  /// The training runs.
  public let runs: [Run]
  /// Lines on what there is to learn from them.
  public let conclusion: [String]
  /// Pictures that are shown besides.
  public let sheets: [PictureSheet]

  /// Makes a report.
  public init(
    _ title: String, summary: String, _ runs: [Run], conclusion: [String] = [],
    sheets: [PictureSheet] = []
  ) {
    self.title = title
    self.summary = summary
    self.runs = runs
    self.conclusion = conclusion
    self.sheets = sheets
  }

  /// Writes the page, replacing a file as a whole.
  ///
  /// - Throws: when a model cannot be run on its test examples, or the file cannot be written.
  public func write(to path: String) throws(Diagnostics) {
    let page = try html()
    try Diagnostics.collecting { () throws(Diagnostic) in
      try Files.write([Array(page.utf8)], to: path)
    }
  }

  /// The page as text.
  ///
  /// - Throws: when a model cannot be run on its test examples.
  public func html() throws(Diagnostics) -> String {
    var body = header
    body += section("Curves", curves)
    body += section("Gradients", gradients)
    body += try pictures(of: runs)
    for sheet in sheets {
      body += section(
        sheet.title, element("p", text: sheet.explanation) + (try sheet.markup()))
    }
    body += section("Outputs of the layers", layerOutputs)
    body += section("Weights", weights)
    body += section("Numbers", numbers)
    return page(element("main", [:], body))
  }

  /// The charts with a name for each, as files of their own would have it.
  package var drawings: [(name: String, drawing: Drawing)] {
    charts.map { ($0.name, $0.chart.drawing) }
  }

  // MARK: Parts

  /// A part of the page under a heading; nothing where it is empty.
  func section(_ title: String, _ content: String) -> String {
    content.isEmpty
      ? "" : element("section", [:], element("h2", text: title) + content) + "\n"
  }

  /// What several drawings say side by side.
  func cards(_ drawings: [Drawing], class name: String = "cards") -> String {
    element(
      "div", ["class": name],
      drawings.map { element("div", ["class": "card"], $0.element) }.joined(separator: "\n"))
  }

  private var header: String {
    var content = element("h1", text: title) + element("p", text: summary)
    content += element("div", ["class": "scroll"], results)
    // As in the terminal: tables keep their columns.
    let lesson = conclusion.joined(separator: "\n")
    if !lesson.isEmpty { content += element("pre", ["class": "lesson scroll"], text: lesson) }
    return element("header", [:], content) + "\n"
  }

  /// A row for each run: its size, its settings, and the last numbers of its history.
  private var results: String {
    let names = judged
    let head = [runs.count > 1 ? "model" : nil, "parameters", "epochs"].compactMap { $0 }
    var rows = element(
      "tr", [:], (head + names).map { element("th", text: $0) }.joined())
    for run in runs {
      let parameters = run.trainer.parameterNames.compactMap {
        run.trainer.value(of: $0)?.type.shape.elementCount
      }.reduce(0, +)
      let cells = [runs.count > 1 ? run.name : nil, "\(parameters)", "\(run.trainer.epoch)"]
      let values = names.map { name in
        run.recorder.history[name].last.map { run.text(of: $0.value, name) } ?? "–"
      }
      rows += element(
        "tr", [:], (cells.compactMap { $0 } + values).map { element("td", text: $0) }.joined())
    }
    return element("table", [:], rows)
  }

  /// The columns with losses and metrics.
  private var judged: [String] {
    var names: [String] = []
    for column in runs.flatMap(\.recorder.history.columns)
    where !["epoch", "learning_rate"].contains(column) && !names.contains(column)
      && !column.hasPrefix(Recorder.gradientPrefix)
    {
      names.append(column)
    }
    return names
  }

  /// The tables of all numbers, closed.
  private var numbers: String {
    runs.map { run in
      let history = run.recorder.history
      var rows = element("tr", [:], history.columns.map { element("th", text: $0) }.joined())
      for row in history.rows {
        rows += element(
          "tr", [:],
          row.map { element("td", text: $0.map { shortNumber($0) } ?? "") }.joined())
      }
      return element(
        "details", [:],
        element("summary", text: run.name.isEmpty ? "every epoch" : run.name)
          + element("div", ["class": "scroll"], element("table", [:], rows)))
    }.joined()
  }

  private func page(_ body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width,initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <title>\(title.markup)</title>
    <style>
    \(ChartStyle.css(root: ":root"))
    \(Report.style)
    </style></head>
    <body>
    \(body)
    </body></html>

    """
  }

  private static let style = """
    *{box-sizing:border-box}
    body{margin:0;background:var(--ground);color:var(--ink);
    font:16px/1.5 system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif}
    main{max-width:1120px;margin:0 auto;padding:1.5rem 1rem 4rem}
    h1{font-size:1.7rem;line-height:1.2;margin:0}
    h2{font-size:1.2rem;margin:2.5rem 0 .25rem}
    h3{font-size:1rem;margin:1.25rem 0 .25rem}
    p{color:var(--soft);max-width:70ch;margin:.25rem 0 .75rem}
    .lesson{color:var(--ink)}
    .cards{display:grid;gap:1.25rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr))}
    .small{grid-template-columns:repeat(auto-fill,minmax(min(100%,16rem),1fr))}
    .card{min-width:0;break-inside:avoid}
    .chart{display:block;width:100%;height:auto;max-width:34rem}
    .pictures{display:grid;gap:.4rem;grid-template-columns:repeat(var(--columns),minmax(1.8rem,5.5rem))}
    .fill{grid-template-columns:repeat(auto-fill,minmax(4.4rem,1fr));gap:.6rem}
    figure{margin:0;min-width:0;break-inside:avoid}
    img{display:block;width:100%;height:auto;image-rendering:pixelated;border:1px solid var(--line)}
    figcaption{font-size:.75rem;line-height:1.3;color:var(--soft);overflow-wrap:anywhere}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
    th,td{padding:.25rem .75rem .25rem 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
    th{color:var(--soft);font-weight:500}
    th:first-child,td:first-child{text-align:left}
    summary{cursor:pointer}
    @media print{main{padding:0}h2{break-after:avoid}}
    """
}

extension Report.Run {
  /// Whether a number is a share, which is shown in percent.
  func isShare(_ column: String) -> Bool {
    let name = column.split(separator: ".").last.map(String.init)
    return trainer.metrics.contains { $0.name == name && $0.isShare }
  }

  /// A number as the results show it.
  fileprivate func text(of value: Double, _ column: String) -> String {
    isShare(column)
      ? "\((100 * value).formatted(digits: 1)) %" : shortNumber(value)
  }
}
