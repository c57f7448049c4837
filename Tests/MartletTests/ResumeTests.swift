import Compiler
import Foundation
import GraphIR
import Martlet
import Runtime
import Synchronization
import Testing

/// A run that was killed anywhere goes on from its checkpoint to the same bits.
@Suite struct ResumeTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "martlet-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Ends training with an error after some steps, as a kill would.
  final class Kill: Callback {
    var steps: Int
    init(after steps: Int) { self.steps = steps }
    func epochEnded(_ report: EpochReport, of trainer: Trainer) throws(Diagnostics) -> Bool { true }
    func stepEnded(of trainer: Trainer) throws(Diagnostics) {
      steps -= 1
      if steps == 0 { throw Diagnostics([Diagnostic(.argument, "killed")]) }
    }
  }

  final class Count: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
      count.withLock {
        $0 += 1
        return $0
      }
    }
  }

  /// A backend that compiles each graph once, for the time of this test.
  final class Once: Backend {
    let backend: any Backend
    private let known = Mutex<[String: any Executable]>([:])
    var name: String { backend.name }
    init(_ backend: any Backend) { self.backend = backend }
    func prepare(_ graph: Graph) throws(Diagnostic) -> any Executable {
      let key = graph.text()
      if let executable = known.withLock({ $0[key] }) { return executable }
      let executable = try backend.prepare(graph)
      known.withLock { $0[key] = executable }
      return executable
    }
  }

  struct Settings {
    var accumulation = 1
    var seed: UInt64 = 5
    var batch = 16
    var epochs = 4
    var units = 6
    var learningRate = 0.05
    var schedule: Schedule? = .cosine()
    var patience = 1
    var backend: any Backend = InterpreterBackend()
  }

  /// What came out of a run, to the bit.
  struct Outcome: Equatable {
    var epochs: [[UInt64]]
    var state: [Literal?]
    var best: Double?
  }

  func fit(
    _ settings: Settings, _ checkpoint: Checkpoint?, killedAfter steps: Int = .max, count: Int = 50,
    _ change: (Dataset) throws -> Dataset = { $0 }
  ) throws -> Outcome {
    let trainer = try Trainer(
      Sequential(Dense(settings.units), BatchNorm(), Activation.tanh, Dropout(0.3), Dense(2)),
      loss: .softmaxCrossEntropy, optimizer: Adam(learningRate: settings.learningRate),
      options: TrainingOptions(averaging: 0.9, accumulation: settings.accumulation),
      metrics: [.accuracy, .f1], seed: settings.seed, backend: settings.backend)
    let data = try TrainerTests.quadrants(count + 10)
    let stopping = EarlyStopping(patience: settings.patience)
    let reports = try trainer.fit(
      change(data[0..<count]), validation: data[count..<count + 10], batch: settings.batch,
      epochs: settings.epochs, schedule: settings.schedule, progress: .silent,
      checkpoint: checkpoint, callbacks: [stopping, Kill(after: steps)])
    let names = trainer.parameterNames.flatMap {
      [$0, "average.\($0)", "optimizer.second_moment.\($0)"]
    }
    return Outcome(
      epochs: reports.map { report in
        ([report.training] + [report.validation].compactMap { $0 }).flatMap { evaluation in
          ([evaluation.loss] + evaluation.metrics.map(\.value)).map(\.bitPattern)
        }
      },
      state: (names + ["layer1.mean", "random_state"]).map { trainer.value(of: $0) },
      best: stopping.best)
  }

  @Test(arguments: [
    InterpreterBackend() as any Backend, JITBackend(threads: 1),
  ])
  func aKilledRunComesToTheSameBits(backend: any Backend) throws {
    let backend = Once(backend)
    for accumulation in backend.name == "jit" ? [3] : [1, 3] {
      let settings = Settings(accumulation: accumulation, backend: backend)
      let whole = try fit(settings, nil)
      #expect(whole.epochs.count > 1)
      // Four steps in an epoch: within the first, at its end, and later.
      for (steps, every) in [(2, 1), (3, 2), (4, 3), (5, nil), (7, 2)] {
        let file = path("\(accumulation)-\(steps)")
        #expect(throws: Diagnostics.self) {
          try fit(settings, Checkpoint(file, everySteps: every), killedAfter: steps)
        }
        let resumed = try fit(settings, Checkpoint(file, everySteps: every, resumes: true))
        #expect(resumed == whole, "killed after \(steps) steps, a checkpoint every \(every ?? 4)")
        let again = try fit(settings, Checkpoint(file, resumes: true))
        #expect(again == whole, "nothing is left to do")
      }
    }
  }

  /// What was seen of a run before it was killed is not lost.
  @Test func whatIsRecordedGoesOn() throws {
    let data = try TrainerTests.quadrants(40)
    let source = ExampleSource(example: data.signature) { () throws(Diagnostic) in
      DataSplit(train: data, test: data)
    }
    let recipe = Recipe(
      data: source, model: Sequential(Dense(3, .tanh), Dense(2)), loss: .softmaxCrossEntropy,
      optimizer: Adam(), epochs: 3, batch: 16, watching: ["layer0.bias"])
    func run(_ checkpoint: Checkpoint?, _ kill: Kill) throws -> (Recorder, [String: [Literal]]) {
      let recorder = Recorder(examples: 8)
      let options = Recipe.Options(
        checkpoint: checkpoint, progress: .silent, backend: InterpreterBackend())
      let outcome = try recipe.train(options, callbacks: [recorder, kill])
      return (recorder, outcome.watched)
    }
    let whole = try run(nil, Kill(after: .max))
    let file = path("r")
    #expect(throws: Diagnostics.self) {
      try run(Checkpoint(file, everySteps: 1), Kill(after: 5))
    }
    let resumed = try run(Checkpoint(file, resumes: true), Kill(after: .max))
    #expect(whole.0.history.rows.count == 4 && resumed.0.history == whole.0.history)
    #expect(resumed.0.weights.map(\.distributions) == whole.0.weights.map(\.distributions))
    #expect(resumed.0.layers.map(\.distributions) == whole.0.layers.map(\.distributions))
    #expect(whole.1["layer0.bias"]?.count == 4 && resumed.1 == whole.1)
  }

  @Test func aRunWithoutACheckpointBeginsAnew() throws {
    let file = path("none")
    #expect(try fit(Settings(), Checkpoint(file, resumes: true)) == fit(Settings(), nil))
  }

  /// Wherever it comes: within an epoch of four steps, or after its last.
  @Test(arguments: 1...5)
  func anInterruptionWritesACheckpoint(step: Int) throws {
    let file = path("c")
    let left = path("c.999999999.tmp")
    try Data([1]).write(to: URL(fileURLWithPath: left))
    let count = Count()
    let interrupted = Checkpoint(file) { count.next() == step }
    #expect(throws: Diagnostics.self) { try fit(Settings(), interrupted) }
    #expect(!FileManager.default.fileExists(atPath: left), "nobody writes it any more")
    #expect(try fit(Settings(), Checkpoint(file, resumes: true)) == fit(Settings(), nil))
  }

  /// As many examples that are others, in memory, read, or changed at random, would end in other bits.
  @Test func otherExamplesAreRefused() throws {
    func read(_ data: Dataset) throws -> Dataset { try DatasetTests.read(data) }
    func noisy(_ data: Dataset, _ noise: Double) throws -> Dataset {
      try data.augmented(by: .noise(noise))
    }
    func moved(_ data: Dataset) throws -> Dataset {
      var points: [Float] = []
      var labels: [Int32] = []
      for index in 0..<data.count {
        let (input, label) = try data.example(index)
        points += input.doubles().map { Float($0) + (index == 25 ? 1e-6 : 0) }
        labels.append(Int32(label.doubles()[0]))
      }
      return try Dataset(
        inputs: f32([data.count, 2], points), labels: Literal([data.count], labels))
    }
    let changes: [(one: (Dataset) throws -> Dataset, other: (Dataset) throws -> Dataset)] = [
      ({ $0 }, { $0.shuffled(seed: 1) }), ({ $0 }, moved),
      (read, { try read($0.shuffled(seed: 1)) }),
      ({ try noisy($0, 0.1) }, { try noisy($0, 0.2) }), ({ $0 }, { try noisy($0, 0.1) }),
    ]
    for (number, change) in changes.enumerated() {
      let file = path("\(number)")
      #expect(throws: Diagnostics.self) {
        try fit(Settings(), Checkpoint(file, everySteps: 1), killedAfter: 3, change.one)
      }
      #expect {
        try fit(Settings(), Checkpoint(file, resumes: true), change.other)
      } throws: {
        "\($0)".contains("other examples")
      }
      #expect(
        try fit(Settings(), Checkpoint(file, resumes: true), change.one)
          == fit(Settings(), nil, change.one))
    }
  }

  @Test func whatDiffersIsToldAndTheFileStays() throws {
    let file = path("c")
    let settings = Settings()
    #expect(throws: Diagnostics.self) {
      try fit(settings, Checkpoint(file, everySteps: 1), killedAfter: 3)
    }
    let before = try Data(contentsOf: URL(fileURLWithPath: file))
    func problem(count: Int = 50, _ change: (inout Settings) -> Void) -> String {
      var changed = settings
      change(&changed)
      do {
        _ = try fit(changed, Checkpoint(file, resumes: true), count: count)
        return "nothing"
      } catch {
        return "\(error)"
      }
    }
    #expect(problem { $0.seed = 6 }.contains("seed 5"))
    #expect(problem { $0.batch = 8 }.contains("batch 16"))
    #expect(problem { $0.epochs = 5 }.contains("epochs, 4"))
    #expect(problem { $0.schedule = nil }.contains("schedule"))
    #expect(problem { $0.learningRate = 0.1 }.contains("learning rate 0.05"))
    #expect(problem { $0.backend = JITBackend(threads: 1) }.contains("backend interpreter"))
    #expect(problem { $0.units = 7 }.contains("another model"))
    #expect(problem { $0.accumulation = 2 }.contains("in an update, 1"))
    #expect(problem(count: 49) { _ in }.contains("examples, 50"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
  }

  @Test func damagedCheckpointsAreRefused() throws {
    let file = path("c")
    _ = try fit(Settings(epochs: 1), Checkpoint(file))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    for length in [0, 7, 200, bytes.count - 1] {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: path("cut")))
      #expect(throws: Diagnostics.self) {
        try fit(Settings(epochs: 1), Checkpoint(path("cut"), resumes: true))
      }
    }
    for place in stride(from: 0, to: bytes.count, by: 37) {
      var flipped = bytes
      flipped[place] ^= 4
      try flipped.write(to: URL(fileURLWithPath: path("flipped")))
      #expect(throws: Diagnostics.self, "byte \(place) of \(bytes.count)") {
        try fit(Settings(epochs: 1), Checkpoint(path("flipped"), resumes: true))
      }
    }
    var tensors = try SafeTensors(path: file)
    // As another program would have written it.
    tensors.metadata["checksum"] = nil
    tensors.metadata["format"] = nil
    let record = try #require(tensors.metadata["run"])
    #expect(record.contains(#""steps":0"#) && record.contains(#""epoch":1"#))
    for text in [
      "{}", record.replacing(#""steps":0"#, with: #""steps":-7"#),
      record.replacing(#""steps":0"#, with: #""steps":9223372036854775807"#),
      record.replacing(#""epoch":1"#, with: #""epoch":9223372036854775807"#),
      record.replacing(#""sums":["#, with: #""sums":[1,"#),
    ] {
      tensors.metadata["run"] = text
      try tensors.write(to: path("bad"))
      #expect(throws: Diagnostics.self) {
        try fit(Settings(epochs: 1), Checkpoint(path("bad"), resumes: true))
      }
    }
    tensors.metadata["run"] = nil
    try tensors.write(to: path("weights"))
    #expect(throws: Diagnostics.self) {
      try fit(Settings(epochs: 1), Checkpoint(path("weights"), resumes: true))
    }
  }
}
