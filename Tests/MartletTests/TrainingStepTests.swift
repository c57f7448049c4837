import Compiler
import GraphIR
import Martlet
import Testing

/// One step of training against the formulas, computed here in Double.
@Suite struct TrainingStepTests {
  /// y = w * x: a model whose gradient is easily written down.
  struct Line: Layer {
    let slope = Parameter(.constant(2))
    func callAsFunction(_ x: Tensor) -> Tensor { x * slope([1], x.dtype) }
  }

  /// Two points of f64, so that the formulas are followed closely.
  static let points = (x: [1.0, 3.0], y: [1.0, 2.0])

  static func data() throws -> Dataset {
    try Dataset(
      inputs: Literal([2, 1], points.x), labels: Literal([2, 1], points.y), inputName: "x",
      labelName: "y")
  }

  /// The gradient of the mean squared error with respect to the slope.
  static func gradient(_ slope: Double) -> Double {
    var sum = 0.0
    for (x, y) in zip(points.x, points.y) { sum += 2 * (x * slope - y) * x }
    return sum / 2
  }

  /// The slopes after one, two and three steps.
  func slopes(_ optimizer: some Optimizer) throws -> [Double] {
    let trainer = try Trainer(
      Line(), loss: .meanSquaredError, optimizer: optimizer, backend: InterpreterBackend())
    var slopes: [Double] = []
    try trainer.fit(try TrainingStepTests.data(), batch: 2, epochs: 3, progress: .silent) { _ in
      slopes.append(trainer.value(of: "slope")?.doubles()[0] ?? .nan)
      return true
    }
    return slopes
  }

  func expectClose(_ found: [Double], _ expected: [Double], _ tolerance: Double = 1e-7) {
    #expect(found.count == expected.count)
    for (found, expected) in zip(found, expected) {
      #expect(
        abs(found - expected) <= tolerance * max(abs(expected), 1), "\(found), not \(expected)")
    }
  }

  @Test(arguments: [0, 0.1])
  func gradientDescent(weightDecay: Double) throws {
    var (w, expected) = (2.0, [Double]())
    for _ in 0..<3 {
      w -= 0.05 * (TrainingStepTests.gradient(w) + weightDecay * w)
      expected.append(w)
    }
    // The learning rate is an f32.
    expectClose(
      try slopes(GradientDescent(learningRate: 0.05, weightDecay: .coupled(weightDecay))), expected)
  }

  @Test(arguments: [0, 0.1])
  func momentum(weightDecay: Double) throws {
    var (w, v, expected) = (2.0, 0.0, [Double]())
    for _ in 0..<3 {
      v = 0.8 * v + TrainingStepTests.gradient(w) + weightDecay * w
      w -= 0.05 * v
      expected.append(w)
    }
    expectClose(
      try slopes(SGD(learningRate: 0.05, momentum: 0.8, weightDecay: .coupled(weightDecay))),
      expected)
  }

  @Test(arguments: [0, 0.1])
  func adam(weightDecay: Double) throws {
    var (w, m, v, expected) = (2.0, 0.0, 0.0, [Double]())
    var (power1, power2) = (1.0, 1.0)
    for _ in 0..<3 {
      let g = TrainingStepTests.gradient(w) + weightDecay * w
      m = 0.9 * m + 0.1 * g
      v = 0.999 * v + 0.001 * g * g
      power1 *= 0.9
      power2 *= 0.999
      w -= 0.1 * (m / (1 - power1)) / ((v / (1 - power2)).squareRoot() + 1e-8)
      expected.append(w)
    }
    // The corrections of the step are f32.
    expectClose(
      try slopes(Adam(learningRate: 0.1, weightDecay: .coupled(weightDecay))), expected, 2e-7)
  }

  @Test(arguments: [
    GradientDescent(learningRate: 0) as any Optimizer, GradientDescent(learningRate: .nan),
    SGD(learningRate: 1, momentum: 1), Adam(learningRate: -1), Adam(beta1: -0.1), Adam(beta2: 1),
    Adam(epsilon: 0), Adam(weightDecay: -1),
  ])
  func numbersThatMakeNoSenseAreRefused(optimizer: any Optimizer) {
    let line = #line + 2
    func make(_ optimizer: some Optimizer) throws(Diagnostics) {
      _ = try Trainer(Line(), loss: .meanSquaredError, optimizer: optimizer)
    }
    do {
      try make(optimizer)
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.all.first?.location.line == line)
    }
  }

  /// The losses `[n]` for outputs and labels.
  func losses(_ loss: Loss, _ output: Literal, _ label: Literal) throws -> [Double] {
    struct Constant: Layer {
      let output: Literal
      func callAsFunction(_ x: Tensor) -> Tensor { Tensor(output) + x }
    }
    let count = output.type.shape[0]
    var extents = output.type.shape.extents
    extents[0] = count
    let zeros = Literal(zeros: output.type)
    let data = try Dataset(inputs: zeros, labels: label)
    return try (0..<count).map { index in
      let row = try Dataset(inputs: output, labels: label).example(index)
      let one = Literal(
        TensorType(.f32, Shape([1] + extents.dropFirst())), doubles: row.input.doubles())
      let trainer = try Trainer(
        Constant(output: one), loss: loss, optimizer: Adam(), backend: InterpreterBackend())
      return try trainer.evaluate(data[index..<index + 1]).loss
    }
  }

  @Test func meanSquaredError() throws {
    let found = try losses(
      .meanSquaredError, f32([2, 2], [1, 2, 3, 4]), f32([2, 2], [1, 0, 0, 0]))
    expectClose(found, [2, 12.5])
  }

  @Test func binaryCrossEntropyStaysFinite() throws {
    let found = try losses(
      .binaryCrossEntropy, f32([4, 1], [0, 2, -200, 200]), Literal([4], [Int32(1), 0, 1, 1]))
    expectClose(found, [0.6931471806, 2.1269280110, 200, 0])
  }

  @Test func softmaxCrossEntropyStaysFinite() throws {
    let found = try losses(
      .softmaxCrossEntropy, f32([3, 3], [0, 0, 0, 1, 2, 3, 1000, 0, -1000]),
      Literal([3], [Int32(2), 0, 1]))
    expectClose(found, [1.0986122887, 2.4076059644, 1000])
  }

  @Test func lossesRefuseWhatDoesNotFit() throws {
    #expect(throws: Diagnostics.self) {
      try losses(.meanSquaredError, f32([2, 1], [1, 2]), f32([2], [1, 2]))
    }
    #expect(throws: Diagnostics.self) {
      try losses(.softmaxCrossEntropy, f32([2, 2], [1, 2, 3, 4]), f32([2], [1, 0]))
    }
    #expect(throws: Diagnostics.self) {
      try losses(.binaryCrossEntropy, f32([2, 2], [1, 2, 3, 4]), f32([2], [1, 0]))
    }
    #expect(throws: Diagnostics.self) {
      try losses(
        Loss("sum") { output, _ in output.sum() }, f32([2, 1], [1, 2]), f32([2], [1, 2]))
    }
  }

  /// A running mean: state that the optimizer leaves alone.
  struct Centred: Layer {
    let mean = UntrainedState(.zeros)
    let scale = Parameter(.ones)
    func callAsFunction(_ x: Tensor) -> Tensor {
      let old = mean([1], x.dtype)
      mean.update(old * 0.5 + x.mean(0) * 0.5)
      return (x - old) * scale([1], x.dtype)
    }
  }

  @Test func untrainedStateIsKeptFromStepToStep() throws {
    let trainer = try Trainer(
      Centred(), loss: .meanSquaredError, optimizer: GradientDescent(learningRate: 1e-9),
      backend: InterpreterBackend())
    let data = try TrainingStepTests.data()
    try trainer.fit(data, batch: 2, epochs: 2, progress: .silent)
    #expect(trainer.value(of: "mean")?.doubles() == [1.5])
    _ = try trainer.evaluate(data)
    #expect(trainer.value(of: "mean")?.doubles() == [1.5], "evaluation changes nothing")
    #expect(trainer.parameterNames == ["scale"])
  }
}
