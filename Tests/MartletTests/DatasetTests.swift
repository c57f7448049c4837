import Compiler
import GraphIR
import Martlet
import Testing

/// Data sets in parts: what is chosen is chosen as it should be, from memory as from what is read.
@Suite struct DatasetTests {
  /// Examples whose input is their number, with the given classes.
  static func numbered(_ classes: [Int32], names: [String] = []) throws -> Dataset {
    try Dataset(
      inputs: f32([classes.count, 1], classes.indices.map { Float($0) }),
      labels: Literal([classes.count], classes), classNames: names)
  }

  /// The same examples, read when they are needed.
  static func read(_ data: Dataset) throws -> Dataset {
    try Dataset(
      inputs: Column(count: data.count, of: data.signature.input) { index throws(Diagnostic) in
        try data.example(index).input
      },
      labels: Column(count: data.count, of: data.signature.label) { index throws(Diagnostic) in
        try data.example(index).label
      }, classNames: data.classNames)
  }

  /// The numbers of a set's examples.
  static func numbers(_ data: Dataset) throws -> [Int] {
    try (0..<data.count).map { Int(try data.example($0).input.doubles()[0]) }
  }

  static func counts(_ data: Dataset) throws -> [Int: Int] {
    try data.classes().reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  /// 60 examples of class 0, 30 of class 1 and 11 of class 2, mixed.
  static let uneven = (0..<101).map { index in
    Int32(index * 47 % 101 < 60 ? 0 : index * 47 % 101 < 90 ? 1 : 2)
  }

  @Test(arguments: [false, true])
  func stratifiedPartsHaveOfEachClassItsShare(isRead: Bool) throws {
    var data = try DatasetTests.numbered(DatasetTests.uneven)
    if isRead { data = try DatasetTests.read(data) }
    let split = try data.split(validation: 0.1, test: 0.2, stratified: true, seed: 3)
    let validation = try #require(split.validation)
    #expect((split.train.count, validation.count, split.test.count) == (71, 10, 20))
    for (part, share) in [(split.train, 0.7), (validation, 0.1), (split.test, 0.2)] {
      for (number, count) in [60.0, 30, 11].enumerated() {
        let actual = Double(try DatasetTests.counts(part)[number] ?? 0)
        #expect(abs(actual - share * count) < 1.5, "class \(number): \(actual) of \(count)")
      }
    }
    let all = try [split.train, validation, split.test].flatMap { try DatasetTests.numbers($0) }
    #expect(all.sorted() == Array(0..<101), "each example is in one part")
    let again = try data.split(validation: 0.1, test: 0.2, stratified: true, seed: 3)
    let other = try data.split(validation: 0.1, test: 0.2, stratified: true, seed: 4)
    #expect(try DatasetTests.numbers(again.train) == DatasetTests.numbers(split.train))
    #expect(try DatasetTests.numbers(other.test) != DatasetTests.numbers(split.test))
  }

  @Test(arguments: [false, true])
  func eachExampleIsInOneFoldToJudgeWith(isStratified: Bool) throws {
    let data = try DatasetTests.numbered(DatasetTests.uneven)
    let folds = try data.folds(4, stratified: isStratified, seed: 1)
    #expect(folds.map(\.test.count).sorted() == [25, 25, 25, 26])
    #expect(try folds.flatMap { try DatasetTests.numbers($0.test) }.sorted() == Array(0..<101))
    for fold in folds {
      let both = try DatasetTests.numbers(fold.train) + DatasetTests.numbers(fold.test)
      #expect(both.sorted() == Array(0..<101) && fold.validation == nil)
      let counts = try DatasetTests.counts(fold.test)
      if isStratified {
        #expect(counts[0] == 15 && [7, 8].contains(counts[1]) && [2, 3].contains(counts[2]))
      }
    }
    #expect(throws: Diagnostic.self) { try data.folds(1) }
    #expect(throws: Diagnostic.self) { try data.folds(102) }
  }

  @Test(arguments: [false, true])
  func classesAreChosen(isRead: Bool) throws {
    var data = try DatasetTests.numbered([2, 0, 1, 2, 1, 2], names: ["a", "b", "c"])
    if isRead { data = try DatasetTests.read(data) }
    let chosen = try data.examples(ofClasses: [2, 0])
    #expect(try DatasetTests.numbers(chosen) == [0, 1, 3, 5])
    #expect(try chosen.classes() == [2, 0, 2, 2] && chosen.classNames == ["a", "b", "c"])
    let renumbered = try data[1..<6].examples(ofClasses: [2, 0], renumbered: true)
    #expect(try DatasetTests.numbers(renumbered) == [1, 3, 5])
    #expect(try renumbered.classes() == [1, 0, 0] && renumbered.classNames == ["c", "a"])
    #expect(try DatasetTests.numbers(data.prefix(ofEachClass: 1)) == [0, 1, 2])
    #expect(throws: Diagnostic.self) { try data.prefix(ofEachClass: 2) }
    #expect(throws: Diagnostic.self) { try data.examples(ofClasses: [3]) }
    #expect(throws: Diagnostic.self) { try data.examples(ofClasses: [1, 1]) }
    let odd = try data.filtered { input, _ in Int(input.doubles()[0]) % 2 == 1 }
    #expect(try DatasetTests.numbers(odd) == [1, 3, 5])
  }

  @Test(arguments: [false, true])
  func setsAreAppended(isRead: Bool) throws {
    let first = try DatasetTests.numbered([0, 1, 2], names: ["a", "b", "c"])
    var second = try DatasetTests.numbered([2, 1, 0])
    if isRead { second = try DatasetTests.read(second) }
    let both = try first[1..<3].appending(second.selectingLast(2))
    #expect(try DatasetTests.numbers(both) == [1, 2, 1, 2] && both.classNames == ["a", "b", "c"])
    #expect(try both.classes() == [1, 2, 1, 0])
    let other = try Dataset(inputs: f32([1, 2], [1, 2]), labels: Literal([1], [Int32(0)]))
    #expect(throws: Diagnostic.self) { try first.appending(other) }
    let named = try DatasetTests.numbered([0], names: ["x"])
    #expect(throws: Diagnostic.self) { try first.appending(named) }
  }

  @Test func whatIsReadMustFit() throws {
    let wrong = Column(count: 2, of: TensorType(.f32, [1])) { _ in f32([2], [1, 2]) }
    let labels = try Column(Literal([2], [Int32(0), 1]))
    let data = try Dataset(inputs: wrong, labels: labels)
    #expect(throws: Diagnostic.self) { try data.example(1) }
    #expect(throws: Diagnostic.self) {
      try Dataset(inputs: wrong, labels: Column(Literal([1], [Int32(0)])))
    }
    let images = try Dataset(inputs: f32([2, 1], [0, 1]), labels: f32([2, 2], [0, 1, 2, 3]))
    #expect(throws: Diagnostic.self) { try images.split(test: 0.5, stratified: true) }
  }

  @Test(arguments: [false, true])
  func normalizationIsMeasuredOnOnePart(isRead: Bool) throws {
    // Two places of two channels: columns 0 and 2 are channel 0.
    var data = try Dataset(
      inputs: f32([3, 2, 2], [1, 5, 3, 5, 5, 5, 7, 5, 100, 0, 0, 0]),
      labels: Literal([3], [Int32(0), 1, 2]))
    if isRead { data = try DatasetTests.read(data) }
    let byChannel = try Normalization(fitting: data[0..<2], per: .channel)
    #expect(byChannel.mean == [4, 5] && byChannel.deviation == [Double(5).squareRoot(), 1])
    let byFeature = try Normalization(fitting: data[0..<2], per: .feature)
    #expect(byFeature.mean == [3, 5, 5, 5] && byFeature.deviation == [2, 1, 2, 1])
    let whole = try Normalization(fitting: data[0..<2], per: .whole)
    #expect(whole.mean == [4.5] && abs(whole.deviation[0] * whole.deviation[0] - 2.75) < 1e-12)
    let split = DataSplit(train: data[0..<2], validation: data[1..<2], test: data[2..<3])
    let normalized = try byFeature.applied(to: split)
    #expect(try normalized.train.example(0).input == f32([2, 2], [-1, 0, -1, 0]))
    #expect(try normalized.validation?.example(0).input == f32([2, 2], [1, 0, 1, 0]))
    #expect(try normalized.test.example(0).input == f32([2, 2], [48.5, -5, -2.5, -5]))
    let known = try Normalization(mean: [1, 2], deviation: [2, 4])
    let bytes = Literal([1, 2], [UInt8(5), 10])
    #expect(try known.applied(to: bytes) == f32([1, 2], [2, 2]), "integers become f32")
    #expect(throws: Diagnostic.self) { try known.applied(to: f32([3], [1, 2, 3])) }
    #expect(throws: Diagnostic.self) { try Normalization(mean: [1], deviation: [0]) }
    #expect(throws: Diagnostic.self) { try Normalization(fitting: data[0..<0]) }
  }

  @Test func arraysOfImagesHaveClassesOrImagesAsLabels() throws {
    let pixels = Literal([2, 1, 2], [UInt8(0), 255, 51, 102])
    let data = try Images.dataset(pixels, labels: Literal([2, 1, 2], [UInt8(0), 1, 1, 0]))
    #expect(data.signature.input == TensorType(.f32, [1, 2, 1]))
    #expect(data.signature.label == TensorType(.i32, [1, 2]))
    let (image, label) = try data.example(1)
    #expect(image == f32([1, 2, 1], [0.2, 0.4]) && label == Literal([1, 2], [Int32(1), 0]))
    let deep = try Images.dataset(
      Literal([1, 1, 1, 3], [UInt16(0), 65535, 13107]), labels: Literal([1], [Int64(7)]))
    #expect(try deep.example(0).input == f32([1, 1, 3], [0, 1, 0.2]))
    #expect(try deep.example(0).label == Literal([], [Int32(7)]))
    for wrong in [Literal([2], [UInt8(1), 2]), Literal([1, 1, 1], [Int32(1)])] {
      #expect(throws: Diagnostic.self) { try Images.dataset(wrong, labels: Literal([1], [1.0])) }
    }
  }

  /// Masks of 4x4 as labels: a 1x1 convolution learns to mark bright pixels, also from what is read.
  @Test func labelImagesAreLearned() throws {
    let pixels = (0..<12 * 16).map { UInt8($0 * 89 % 256) }
    let masks = pixels.map { UInt8($0 > 127 ? 1 : 0) }
    let data = try Images.dataset(
      Literal([12, 4, 4], pixels), labels: Literal([12, 4, 4], masks),
      classNames: ["dark", "light"])
    func train(_ data: Dataset) throws -> Evaluation {
      let trainer = try Trainer(
        Conv2D(filters: 2, size: 1), loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: 0.3),
        backend: InterpreterBackend())
      try trainer.fit(data, batch: 5, epochs: 15, progress: .silent)
      return try trainer.evaluate(data)
    }
    let (memory, read) = (try train(data), try train(try DatasetTests.read(data)))
    #expect((memory.accuracy ?? 0) > 0.95, "\(memory)")
    #expect(read.loss == memory.loss && read.accuracy == memory.accuracy)
  }
}

extension Dataset {
  fileprivate func selectingLast(_ number: Int) -> Dataset { self[count - number..<count] }
}
