import Compiler
import Foundation
import FoundationXML
import GraphIR
import Interpreter
import Martlet
import Testing

/// What is recorded of a training run, and the page on it.
@Suite struct ReportTests {
  /// Images of 4x4 pixels that are bright on the left or on the right.
  static func images(_ count: Int) throws -> Dataset {
    var pixels: [Float] = []
    for index in 0..<count {
      pixels += (0..<16).map { place in
        let isBright = (place % 4 < 2) == (index % 2 == 0)
        return (isBright ? 0.7 : 0.1) + Float((index * 31 + place * 17) % 29) / 100
      }
    }
    return try Dataset(
      inputs: f32([count, 4, 4, 1], pixels),
      labels: Literal([count], (0..<count).map { Int32($0 % 2) }), inputName: "image",
      classNames: ["left", "<right>"])
  }

  static func run(
    _ recorder: Recorder, epochs: Int = 2, validation: Dataset? = nil
  ) throws -> Trainer {
    let trainer = try Trainer(
      Sequential(
        Conv2D(filters: 2, size: 3, activation: .relu), Flatten(), Dense(3, .tanh), Dropout(0.25),
        Dense(2)),
      loss: .softmaxCrossEntropy, optimizer: SGD(learningRate: 0.01),
      backend: InterpreterBackend())
    try trainer.fit(
      images(6), validation: validation, batch: 3, epochs: epochs, progress: .silent,
      callbacks: [recorder])
    return trainer
  }

  @Test func theRecorderKeepsEveryEpoch() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appending(path: "history.csv").path
    let recorder = Recorder(path: path, test: try ReportTests.images(4), examples: 4)
    let trainer = try ReportTests.run(recorder)
    let history = recorder.history
    let weights = ["layer0.filter", "layer0.bias", "layer2.weight", "layer2.bias"]
    #expect(history.rows.map { $0[0] } == [0, 1, 2])
    #expect(history.measures == ["loss", "accuracy", "learning_rate"])
    for column in ["loss", "test.loss", "test.accuracy", "learning_rate"] {
      #expect(history[column].map(\.epoch) == [1, 2], "\(column)")
    }
    for name in weights { #expect(history["gradient.\(name)"].count == 3) }
    #expect(recorder.weights.map(\.name) == trainer.parameterNames)
    #expect(Set(weights).isSubset(of: trainer.parameterNames))
    #expect(recorder.layers.map(\.name) == (0..<5).map { "layer\($0)" })
    #expect((recorder.weights + recorder.layers).allSatisfy { $0.distributions.count == 3 })
    // The file holds the same, and nothing of it was lost.
    #expect(try History(path: path) == history)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["history.csv"])
  }

  @Test func recordingChangesNothing() throws {
    let validation = try ReportTests.images(4)
    let trainers = try [4, 6].map { count in
      try ReportTests.run(Recorder(examples: count), validation: validation)
    }
    let plain = try ReportTests.run(Recorder(examples: 1), epochs: 0)
    try plain.fit(ReportTests.images(6), batch: 3, epochs: 2, progress: .silent)
    for name in plain.parameterNames {
      #expect(trainers.allSatisfy { $0.value(of: name) == plain.value(of: name) })
    }
  }

  @Test func theNormsAreThoseOfATrainingStep() throws {
    let recorder = Recorder(examples: 6)
    let trainer = try ReportTests.run(recorder, epochs: 0)
    let data = try ReportTests.images(6)
    let step = try trainer.trainingGraph(data.signature, batch: 6, withGradients: true)
    var values = trainer.initialValues(step)
    let batch = try data.batch(6)
    values["image"] = batch.inputs
    values["label"] = batch.labels
    let inputs = try step.graph.inputs.map { try #require(values[$0.name]) }
    let outputs = try interpret(step.graph, inputs)
    for (output, literal) in zip(step.graph.outputs, outputs)
    where output.name.hasPrefix("gradient.") {
      let norm = literal.doubles().map { $0 * $0 }.reduce(0, +).squareRoot()
      let recorded = try #require(recorder.history[output.name].first?.value)
      #expect(abs(norm - recorded) <= 1e-5 * norm, "\(output.name)")
    }
  }

  @Test func thePageHoldsAllThatWasSeen() throws {
    let test = try ReportTests.images(8)
    let recorders = [Recorder(test: test), Recorder(test: test)]
    let trainers = try recorders.map { try ReportTests.run($0) }
    let runs = zip(["a&b", "second"], zip(trainers, recorders)).map {
      Report.Run($0, $1.0, $1.1, test: test)
    }
    let sheet = PictureSheet(
      "s", title: "Sheet", explanation: "e", columns: 2,
      [.init("one", try #require(Picture(stretching: f32([2, 2], [0, 0.5, 1, 2]))))])
    let page = try Report(
      "Title <1>", summary: "s", runs, conclusion: ["a lesson"], sheets: [sheet]
    ).html()
    for part in [
      "Title &lt;1&gt;", "a&amp;b", "a lesson", ">Sheet<", "accuracy (%)", ">loss<",
      "norm of the gradient, second", "layer0.filter", "Filters of the first layer",
      "Which class is taken for which", "&lt;right&gt;", "learning rate",
    ] {
      #expect(page.contains(part), "\(part)")
    }
    // Nothing from elsewhere, and no script.
    #expect(!page.contains("http") && !page.contains("<script") && !page.contains("url("))
    // The numbers are there.
    for (name, values) in [
      ("test.loss", recorders[0].history["test.loss"]), ("loss", recorders[1].history["loss"]),
    ] {
      for value in values {
        #expect(page.contains("<td>\(shortNumber(value.value))</td>"), "\(name)")
      }
    }
    let body = page.replacing("<!DOCTYPE html>\n", with: "")
    let parser = XMLParser(data: Data(body.utf8))
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
    let image = try #require(page.components(separatedBy: "data:image/png;base64,").last)
    let data = try #require(Data(base64Encoded: String(image.prefix { $0 != "\"" })))
    #expect(data.starts(with: [0x89, 0x50, 0x4E, 0x47]))
  }

  @Test func picturesKeepTheirPixels() throws {
    let grey = try #require(Picture(stretching: f32([2, 3], [0, 1, 2, 4, 3, .nan])))
    #expect(grey.channels == 1 && grey.pixels == [0, 0.25, 0.5, 1, 0.75, 0])
    let signed = try #require(Picture(signed: f32([1, 3], [-2, 0, 1])))
    #expect(signed.channels == 3 && signed.pixels.prefix(6) == [0.125, 0.36, 0.72, 1, 1, 1])
    #expect(signed.pixels.suffix(3) == [0.885, 0.58, 0.58])
    let large = Picture.sheet([grey.enlarged(2), signed], columns: 1, gap: 1)
    #expect(large.height == 2 * 5 + 1 && large.width == 8)
    // The second row of the first picture, and the first pixel of the second, which begins at row 6.
    let first = (3 * 8 + 1) * 3
    #expect(Array(large.pixels[first..<first + 9]) == [1, 1, 1, 1, 1, 1, 0.75, 0.75, 0.75])
    #expect(large.pixels[(6 * 8 + 1) * 3] == 0.125)
    for picture in [grey, large] {
      let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).png").path
      try Data(try picture.png()).write(to: URL(filePath: path))
      let read = try Picture(contentsOf: path)
      #expect(read.height == picture.height && read.channels == picture.channels)
      #expect(zip(read.pixels, picture.pixels).allSatisfy { abs($0 - $1) <= 0.5 / 255 + 1e-6 })
    }
    #expect(Picture(stretching: f32([2, 2, 2], [Float](repeating: 0, count: 8))) == nil)
    #expect(throws: Diagnostic.self) { try Picture(height: 0, width: 2, pixels: []).png() }
  }

  @Test(arguments: [
    ("loss,epoch\n1,2\n", "first column"), ("", "first column"),
    ("epoch,loss,loss\n1,2,3\n", "two columns 'loss'"), ("epoch,loss\n1\n", "line 2: 1 cells"),
    ("epoch,loss\n1,2\n2,x\n", "line 3: 'x' is no number (loss)"),
    ("epoch,loss\n,2\n", "line 2: '' is no number (epoch)"),
  ])
  func damagedHistories(text: String, message: String) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).csv").path
    try Data(text.utf8).write(to: URL(filePath: path))
    let problem = #expect(throws: Diagnostic.self) { try History(path: path) }
    #expect(problem?.message.contains(message) == true, "\(problem?.message ?? "")")
  }
}
