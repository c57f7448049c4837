import Compiler
import GraphIR
import Martlet
import Testing

/// Ten steps of each optimizer on given gradients, and schedules, against PyTorch.
@Suite struct OptimizerReferenceTests {
  struct Steps: Decodable, CustomTestStringConvertible {
    let name: String
    let begin: [Double]
    let gradients: [[Double]]
    let values: [[Double]]
    var testDescription: String { name }
  }

  /// A parameter whose gradient is the input of a step: the loss is their product.
  struct Slope: Layer {
    let parameter = Parameter(.zeros)
    func callAsFunction(_ x: Tensor) -> Tensor { x * parameter([5], x.dtype) }
  }

  @Test(arguments: ReferenceCase.all("optimizers") as [Steps])
  func steps(_ reference: Steps) throws {
    let rate = 0.01
    let optimizers: [String: any Optimizer] = [
      "GradientDescent": GradientDescent(learningRate: rate),
      "GradientDescent decay": GradientDescent(learningRate: rate, weightDecay: 0.1),
      "SGD": SGD(learningRate: rate, momentum: 0.8),
      "SGD nesterov": SGD(learningRate: rate, momentum: 0.8, nesterov: true),
      "SGD steps": SGD(learningRate: rate, momentum: 0.8, form: .steps),
      "SGD mean": SGD(learningRate: rate, momentum: 0.8, form: .mean),
      "SGD steps nesterov": SGD(learningRate: rate, momentum: 0.8, form: .steps, nesterov: true),
      "SGD mean nesterov": SGD(learningRate: rate, momentum: 0.8, form: .mean, nesterov: true),
      "SGD decoupled decay": SGD(
        learningRate: rate, momentum: 0.8, weightDecay: .decoupled(0.1)),
      "Adam beta1 0": Adam(learningRate: rate, beta1: 0, beta2: 0.99, epsilon: 1e-3),
      "group": AdamW(learningRate: rate, weightDecay: 0.7),
      "averaging": GradientDescent(learningRate: rate),
      "AdaGrad": AdaGrad(learningRate: rate), "RMSProp": RMSProp(learningRate: rate),
      "Adadelta": Adadelta(learningRate: rate), "Adam": Adam(learningRate: rate),
      "Adam decay": Adam(learningRate: rate, weightDecay: 0.1),
      "AdamW": AdamW(learningRate: rate, weightDecay: 0.1), "Adamax": Adamax(learningRate: rate),
      "clipping by value": GradientDescent(learningRate: rate),
      "clipping by norm": GradientDescent(learningRate: rate),
    ]
    let options: [String: TrainingOptions] = [
      "clipping by value": TrainingOptions(clipping: .value(0.5)),
      "clipping by norm": TrainingOptions(clipping: .globalNorm(0.5)),
      "group": TrainingOptions(groups: [
        ParameterGroup("parameter", learningRateFactor: 0.5, weightDecay: .decoupled(0.2))
      ]), "averaging": TrainingOptions(averaging: 0.9),
    ]
    let optimizer = try #require(optimizers[reference.name], "no optimizer \(reference.name)")
    for (dtype, tolerance) in [(DType.f64, 1e-12), (.f32, 1e-5)] {
      for backend in [InterpreterBackend() as any Backend, defaultBackend()] {
        let found = try run(
          reference, optimizer, options[reference.name] ?? TrainingOptions(), dtype, backend)
        for (step, (found, expected)) in zip(found, reference.values).enumerated() {
          #expect(
            distance(found, expected) <= tolerance,
            "\(reference.name), step \(step + 1) in \(dtype): \(found), not \(expected)")
        }
      }
    }
  }

  /// The parameter after each step, or its running mean where one is kept.
  private func run(
    _ reference: Steps, _ optimizer: any Optimizer, _ options: TrainingOptions, _ dtype: DType,
    _ backend: any Backend
  ) throws -> [[Double]] {
    func make(_ optimizer: some Optimizer) throws -> Trainer {
      try Trainer(
        Slope(), loss: Loss("product") { output, _ in output.sum(-1) }, optimizer: optimizer,
        options: options, backend: backend)
    }
    let trainer = try make(optimizer)
    func data(_ step: Int) throws -> Dataset {
      try Dataset(
        inputs: Literal(TensorType(dtype, [1, 5]), doubles: reference.gradients[step]),
        labels: Literal(TensorType(dtype, [1, 1]), doubles: [0]))
    }
    try trainer.setValue(
      of: "parameter", to: Literal(TensorType(dtype, [5]), doubles: reference.begin),
      for: try data(0).signature)
    return try reference.gradients.indices.map { step in
      try trainer.fit(try data(step), batch: 1, progress: .silent)
      return try #require(
        trainer.value(of: options.averaging == nil ? "parameter" : "average.parameter")
      ).doubles()
    }
  }

  struct Factors: Decodable, CustomTestStringConvertible {
    let name: String
    let factors: [Double]
    var testDescription: String { name }
  }

  @Test(arguments: ReferenceCase.all("schedules") as [Factors])
  func schedules(_ reference: Factors) throws {
    let schedules: [String: Schedule] = [
      "constant": .constant, "step": .step(every: 3, by: 0.5), "exponential": .exponential(0.9),
      "inverseTime": .inverseTime(decay: 0.5), "cosine": .cosine(to: 0.1),
      "oneCycle": .oneCycle(), "warmUp": .warmUp(epochs: 4),
    ]
    let schedule = try #require(schedules[reference.name], "no schedule \(reference.name)")
    let steps = reference.factors.count
    for (step, expected) in reference.factors.enumerated() {
      let found = schedule.factor(Schedule.Position(step: step, steps: steps, stepsPerEpoch: 1))
      #expect(abs(found - expected) <= 1e-12, "\(reference.name), step \(step)")
    }
  }

  @Test func aWarmUpGivesWhatIsLeftToTheNext() {
    let schedule = Schedule.warmUp(epochs: 2, then: .cosine())
    func factor(_ step: Int) -> Double {
      schedule.factor(Schedule.Position(step: step, steps: 60, stepsPerEpoch: 10))
    }
    #expect(abs(factor(0) - 0.05) < 1e-12)
    #expect(factor(19) == 1)
    #expect(factor(20) == 1)
    #expect(abs(factor(40) - 0.5) < 1e-12)
  }

  @Test func aWarmUpOfLessThanNothingIsNone() {
    let position = Schedule.Position(step: 0, steps: 60, stepsPerEpoch: 10)
    #expect(Schedule.warmUp(epochs: -1e300).factor(position) == 1)
  }

  @Test(
    arguments: [
      .step(every: 0), .exponential(-0.5), .inverseTime(decay: -1), .oneCycle(start: 0),
      .warmUp(epochs: .nan), Schedule { _ in -1 },
    ] as [Schedule])
  func aScheduleThatMakesNoSenseIsRefused(schedule: Schedule) throws {
    let trainer = try TrainerTests.trainer(optimizer: GradientDescent(learningRate: 0.5))
    #expect(throws: Diagnostics.self) {
      try trainer.fit(
        try TrainerTests.quadrants(8), batch: 4, epochs: 3, schedule: schedule, progress: .silent)
    }
    for value in TrainerTests.weights(trainer) {
      #expect(value?.doubles().allSatisfy { $0.isFinite } == true)
    }
  }
}
