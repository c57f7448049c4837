import Compiler
import Foundation
import GraphIR
import Martlet
import Testing

/// What callbacks make of a loss that falls for three epochs and rises from then on.
@Suite struct CallbackTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "martlet-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  static let data = ExampleSource(inputs: f32([2, 1], [1, 2]), labels: f32([2, 1], [3, 5]))

  static func trainer() throws -> Trainer {
    try Trainer(
      Sequential(Dense(1)), loss: .meanSquaredError,
      optimizer: SGD(learningRate: 0.05, momentum: 0),
      seed: 1,
      backend: InterpreterBackend())
  }

  /// The weights after each epoch of ten, or of fewer.
  func weights(_ callbacks: any Callback..., validates: Bool = true) throws -> [[Literal?]] {
    let (trainer, data) = (try CallbackTests.trainer(), try CallbackTests.data.load())
    var weights: [[Literal?]] = []
    try trainer.fit(
      data.train, validation: validates ? data.test : nil, batch: 2, epochs: 10, progress: .silent,
      callbacks: callbacks
    ) { report in
      weights.append(TrainerTests.weights(trainer))
      if report.epoch == 3 { trainer.learningRate = -0.05 }
      return true
    }
    return weights
  }

  /// The weights that a file holds.
  func saved(_ name: String) throws -> [Literal?] {
    let trainer = try CallbackTests.trainer()
    try trainer.load(from: path(name), for: CallbackTests.data.example)
    return TrainerTests.weights(trainer)
  }

  @Test func trainingEndsWhenPatienceDoes() throws {
    #expect(try weights().count == 10)
    for patience in [0, 1, 3] {
      let stopping = EarlyStopping(patience: patience)
      #expect(try weights(stopping).count == 3 + patience + 1)
      #expect(stopping.best.map { $0 > 0 } == true)
    }
    // No epoch is better by so much.
    #expect(try weights(EarlyStopping(patience: 1, margin: 1e6)).count == 3)
    #expect(try weights(EarlyStopping(.trainingLoss, patience: 1), validates: false).count == 6)
  }

  @Test func theBestWeightsAreKept() throws {
    let best = BestCheckpoint(path: path("best"))
    let all = try weights(best)
    #expect(try saved("best") == all[2] && best.best != nil)
  }

  @Test func everySecondEpochIsKept() throws {
    let all = try weights(
      PeriodicCheckpoint(path: path("fourth"), everyEpochs: 4),
      PeriodicCheckpoint(path: path("each"), everyEpochs: 0))
    #expect(try saved("fourth") == all[7] && saved("each") == all[9])
  }

  @Test func whatIsNotMeasuredCannotBeWatched() throws {
    #expect(throws: Diagnostics.self) { try weights(EarlyStopping(), validates: false) }
    #expect(throws: Diagnostics.self) { try weights(EarlyStopping(.validation(.f1))) }
  }
}
