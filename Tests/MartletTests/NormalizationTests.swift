import Compiler
import Foundation
import GraphIR
import Interpreter
import Martlet
import Testing

/// Batch and layer normalization: values by their formulas, running statistics, gradients.
@Suite struct NormalizationTests {
  /// A normalization between two products, so that gradients flow through it.
  struct Between<Inner: Layer>: Layer {
    let first = Dense(3)
    let inner: Inner
    let last = Dense(2)
    func callAsFunction(_ x: Tensor) -> Tensor { last(inner(first(x)).tanh()) }
  }

  @Test func layerNormBringsRowsToMeanZeroAndVarianceOne() throws {
    let x = numbers([4, 5], seed: 3)
    let y = try evaluate([x]) {
      $0[0].layerNormalized(
        scale: Tensor(Literal([5], [1.0, 2, 3, 4, 5])),
        bias: Tensor(Literal([5], [0.0, 1, 0, 0, 0])),
        epsilon: 0.25)
    }.doubles()
    for row in 0..<4 {
      let values = Array(x.doubles()[row * 5..<row * 5 + 5])
      let mean = values.reduce(0, +) / 5
      let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 5
      for column in 0..<5 {
        let normal = (values[column] - mean) / (variance + 0.25).squareRoot()
        let expected = normal * Double(column + 1) + (column == 1 ? 1 : 0)
        #expect(abs(y[row * 5 + column] - expected) < 1e-12)
      }
    }
  }

  @Test func layerNormSurvivesRowsFarFromZero() throws {
    let layer = LayerNorm()
    let graph = try trace("g", ["x": TensorType(.f32, [1, 4])]) { ["y": layer($0["x"])] }
    let x = f32([1, 4], [10_000, 10_001, 10_002, 10_003])
    let values = [x, f32([4], [1, 1, 1, 1]), f32([4], [0, 0, 0, 0])]
    let expected = [-1.5, -0.5, 0.5, 1.5].map { $0 / (1.25 + 1e-5).squareRoot() }
    #expect(try interpret(graph, values)[0].isClose(to: expected))
  }

  @Test func gradients() throws {
    try expectGradients(
      of: Between(inner: LayerNorm(epsilon: 0.01)), for: numbers([3, 4]), output: [3, 2])
    try expectGradients(
      of: Between(inner: BatchNorm(epsilon: 0.01)), for: numbers([5, 4]), output: [5, 2])
    try expectGradients(
      of: Between(inner: BatchNorm(epsilon: 0.01)), for: numbers([2, 2, 3, 2]),
      output: [2, 2, 3, 2])
  }

  /// What each of three channels of four numbers is.
  static let channels = [[1.0, 2, 3, 6], [-1, -1, 1, 1], [10, 20, 30, 40]]

  static func data() throws -> Dataset {
    let rows = (0..<4).flatMap { row in channels.map { $0[row] } }
    return try Dataset(
      inputs: Literal([4, 3], rows), labels: Literal([4, 3], rows), inputName: "x")
  }

  static func trainer(_ backend: any Backend = InterpreterBackend()) throws -> Trainer {
    try Trainer(
      BatchNorm(momentum: 0.25, epsilon: 0.5), loss: .meanSquaredError,
      optimizer: GradientDescent(learningRate: 1e-9), backend: backend)
  }

  static func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
  static func squares(_ x: [Double]) -> Double {
    x.map { ($0 - mean(x)) * ($0 - mean(x)) }.reduce(0, +)
  }

  @Test func runningStatisticsMoveTowardsTheBatches() throws {
    let trainer = try NormalizationTests.trainer()
    let data = try NormalizationTests.data()
    var (means, variances) = ([0.0, 0, 0], [1.0, 1, 1])
    for _ in 0..<3 {
      try trainer.fit(data, batch: 4, progress: .silent)
      for (index, channel) in NormalizationTests.channels.enumerated() {
        means[index] += 0.25 * (NormalizationTests.mean(channel) - means[index])
        variances[index] += 0.25 * (NormalizationTests.squares(channel) / 3 - variances[index])
      }
      #expect(trainer.value(of: "runningMean")?.isClose(to: means) == true)
      #expect(trainer.value(of: "runningVariance")?.isClose(to: variances) == true)
    }
    #expect(trainer.parameterNames == ["scale", "bias"])
  }

  @Test func trainingUsesTheBatchAndEvaluationTheRunningStatistics() throws {
    let trainer = try NormalizationTests.trainer()
    let data = try NormalizationTests.data()
    let report = try trainer.fit(data, batch: 4, progress: .silent)[0]
    func loss(_ mean: (Int) -> Double, _ variance: (Int) -> Double) -> Double {
      var total = 0.0
      for (index, channel) in NormalizationTests.channels.enumerated() {
        for x in channel {
          let y = (x - mean(index)) / (variance(index) + 0.5).squareRoot()
          total += (y - x) * (y - x) / 12
        }
      }
      return total
    }
    let channels = NormalizationTests.channels
    let batch = loss(
      { NormalizationTests.mean(channels[$0]) }, { NormalizationTests.squares(channels[$0]) / 4 })
    #expect(abs(report.training.loss - batch) < 1e-6 * batch)
    let means = try #require(trainer.value(of: "runningMean")).doubles()
    let variances = try #require(trainer.value(of: "runningVariance")).doubles()
    let running = loss({ means[$0] }, { variances[$0] })
    #expect(abs(batch - running) > 1)
    #expect(abs(try trainer.evaluate(data).loss - running) < 1e-6 * running)
    #expect(trainer.value(of: "runningMean")?.doubles() == means, "evaluation changes nothing")
  }

  /// A single element has no variance, and what is left at the end of an epoch may be one example.
  @Test func aSingleElementLeavesTheRunningVariance() throws {
    let trainer = try NormalizationTests.trainer()
    try trainer.fit(try NormalizationTests.data()[0..<1], batch: 1, progress: .silent)
    #expect(trainer.value(of: "runningVariance")?.doubles() == [1, 1, 1])
    let means = NormalizationTests.channels.map { 0.25 * $0[0] }
    #expect(trainer.value(of: "runningMean")?.isClose(to: means) == true)
  }

  @Test func checkpointsCarryTheRunningStatistics() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("martlet-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let data = try NormalizationTests.data()
    let whole = try NormalizationTests.trainer()
    try whole.fit(data, batch: 2, epochs: 3, progress: .silent)
    let first = try NormalizationTests.trainer()
    try first.fit(data, batch: 2, epochs: 2, progress: .silent)
    try first.save(to: file)
    let second = try NormalizationTests.trainer()
    try second.load(from: file, for: data.signature)
    #expect(second.value(of: "runningMean") == first.value(of: "runningMean"))
    #expect(try second.evaluate(data).loss == first.evaluate(data).loss)
    try second.fit(data, batch: 2, progress: .silent)
    for name in ["scale", "bias", "runningMean", "runningVariance"] {
      #expect(second.value(of: name) == whole.value(of: name), "\(name)")
    }
    let third = try NormalizationTests.trainer()
    try third.loadParameters(from: file, for: data.signature)
    #expect(third.value(of: "runningVariance") == first.value(of: "runningVariance"))
  }

  @Test func whatCannotBeNormalizedIsRefused() {
    for type in [TensorType(.f32, [3]), TensorType(.i32, [2, 3]), TensorType(.f32, [0, 3])] {
      #expect(problems([type]) { BatchNorm()($0[0]) }.count == 1, "\(type)")
    }
    for type in [TensorType(.f32, []), TensorType(.i32, [2, 3]), TensorType(.f32, [2, 0])] {
      #expect(problems([type]) { LayerNorm()($0[0]) }.count == 1, "\(type)")
    }
  }
}
