import Compiler
import GraphIR
import Martlet
import Testing

/// Gradients of several batches make one update, as those of one large batch would.
@Suite struct AccumulationTests {
  static func trainer(
    _ accumulation: Int, loss: Loss = .softmaxCrossEntropy, dropout: Double = 0,
    backend: any Backend = InterpreterBackend()
  ) throws -> Trainer {
    try Trainer(
      Sequential(Dense(6, .tanh), Dropout(dropout), Dense(2)), loss: loss,
      optimizer: Adam(learningRate: 0.05),
      options: TrainingOptions(
        clipping: .globalNorm(0.3), averaging: 0.9, accumulation: accumulation), seed: 4,
      backend: backend)
  }

  /// The epoch of 26 examples ends with an update of 2, once as a batch of 2, and once of two batches of 1.
  @Test(
    arguments: [(4, 2), (2, 4), (1, 8)], [Loss.softmaxCrossEntropy, .softmaxCrossEntropy.summed()])
  func equalsTheWholeBatch(split: (batch: Int, accumulation: Int), loss: Loss) throws {
    let data = try TrainerTests.quadrants(26)
    let whole = try AccumulationTests.trainer(1, loss: loss)
    let parts = try AccumulationTests.trainer(split.accumulation, loss: loss)
    let schedule = Schedule.cosine(to: 0.1)
    let expected = try whole.fit(
      data, batch: 8, epochs: 2, schedule: schedule, progress: .silent)
    let found = try parts.fit(
      data, batch: split.batch, epochs: 2, schedule: schedule, progress: .silent)
    for name in whole.parameterNames {
      for name in [name, "average.\(name)", "optimizer.first_moment.\(name)"] {
        let (a, b) = (whole.value(of: name), parts.value(of: name))
        let values = try #require(a?.doubles())
        #expect(b?.isClose(to: values, within: 2e-5) == true, "\(name)")
      }
    }
    #expect(abs(expected[1].training.loss - found[1].training.loss) < 1e-5)
    #expect(parts.value(of: "optimizer.updates")?.doubles() == [8])
    #expect(parts.value(of: "gradient_sum.layer0.bias")?.doubles().allSatisfy { $0 == 0 } == true)
  }

  /// What ended between two updates leaves no gradients to the next run.
  @Test func anErrorLeavesNoGradients() throws {
    let data = try TrainerTests.quadrants(12)
    let trainer = try AccumulationTests.trainer(3)
    #expect(throws: Diagnostics.self) {
      try trainer.fit(
        data, batch: 4, progress: .silent, callbacks: [ResumeTests.Kill(after: 2)])
    }
    let fresh = try AccumulationTests.trainer(3)
    for trainer in [trainer, fresh] { try trainer.fit(data, batch: 4, progress: .silent) }
    #expect(TrainerTests.weights(trainer) == TrainerTests.weights(fresh))
  }

  @Test func anUpdateHasAtLeastOneBatch() throws {
    #expect(throws: Diagnostics.self) { try AccumulationTests.trainer(0) }
  }
}
