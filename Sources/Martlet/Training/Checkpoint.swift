import FoundationEssentials
import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that holds all of a training run, so that a run that was killed goes on and comes to the same bits.
///
/// The file is replaced after each epoch, and within one after every so many steps; whoever reads it sees the last whole one.
/// It is a safetensors file, with the run among its metadata, that `load` and `loadParameters` also take.
public struct Checkpoint: Sendable {
  /// The file.
  public var path: String
  /// The number of steps from one checkpoint to the next; nil for the end of each epoch alone.
  public var everySteps: Int?
  /// Whether training goes on from the file, where there is one.
  public var resumes: Bool
  /// Asked after each step: true writes a checkpoint and ends training with an error that says so.
  public var isInterrupted: (@Sendable () -> Bool)?

  /// Makes a checkpoint.
  public init(
    _ path: String, everySteps: Int? = nil, resumes: Bool = false,
    isInterrupted: (@Sendable () -> Bool)? = nil
  ) {
    self.path = path
    self.everySteps = everySteps
    self.resumes = resumes
    self.isInterrupted = isInterrupted
  }
}

extension Checkpoint {
  /// Removes what programs that were killed while they wrote the file have left beside it.
  func removeLeftovers() {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") + "/" : "./"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix("\(parts.last ?? "").") && name.hasSuffix(".tmp") {
      let number = name.dropLast(4).split(separator: ".").last.flatMap { pid_t($0) }
      // Whoever still runs is writing.
      if let number, kill(number, 0) != 0, errno == ESRCH { unlink(folder + name) }
    }
  }
}

/// Where a training run is, and what must be the same for it to go on.
struct RunRecord: Codable {
  /// A double, to the bit, whatever it is.
  struct Exact: Codable, Equatable {
    let bits: UInt64
    init(_ value: Double) { bits = value.bitPattern }
    init(from decoder: any Decoder) throws {
      bits = try decoder.singleValueContainer().decode(UInt64.self)
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(bits)
    }
    var value: Double { Double(bitPattern: bits) }
  }

  /// What an evaluation holds, with the metrics in order.
  struct Measured: Codable {
    var loss: Exact
    var metrics: [Exact]
    var count: Int

    init(_ evaluation: Evaluation) {
      loss = Exact(evaluation.loss)
      metrics = evaluation.metrics.map { Exact($0.value) }
      count = evaluation.count
    }

    func evaluation(_ metrics: [Metric]) -> Evaluation {
      Evaluation(
        loss: loss.value,
        metrics: zip(metrics, self.metrics).map { (metric: $0, value: $1.value) }, count: count)
    }
  }

  /// What a callback remembers.
  struct Memory: Codable {
    var type: String
    var memory: String

    init(_ callback: any Callback) {
      type = "\(Swift.type(of: callback))"
      memory = callback.memory
    }

    /// Makes a callback of the type remember it.
    func restore(_ callback: any Callback) {
      if type == "\(Swift.type(of: callback))" { callback.memory = memory }
    }

    /// Anything as text, numbers that are not finite included.
    static func text(_ value: some Encodable) -> String {
      let encoder = JSONEncoder()
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// What a text that `text` gave stands for; nil for any other.
    static func value<Value: Decodable>(_ type: Value.Type, of text: String) -> Value? {
      let decoder = JSONDecoder()
      decoder.nonConformingFloatDecodingStrategy = .convertFromString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      return try? decoder.decode(type, from: Data(text.utf8))
    }
  }

  /// An epoch's report.
  struct Report: Codable {
    var epoch: Int
    var training: Measured
    var validation: Measured?
    var stepsPerSecond: Exact
  }

  /// What two runs must share for one to go on where the other was.
  struct Settings: Codable {
    var seed: UInt64
    var backend: String
    var examples: Int
    /// Stands for the examples, and those of validation.
    var data: [UInt32]
    var batch: Int
    /// The number of batches in an update.
    var accumulation: Int
    var learningRate: Exact
    /// The epoch in which training ends; it matters to a schedule alone.
    var lastEpoch: Int
    /// What the schedule makes of the learning rate at some places of the run; empty without one.
    var factors: [Exact]
    /// Stands for the graph of a step: model, loss, optimizer, options and metrics.
    var graph: UInt32
  }

  var settings: Settings
  /// The number of the epochs that are done.
  var epoch: Int
  /// The steps of the epoch under way, and what they summed up.
  var totals: Totals.Sums
  var learningRate: Exact
  var reports: [Report]
  /// What each callback remembers, under the name of its type.
  var memories: [Memory]
  /// Whether a callback has ended training.
  var isEnded: Bool
}

extension RunRecord {
  /// What is wrong with the place where a run was: a damaged file may hold any number.
  ///
  /// - Parameters:
  ///   - batch: The number of examples in a step.
  ///   - examples: The number of examples in an epoch.
  ///   - sums: How many numbers the run sums up.
  func problems(_ path: String, batch: Int, examples: Int, sums: Int) -> [Diagnostic] {
    // An interruption may come after an epoch's last step, before its end.
    let steps = 0...(examples + batch - 1) / batch
    guard (0...Trainer.most).contains(epoch), steps.contains(totals.steps),
      totals.count == min(totals.steps * batch, examples), totals.sums.count == sums
    else {
      return [
        Diagnostic(
          .format,
          "'\(path)' says that its run was after \(epoch) epochs, \(totals.steps) steps and "
            + "\(totals.count) examples with \(totals.sums.count) sums, which cannot be",
          hint: "the file is damaged; begin anew or go on from another checkpoint")
      ]
    }
    return []
  }
}

extension RunRecord.Settings {
  /// What differs from the settings of a checkpoint; empty when training can go on from it.
  func problems(with file: RunRecord.Settings, _ path: String) -> [Diagnostic] {
    var problems: [Diagnostic] = []
    func require(_ isSame: Bool, _ what: String, _ saved: String, _ present: String) {
      guard !isSame else { return }
      problems.append(
        Diagnostic(
          .mismatch, "'\(path)' is of a run with \(what) \(saved), this one has \(present)",
          hint: "go on with the settings with which the run began"))
    }
    require(file.seed == seed, "the seed", "\(file.seed)", "\(seed)")
    require(file.backend == backend, "the backend", file.backend, backend)
    require(file.examples == examples, "examples,", "\(file.examples)", "\(examples)")
    if file.examples == examples, file.data != data {
      problems.append(
        Diagnostic(
          .mismatch, "'\(path)' is of a run on other examples, or in another order",
          hint: "go on with the examples with which the run began"))
    }
    require(file.batch == batch, "the batch", "\(file.batch)", "\(batch)")
    require(
      file.accumulation == accumulation, "batches in an update,", "\(file.accumulation)",
      "\(accumulation)")
    require(
      file.learningRate == learningRate, "the learning rate", "\(file.learningRate.value)",
      "\(learningRate.value)")
    // A schedule looks at the end of training.
    if file.lastEpoch != lastEpoch, !(file.factors.isEmpty && factors.isEmpty) {
      require(false, "a schedule of epochs,", "\(file.lastEpoch)", "\(lastEpoch)")
    } else if file.factors != factors {
      problems.append(
        Diagnostic(
          .mismatch, "'\(path)' is of a run with another schedule of the learning rate"))
    }
    if problems.isEmpty, file.graph != graph {
      problems.append(
        Diagnostic(
          .mismatch,
          "'\(path)' is of a run with another model, loss, optimizer, options or metrics"))
    }
    return problems
  }
}
