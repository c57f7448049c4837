import Compiler
import GraphIR
import Martlet
import Testing

/// Training as a whole: it learns, it repeats, it leaves nothing out, and checkpoints carry it over.
@Suite struct TrainerTests {
  /// Whether a point lies in the first or third quadrant: no line can tell.
  static func quadrants(_ count: Int) throws -> Dataset {
    var points: [Float] = []
    var labels: [Int32] = []
    for index in 0..<count {
      let (x, y) = (Float(index * 37 % 101) / 50 - 1, Float(index * 53 % 97) / 48 - 1)
      points += [x, y]
      labels.append(x * y > 0 ? 1 : 0)
    }
    return try Dataset(
      inputs: f32([count, 2], points), labels: Literal([count], labels), classNames: ["no", "yes"])
  }

  static func trainer(
    seed: UInt64 = 0, dropout: Double = 0, optimizer: some Optimizer = Adam(learningRate: 0.02)
  ) throws -> Trainer {
    try Trainer(
      Sequential(Dense(16, .tanh), Dropout(dropout), Dense(2)), loss: .softmaxCrossEntropy,
      optimizer: optimizer, seed: seed, backend: InterpreterBackend())
  }

  static func weights(_ trainer: Trainer) -> [Literal?] {
    trainer.parameterNames.map { trainer.value(of: $0) }
  }

  @Test func learns() throws {
    let data = try TrainerTests.quadrants(400).split(validation: 0.1, test: 0.2)
    #expect(data.train.count == 280 && data.validation?.count == 40 && data.test.count == 80)
    let trainer = try TrainerTests.trainer()
    let before = try trainer.evaluate(data.test)
    let reports = try trainer.fit(
      data.train, validation: data.validation, batch: 32, epochs: 40, progress: .silent)
    let after = try trainer.evaluate(data.test)
    #expect(reports.count == 40 && trainer.epoch == 40)
    #expect(after.loss < before.loss / 2, "\(before) became \(after)")
    #expect((after.accuracy ?? 0) > 0.9, "\(after)")
    #expect(reports[39].validation?.count == 40)
    #expect(reports[39].training.loss < reports[0].training.loss)
  }

  @Test func theSeedDecides() throws {
    func run(_ seed: UInt64) throws -> [Literal?] {
      let trainer = try TrainerTests.trainer(seed: seed, dropout: 0.3)
      try trainer.fit(try TrainerTests.quadrants(50), batch: 16, epochs: 2, progress: .silent)
      return TrainerTests.weights(trainer)
    }
    #expect(try run(1) == run(1))
    #expect(try run(1) != run(2))
  }

  @Test func noExampleIsLeftOut() throws {
    let data = try TrainerTests.quadrants(37)
    let trainer = try TrainerTests.trainer()
    let whole = try trainer.evaluate(data, batch: 37)
    for batch in [1, 5, 36, 64] {
      let parts = try trainer.evaluate(data, batch: batch)
      #expect(parts.count == 37)
      #expect(abs(parts.loss - whole.loss) < 1e-6)
      #expect(parts.accuracy == whole.accuracy)
    }
  }

  @Test func thePartialBatchIsAStepOfItsOwn() throws {
    let data = try TrainerTests.quadrants(10)
    let trainer = try TrainerTests.trainer()
    let report = try trainer.fit(data, batch: 4, epochs: 1, progress: .silent)[0]
    #expect(report.training.count == 10)
    #expect(trainer.value(of: "random_state")?.elements(as: UInt64.self) == [0, 3])
  }

  @Test func theLearningRateCanFollowASchedule() throws {
    let data = try TrainerTests.quadrants(8)
    let trainer = try TrainerTests.trainer(optimizer: GradientDescent(learningRate: 0.5))
    var rates: [Double] = []
    try trainer.fit(data, epochs: 3, schedule: .inverseTime(decay: 1), progress: .silent) { _ in
      rates.append(trainer.learningRate)
      return rates.count < 2
    }
    #expect(rates == [0.5, 0.25], "and the callback ended training")
  }

  @Test func predictsProbabilities() throws {
    let trainer = try TrainerTests.trainer()
    let output = try trainer.predict(f32([3, 2], [0, 0, 1, 1, -1, 1]))
    #expect(output.type == TensorType(.f32, [3, 2]))
    #expect(abs(output.doubles()[0] + output.doubles()[1] - 1) < 1e-6)
    #expect(throws: Diagnostics.self) { try trainer.predict(f32([], [1])) }
    #expect(throws: Diagnostics.self) { try trainer.predict(f32([1, 3], [1, 2, 3])) }
  }

  @Test func wrongArgumentsAreTold() throws {
    let trainer = try TrainerTests.trainer()
    let data = try TrainerTests.quadrants(4)
    #expect(throws: Diagnostics.self) { try trainer.fit(data, batch: 0, progress: .silent) }
    #expect(throws: Diagnostics.self) { try trainer.fit(data, batch: -5, progress: .silent) }
    #expect(throws: Diagnostics.self) { try trainer.fit(data, epochs: -1, progress: .silent) }
    #expect(throws: Diagnostics.self) { try trainer.fit(data, batch: .max, progress: .silent) }
    #expect(throws: Diagnostics.self) { try trainer.fit(data, epochs: .max, progress: .silent) }
    #expect(throws: Diagnostics.self) { try trainer.fit(data[0..<0], progress: .silent) }
    #expect(throws: Diagnostics.self) { try trainer.evaluate(data, batch: 0) }
    #expect(throws: Diagnostic.self) { try data.split(test: 1) }
    #expect(throws: Diagnostic.self) { try data.example(4) }
    #expect(throws: Diagnostic.self) {
      try Dataset(inputs: f32([2], [1, 2]), labels: f32([1], [1]))
    }
    #expect(throws: Diagnostic.self) { try Dataset(inputs: f32([], [1]), labels: f32([], [1])) }
    #expect(try trainer.fit(data, epochs: 0, progress: .silent).isEmpty)
  }

  @Test(arguments: [
    Loss.softmaxCrossEntropy, .crossEntropy(), .focal(), .maskedSoftmaxCrossEntropy,
  ])
  func aLabelThatNamesNoClassIsTold(loss: Loss) throws {
    let data = try TrainerTests.quadrants(7)
    func trainer() throws -> Trainer {
      try Trainer(Dense(2), loss: loss, optimizer: Adam(), backend: InterpreterBackend())
    }
    func labelled(_ label: Int32) throws -> Dataset {
      try Dataset(
        inputs: f32([7, 2], Array(repeating: 1, count: 14)),
        labels: Literal([7], [0, 1, 0, 1, 0, label, 1]))
    }
    for label in [2, .max, -1] as [Int32] {
      let isMasked = label < 0 && loss.name.hasPrefix("masked")
      for evaluates in [false, true] {
        var message: String?
        let (trainer, data) = (try trainer(), try labelled(label))
        do throws(Diagnostics) {
          if evaluates {
            _ = try trainer.evaluate(data, batch: 3)
          } else {
            try trainer.fit(data, batch: 3, progress: .silent)
          }
        } catch {
          message = error.all[0].message
        }
        #expect(
          message == (isMasked ? nil : "the label \(label) of example 5 names none of 2 classes"))
      }
    }
    _ = try trainer().evaluate(data)
  }

  @Test func aWrongModelIsToldWithItsLine() throws {
    let line = #line + 1
    let model = Sequential(Dense(4), Conv2D(filters: 1, size: 3))
    let trainer = try Trainer(model, loss: .softmaxCrossEntropy, optimizer: Adam())
    do {
      try trainer.fit(try TrainerTests.quadrants(4), progress: .silent)
      Issue.record("nothing was thrown")
    } catch {
      let diagnostic = try #require((error as? Diagnostics)?.all.first)
      #expect(
        diagnostic.location
          == Location(file: "MartletTests/TrainerTests.swift", line: line, path: "layer1"))
      #expect(diagnostic.message.contains("f32[4,4]"), "\(diagnostic)")
    }
  }
}
