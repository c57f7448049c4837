import Foundation
import GraphIR
import Martlet
import Synchronization
import Testing

/// Batches that are read ahead on another thread: they are what they would be otherwise, and an end is an end.
@Suite struct BatchFeedTests {
  /// Images of 4x4 with two classes.
  static func images(_ count: Int) throws -> Dataset {
    try Images.dataset(
      f32([count, 4, 4], (0..<count * 16).map { Float($0 * 29 % 23) / 23 }),
      labels: Literal([count], (0..<count).map { Int32($0 % 2) }))
  }

  static func trainer() throws -> Trainer {
    try Trainer(
      Sequential(Flatten(), Dense(2)), loss: .crossEntropy(), optimizer: Adam(learningRate: 0.02),
      seed: 3, backend: InterpreterBackend())
  }

  /// What training sees in an epoch as a plain data set in memory.
  static func seen(_ data: Dataset, epoch: Int) throws -> Dataset {
    let examples = try (0..<data.count).map {
      try data.augmentedExample($0, epoch: epoch, seed: 3)
    }
    func rows(_ literals: [Literal]) throws -> Literal {
      let extents = [literals.count] + literals[0].type.shape.extents
      return try #require(
        Literal(
          TensorType(literals[0].type.dtype, Shape(extents)), bytes: literals.flatMap(\.bytes)))
    }
    return try Dataset(
      inputs: rows(examples.map(\.input)), labels: rows(examples.map(\.label)),
      inputName: data.signature.inputName)
  }

  /// Steps of several sizes, on examples in memory and on examples that are read.
  @Test(arguments: [1, 4, 5, 11, 20])
  func readingAheadChangesNoBit(batch: Int) throws {
    let plain = try BatchFeedTests.images(11)
    let data = try plain.augmented(by: AugmentationTests.all, seed: 9)
    let expected = try BatchFeedTests.trainer()
    for epoch in 0..<2 {
      try expected.fit(
        try BatchFeedTests.seen(data, epoch: epoch), batch: batch, progress: .silent)
    }
    let read = try DatasetTests.read(plain).augmented(by: AugmentationTests.all, seed: 9)
    for examples in [data, read] {
      let trainer = try BatchFeedTests.trainer()
      try trainer.fit(examples, batch: batch, epochs: 2, progress: .silent)
      #expect(TrainerTests.weights(trainer) == TrainerTests.weights(expected))
      let (own, other) = (
        try trainer.evaluate(examples, batch: batch), try expected.evaluate(plain, batch: batch)
      )
      #expect(own.accuracy == other.accuracy, "evaluation changes nothing at random")
    }
  }

  @Test func resumedTrainingSeesTheSame() throws {
    let data = try BatchFeedTests.images(9).augmented(by: AugmentationTests.all)
    let whole = try BatchFeedTests.trainer()
    try whole.fit(data, batch: 4, epochs: 2, progress: .silent)
    let first = try BatchFeedTests.trainer()
    try first.fit(data, batch: 4, epochs: 1, progress: .silent)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try first.save(to: path)
    let second = try BatchFeedTests.trainer()
    try second.load(from: path, for: data.signature)
    try second.fit(data, batch: 4, epochs: 1, progress: .silent)
    #expect(TrainerTests.weights(second) == TrainerTests.weights(whole))
  }

  /// The threads that asked for each example.
  final class Log: Sendable {
    let threads = Mutex<[Int: Int]>([:])
  }

  /// Examples that are read, and of which one may be broken.
  func logged(_ log: Log, count: Int, broken: Int? = nil) throws -> Dataset {
    let images = try BatchFeedTests.images(count)
    return try Dataset(
      inputs: Column(count: count, of: images.signature.input) { index throws(Diagnostic) in
        log.threads.withLock { $0[index] = pthread_self().hashValue }
        if index == broken { throw Diagnostic(.format, "example \(index) is broken") }
        return try images.example(index).input
      }, labels: Column(Literal([count], (0..<count).map { Int32($0 % 2) })))
  }

  @Test func whatFollowsIsReadOnAnotherThread() throws {
    let log = Log()
    try BatchFeedTests.trainer().fit(logged(log, count: 12), batch: 3, progress: .silent)
    let threads = log.threads.withLock { $0 }
    let here = threads.values.count { $0 == pthread_self().hashValue }
    #expect(threads.count == 12 && here == 3, "only the first batch is read by who needs it")
    #expect(Set(threads.values).count == 2)
  }

  @Test(arguments: [0, 5, 11], [1, 4])
  func aBrokenFileEndsTraining(broken: Int, batch: Int) throws {
    weak var left: Log?
    do {
      let log = Log()
      left = log
      let data = try logged(log, count: 12, broken: broken)
      let trainer = try BatchFeedTests.trainer()
      #expect {
        try trainer.fit(data, batch: batch, epochs: 3, progress: .silent)
      } throws: {
        ($0 as? Diagnostics)?.all.map(\.message) == ["example \(broken) is broken"]
      }
      #expect(throws: Diagnostics.self) { try trainer.evaluate(data, batch: batch) }
      // The examples before it may be used again.
      try trainer.fit(
        data[broken + 1 < 12 ? broken + 1..<12 : 0..<broken], batch: batch, progress: .silent)
    }
    #expect(left == nil, "no thread holds the data")
  }

  @Test func anEarlyEndLeavesNothingBehind() throws {
    weak var left: Log?
    do {
      let log = Log()
      left = log
      let data = try logged(log, count: 12)
      for _ in 0..<20 {
        try BatchFeedTests.trainer().fit(data, batch: 5, epochs: 5, progress: .silent) { _ in
          false
        }
      }
    }
    #expect(left == nil, "no thread holds the data")
  }

  @Test func oneHotLabelsHaveAnAccuracy() throws {
    let data = try BatchFeedTests.images(8)
    let mixed = try data.augmented(by: .mixUp(classes: 2))
    let trainer = try BatchFeedTests.trainer()
    try trainer.fit(mixed, batch: 8, epochs: 30, progress: .silent)
    let (plain, oneHot) = (try trainer.evaluate(data), try trainer.evaluate(mixed))
    #expect(plain.accuracy == oneHot.accuracy && (plain.accuracy ?? 0) > 0)
    #expect(abs(plain.loss - oneHot.loss) < 1e-6)
  }
}
