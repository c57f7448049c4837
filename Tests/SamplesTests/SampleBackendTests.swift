import GraphIR
import Martlet
import Samples
import Testing

/// The samples train alike in the interpreter and as native code, on any number of threads.
@Suite struct SampleBackendTests {
  /// The losses of the first steps, a batch a step.
  func losses(_ sample: Recipe, _ backend: any Backend, steps: Int) throws -> [Double] {
    let data = try sample.data.load().train.shuffled(seed: 11)
    let trainer = try sample.trainer(Recipe.Options(seed: 3, backend: backend))
    return try (0..<steps).map { step in
      let part = data[step * sample.batch..<(step + 1) * sample.batch]
      return try trainer.fit(part, batch: sample.batch, progress: .silent)[0].training.loss
    }
  }

  @Test(arguments: Samples.quick.map(\.name))
  func theLossCurveIsTheInterpreters(name: String) throws {
    let sample = try quick(name)
    let native = try losses(sample, JITBackend(threads: 2), steps: 12)
    let reference = try losses(sample, InterpreterBackend(), steps: 12)
    #expect(native.count == 12)
    for (step, (native, reference)) in zip(native, reference).enumerated() {
      #expect(abs(native - reference) <= 1e-4 * reference, "step \(step): \(native), \(reference)")
    }
    #expect(native[11] < native[0])
  }

  @Test(arguments: ["mlp", "lenet", "resnet-tiny"])
  func theBitsDoNotDependOnTheThreads(name: String) throws {
    let sample = try quick(name)
    let part = try sample.data.load().train[0..<3 * sample.batch + 7]
    func weights(_ threads: Int, seed: UInt64 = 1) throws -> [Literal?] {
      let trainer = try sample.trainer(
        Recipe.Options(seed: seed, backend: JITBackend(threads: threads)))
      try trainer.fit(part, batch: sample.batch, progress: .silent)
      return trainer.parameterNames.map { trainer.value(of: $0) }
    }
    let one = try weights(1)
    #expect(!one.isEmpty)
    #expect(try weights(2) == one)
    #expect(try weights(4) == one)
    #expect(try weights(1, seed: 2) != one)
  }
}
