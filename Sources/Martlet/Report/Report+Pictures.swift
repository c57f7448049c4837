import GraphIR

/// Where a model is wrong, and what its first layer looks for.
extension Report {
  /// How many examples are shown, and how many filters.
  private static let most = 40

  /// The confusion matrix, wrong examples and the first layer's filters of each run.
  func pictures(of runs: [Run]) throws(Diagnostics) -> String {
    var parts = ["", "", "", ""]
    for run in runs {
      let heading = runs.count > 1 ? element("h3", text: run.name) : ""
      let sheets = try [
        run.wrongExamples(most: Report.most), run.segmentedExamples(most: 8),
        run.firstFilters(most: 2 * Report.most),
      ]
      var contents: [String] = []
      for (index, sheet) in sheets.enumerated() {
        contents.append(try sheet?.markup(hasColumns: index == 1) ?? "")
      }
      let matrix = try run.confusion.map { cards([$0.drawing]) } ?? ""
      for (index, content) in ([matrix] + contents).enumerated() where !content.isEmpty {
        parts[index] += heading + content
      }
    }
    let explanations = [
      (
        "Which class is taken for which",
        "Test examples; the stronger its colour, the more of its row a cell holds."
      ),
      (
        "Wrong examples",
        "The first of the test examples: what it is → what the model takes it for."
      ),
      ("Test examples", "The picture, its label, and what the model says."),
      (
        "Filters of the first layer",
        "Red where a pixel counts for the filter, blue where it counts against, if the input is grey."
      ),
    ]
    return zip(explanations, parts).map { explanation, part in
      section(explanation.0, part.isEmpty ? "" : element("p", text: explanation.1) + part)
    }.joined()
  }
}

extension Report.Run {
  /// How many classes a confusion matrix may have to be read.
  private static let mostClasses = 60

  /// Whether labels are classes of whole examples, and how many classes the model tells apart; nil where they are not.
  private func classCount() throws(Diagnostics) -> Int? {
    let label = test.signature.label
    guard test.count > 0, label.dtype.isInteger, label.shape.elementCount == 1 else { return nil }
    let extents = try predictions(0..<1)?.type.shape.extents ?? []
    guard extents.count == 2, (2...Report.Run.mostClasses).contains(extents[1]) else { return nil }
    return extents[1]
  }

  /// What the model gives for some of the test examples.
  private func predictions(_ positions: Range<Int>) throws(Diagnostics) -> Literal? {
    guard !positions.isEmpty else { return nil }
    let batch = try Diagnostics.collecting { () throws(Diagnostic) in
      try test[positions].batch(positions.count)
    }
    return try trainer.predict(batch.inputs)
  }

  /// The confusion matrix of a classifier.
  fileprivate var confusion: MatrixChart? {
    get throws(Diagnostics) {
      guard try classCount() != nil else { return nil }
      let matrix = try trainer.confusionMatrix(on: test)
      return MatrixChart(
        "\((100 * matrix.accuracy).formatted(digits: 1)) % of \(matrix.total) are right",
        rowTitle: "is", columnTitle: "taken for", names: matrix.classNames, counts: matrix.counts)
    }
  }

  /// The first pictures of which a classifier is wrong.
  fileprivate func wrongExamples(most: Int) throws(Diagnostics) -> PictureSheet? {
    guard let classes = try classCount(), test.signature.input.shape.rank == 3 else { return nil }
    func name(_ index: Int) -> String {
      test.classNames.indices.contains(index) ? test.classNames[index] : "\(index)"
    }
    var figures: [PictureSheet.Figure] = []
    let step = min(250, test.count)
    for start in stride(from: 0, to: test.count, by: step) where figures.count < most {
      let part = start..<min(start + step, test.count)
      guard let scores = try predictions(part)?.doubles() else { break }
      for index in part where figures.count < most {
        let row = Array(scores[(index - start) * classes..<(index - start + 1) * classes])
        let (image, label) = try example(index)
        let actual = Int(saturating: label.doubles().first ?? -1)
        guard let predicted = row.indices.max(by: { row[$0] < row[$1] }), predicted != actual,
          let picture = Picture(shown: image)
        else { continue }
        figures.append(PictureSheet.Figure("\(name(actual)) → \(name(predicted))", picture))
      }
    }
    guard !figures.isEmpty else { return nil }
    return PictureSheet("wrong", title: "", explanation: "", columns: 10, figures)
  }

  /// Pictures beside the classes of their pixels, as labelled and as predicted.
  fileprivate func segmentedExamples(most: Int) throws(Diagnostics) -> PictureSheet? {
    let (input, label) = (test.signature.input.shape.extents, test.signature.label.shape.extents)
    guard input.count == 3, label.count >= 2, Array(label.prefix(2)) == Array(input.prefix(2)),
      label.dropFirst(2).allSatisfy({ $0 == 1 })
    else { return nil }
    let shown = 0..<min(most, test.count)
    guard let output = try predictions(shown) else { return nil }
    let places = input[0] * input[1]
    let scores = output.doubles()
    let classes = scores.count / max(shown.count * places, 1)
    guard classes >= 1, scores.count == classes * shown.count * places else { return nil }
    // One number is a probability where the loss makes one of it, or else a logit.
    let threshold = trainer.loss.interpretation == nil ? 0.0 : 0.5
    var figures: [PictureSheet.Figure] = []
    for index in shown {
      let (image, mask) = try example(index)
      let predicted = (index * places..<(index + 1) * places).map { place -> Double in
        let row = scores[place * classes..<(place + 1) * classes]
        guard classes > 1 else { return row[row.startIndex] > threshold ? 1 : 0 }
        let best = row.indices.max { row[$0] < row[$1] } ?? row.startIndex
        return Double(best - row.startIndex)
      }
      func picture(_ values: [Double]) -> Picture {
        let scale = Double(max(classes - 1, 1))
        return Picture(height: input[0], width: input[1], pixels: values.map { Float($0 / scale) })
      }
      for (caption, picture) in [
        ("picture", Picture(shown: image)), ("label", picture(mask.doubles())),
        ("predicted", picture(predicted)),
      ] {
        if let picture { figures.append(PictureSheet.Figure(caption, picture)) }
      }
    }
    return figures.count == 3 * shown.count
      ? PictureSheet("segmented", title: "", explanation: "", columns: 6, figures) : nil
  }

  /// An example of the test.
  private func example(_ index: Int) throws(Diagnostics) -> (input: Literal, label: Literal) {
    try Diagnostics.collecting { () throws(Diagnostic) in try test.example(index) }
  }

  /// The filters of a first convolution, or the weights of a first dense layer, each as a picture.
  fileprivate func firstFilters(most: Int) throws(Diagnostics) -> PictureSheet? {
    let extents = test.signature.input.shape.extents
    guard extents.count == 3 else { return nil }
    for name in trainer.parameterNames {
      guard let value = trainer.value(of: name), value.type.shape.rank >= 2 else { continue }
      let pictures = Picture.filters(value, of: extents).prefix(most)
      // What comes later looks at other things than pixels.
      guard !pictures.isEmpty else { return nil }
      let figures = pictures.enumerated().map { PictureSheet.Figure("\($0)", $1) }
      return PictureSheet("filters", title: "", explanation: "", columns: 10, figures)
    }
    return nil
  }
}
