import Compiler
import GraphIR
import Martlet
import Runtime
import Testing

/// Metrics of a data set that is evaluated in batches, against NumPy.
@Suite struct MetricReferenceTests {
  struct Measured: Decodable, CustomTestStringConvertible {
    let name: String
    let outputs: ReferenceTensor
    let labels: ReferenceTensor
    let values: [String: Double]
    var testDescription: String { name }
  }

  /// Its inputs are the outputs.
  struct Identity: Layer {
    func callAsFunction(_ outputs: Tensor) -> Tensor { outputs }
  }

  static let metrics: [Metric] = [
    .accuracy, .topAccuracy(2), .precision, .recall, .f1, .meanIoU, .dice, .rSquared,
  ]

  func evaluate(
    _ metrics: [Metric], _ outputs: Literal, _ labels: Literal,
    _ backend: any Backend = InterpreterBackend(),
    loss: Loss = Loss("none") { output, _ in output.flattened().sum(-1) }
  ) throws -> [Double] {
    let trainer = try Trainer(
      Identity(), loss: loss, optimizer: Adam(), metrics: metrics, backend: backend)
    return try trainer.evaluate(try Dataset(inputs: outputs, labels: labels), batch: 4).metrics
      .map(\.value)
  }

  @Test(arguments: ReferenceCase.all("metrics") as [Measured])
  func metrics(_ reference: Measured) throws {
    let metrics = MetricReferenceTests.metrics.filter { reference.values[$0.name] != nil }
    #expect(metrics.count == reference.values.count)
    for backend in [InterpreterBackend() as any Backend, defaultBackend()] {
      for dtype in [DType.f32, .f64] {
        let found = try evaluate(
          metrics, reference.outputs.literal(dtype), reference.labels.literal(dtype), backend)
        for (metric, found) in zip(metrics, found) {
          let expected = try #require(reference.values[metric.name])
          #expect(abs(found - expected) < 1e-6, "\(metric.name): \(found), not \(expected)")
        }
      }
    }
  }

  /// Whoever trains with probabilities means one above 1/2 by a yes.
  @Test func aLossOfProbabilitiesSaysWhatAYesIs() throws {
    let (outputs, labels) = (f32([4], [0.9, 0.4, 0.6, 0.1]), Literal([4], [Int32(1), 0, 0, 1]))
    let loss = Loss.binaryCrossEntropy(.probabilities)
    #expect(loss.defaultMetrics.map(\.name) == ["accuracy"])
    let mean = Metric("mean") { output, _ in output }
    let found = try evaluate(
      [.accuracy, .precision, .recall, mean], outputs, labels, loss: loss)
    #expect(found[0...2] == [0.5, 0.5, 0.5] && abs(found[3] - 0.5) < 1e-6)
  }

  /// A model whose outputs are NaN knows nothing, and a label that names no class is never found.
  @Test func whatIsNoScoreIsNotAmongTheGreatest() throws {
    let scores = f32([3, 3], [.nan, .nan, .nan, 1, .nan, 0, 1, 2, 3])
    #expect(
      try evaluate([.topAccuracy(2)], scores, Literal([3], [Int32(1), 0, 7])) == [1.0 / 3])
    #expect(try evaluate([.topAccuracy(9)], scores, Literal([3], [Int32(2), 0, -1]))[0] < 0.7)
  }

  @Test func labelsThatDoNotVaryLeaveNothingToExplain() throws {
    let labels = f32([3], [0.1, 0.1, 0.1])
    #expect(try evaluate([.rSquared], labels, labels) == [1])
    #expect(try evaluate([.rSquared], f32([3], [0.1, 0.2, 0.1]), labels) == [0])
  }

  @Test func whatDoesNotFitIsRefused() {
    let scores = f32([2, 3], [1, 2, 3, 4, 5, 6])
    for (metric, labels) in [
      (Metric.topAccuracy(0), Literal([2], [Int32(0), 1])),
      (.topAccuracy(-1), Literal([2], [Int32(0), 1])),
      (.topAccuracy(1), Literal([2, 1], [Int32(0), 1])), (.dice, Literal([2, 1], [Int32(0), 1])),
      (.f1, Literal([2, 2], [Int32(0), 1, 1, 0])), (.rSquared, f32([2, 2], [1, 2, 3, 4])),
      (.accuracy, Literal([2, 2], [Int32(0), 1, 1, 0])),
    ] {
      #expect(throws: Diagnostics.self, "\(metric.name)") { try evaluate([metric], scores, labels) }
    }
  }
}
