import Foundation
import GraphIR
import Martlet
import Testing

/// Checkpoints load back exactly, and what does not fit changes nothing.
@Suite struct CheckpointTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "martlet-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func content(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path(name)))
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  @Test func trainingGoesOnAsIfItHadNotStopped() throws {
    let data = try TrainerTests.quadrants(50)
    let whole = try TrainerTests.trainer(seed: 5, dropout: 0.2)
    try whole.fit(data, batch: 16, epochs: 3, progress: .silent)

    let first = try TrainerTests.trainer(seed: 5, dropout: 0.2)
    try first.fit(data, batch: 16, epochs: 2, progress: .silent)
    try first.save(to: path("c"))
    let second = try TrainerTests.trainer(seed: 5, dropout: 0.2)
    try second.load(from: path("c"), for: data.signature)
    #expect(second.epoch == 2)
    #expect(TrainerTests.weights(second) == TrainerTests.weights(first))
    try second.fit(data, batch: 16, epochs: 1, progress: .silent)
    #expect(TrainerTests.weights(second) == TrainerTests.weights(whole))

    try second.save(to: path("d"))
    try whole.save(to: path("e"))
    #expect(try content("d") == content("e"))
  }

  @Test func parametersAloneCanBeLoaded() throws {
    let data = try TrainerTests.quadrants(20)
    let first = try TrainerTests.trainer(seed: 1)
    try first.fit(data, progress: .silent)
    try first.save(to: path("c"))
    let second = try TrainerTests.trainer(seed: 2, optimizer: SGD(learningRate: 0.1))
    try second.loadParameters(from: path("c"), for: data.signature)
    #expect(TrainerTests.weights(second) == TrainerTests.weights(first))
    #expect(throws: Diagnostics.self) { try second.load(from: path("c"), for: data.signature) }
  }

  /// A model that is judged by its running means is what was loaded, whether or not the file has means.
  @Test func runningMeansAreLoadedOrBeginAnew() throws {
    func trainer(_ averaging: Double?, seed: UInt64) throws -> Trainer {
      try Trainer(
        Sequential(Dense(3, .tanh), Dense(2)), loss: .softmaxCrossEntropy, optimizer: Adam(),
        options: TrainingOptions(averaging: averaging), seed: seed,
        backend: InterpreterBackend())
    }
    let data = try TrainerTests.quadrants(20)
    for averaging in [nil, 0.9] {
      let first = try trainer(averaging, seed: 1)
      try first.fit(data, progress: .silent)
      try first.save(to: path("c"))
      let second = try trainer(0.9, seed: 2)
      try second.loadParameters(from: path("c"), for: data.signature)
      #expect(try second.evaluate(data).loss == first.evaluate(data).loss)
      let third = try trainer(0.9, seed: 3)
      for name in first.parameterNames {
        let value = try #require(first.value(of: averaging == nil ? name : "average.\(name)"))
        try third.setValue(of: name, to: value, for: data.signature)
      }
      #expect(try third.evaluate(data).loss == first.evaluate(data).loss)
    }
  }

  @Test func whatDoesNotFitIsToldAndChangesNothing() throws {
    let data = try TrainerTests.quadrants(20)
    let trainer = try TrainerTests.trainer()
    try trainer.fit(data, progress: .silent)
    let before = TrainerTests.weights(trainer)
    try trainer.save(to: path("good"))
    let good = try SafeTensors(path: path("good"))

    func problems(_ tensors: [(name: String, literal: Literal)]) throws -> [Diagnostic] {
      try SafeTensors(tensors).write(to: path("bad"))
      do {
        try trainer.load(from: path("bad"), for: data.signature)
        return []
      } catch {
        return error.all
      }
    }
    let missing = try problems(good.tensors.filter { !$0.name.hasSuffix("bias") })
    #expect(missing.count == 6 && missing[0].message.contains("layer0.bias"), "\(missing)")
    let wrong = try problems(
      good.tensors.map {
        ($0.name, $0.name == "layer2.weight" ? f32([2, 3], [0, 1, 2, 3, 4, 5]) : $0.literal)
      })
    #expect(wrong.count == 1)
    #expect(wrong[0].message.contains("f32[2,3]") && wrong[0].message.contains("f32[16,2]"))
    let more = try problems(good.tensors + [("extra", f32([1], [0]))])
    #expect(more.count == 1 && more[0].message.contains("extra"))
    #expect(TrainerTests.weights(trainer) == before)
  }

  @Test func damagedFilesAreRefused() throws {
    let data = try TrainerTests.quadrants(20)
    let trainer = try TrainerTests.trainer()
    #expect(throws: Diagnostics.self) { try trainer.save(to: path("empty")) }
    try trainer.fit(data, progress: .silent)
    let before = TrainerTests.weights(trainer)
    try trainer.save(to: path("good"))
    let bytes = try content("good")
    for length in [0, 4, 8, 100, bytes.count - 1] {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: path("cut")))
      #expect(throws: Diagnostics.self) { try trainer.load(from: path("cut"), for: data.signature) }
    }
    #expect(throws: Diagnostics.self) { try trainer.load(from: path("none"), for: data.signature) }
    #expect(throws: Diagnostics.self) { try trainer.load(from: folder.path, for: data.signature) }
    #expect(throws: Diagnostics.self) { try trainer.save(to: path("no/such/folder")) }
    #expect(TrainerTests.weights(trainer) == before)
  }
}
