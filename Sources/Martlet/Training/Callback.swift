import GraphIR

/// What happens beside training: at the end of each epoch it sees the report, and may end training.
public protocol Callback: AnyObject {
  /// Called before the first epoch, in the order in which callbacks are given; does nothing unless a callback says so.
  func trainingBegan(on examples: Dataset, of trainer: Trainer) throws(Diagnostics)

  /// Called after each epoch, in the order in which callbacks are given.
  ///
  /// - Returns: whether training goes on.
  func epochEnded(_ report: EpochReport, of trainer: Trainer) throws(Diagnostics) -> Bool

  /// Called after each step; does nothing unless told otherwise.
  func stepEnded(of trainer: Trainer) throws(Diagnostics)

  /// What a checkpoint keeps, and sets again when training goes on from it; nothing unless told otherwise.
  var memory: String { get set }
}

extension Callback {
  /// Does nothing.
  public func stepEnded(of trainer: Trainer) throws(Diagnostics) {}

  /// Nothing.
  public var memory: String {
    get { "" }
    set {}
  }
}

extension Callback {
  /// Does nothing.
  public func trainingBegan(on examples: Dataset, of trainer: Trainer) throws(Diagnostics) {}
}

/// A number of an epoch's report that a callback watches.
public struct Monitor: Hashable, Sendable {
  /// The loss, or the name of a metric.
  public let name: String
  /// Whether it is measured on the validation examples, rather than while training goes on.
  public let isValidation: Bool
  /// Whether less is better.
  public let isLessBetter: Bool

  /// The loss on the validation examples.
  public static let validationLoss = Monitor("loss", isValidation: true, isLessBetter: true)
  /// The loss while training goes on.
  public static let trainingLoss = Monitor("loss", isValidation: false, isLessBetter: true)

  /// A metric on the validation examples, of which more is better.
  public static func validation(_ metric: Metric) -> Monitor {
    Monitor(metric.name, isValidation: true, isLessBetter: false)
  }

  /// Makes a monitor.
  public init(_ name: String, isValidation: Bool, isLessBetter: Bool) {
    self.name = name
    self.isValidation = isValidation
    self.isLessBetter = isLessBetter
  }

  /// The number in a report.
  ///
  /// - Throws: when the report has no such number.
  func value(in report: EpochReport) throws(Diagnostics) -> Double {
    let part = isValidation ? report.validation : report.training
    if let value = name == "loss" ? part?.loss : part?[name] { return value }
    let place = isValidation ? "on validation examples" : "in training"
    throw Diagnostics([
      Diagnostic(
        .argument, "a callback watches '\(name)' \(place), which is not measured",
        hint: isValidation && report.validation == nil
          ? "call fit with validation examples" : "name it among the trainer's metrics")
    ])
  }

  /// Whether a number is better than the best so far by more than a margin; NaN never is.
  func isBetter(_ value: Double, than best: Double?, by margin: Double = 0) -> Bool {
    guard let best else { return !value.isNaN }
    return isLessBetter ? value < best - margin : value > best + margin
  }
}

/// Ends training when a number has not become better for some epochs (Prechelt, "Early stopping: but when?", 1998).
public final class EarlyStopping: Callback {
  /// The number that is watched.
  public let monitor: Monitor
  /// How many epochs in a row may be no better.
  public let patience: Int
  /// By how much a number must be better to count.
  public let margin: Double
  /// The best number so far; nil before the first.
  public private(set) var best: Double?
  private var waited = 0

  /// The best number so far, NaN before the first, and for how many epochs nothing was better.
  public var memory: String {
    get { "\(best ?? .nan) \(waited)" }
    set {
      let parts = newValue.split(separator: " ")
      guard parts.count == 2, let number = Double(parts[0]), let count = Int(parts[1]) else {
        return
      }
      best = number.isNaN ? nil : number
      waited = count
    }
  }

  /// Makes the callback.
  public init(_ monitor: Monitor = .validationLoss, patience: Int = 5, margin: Double = 0) {
    self.monitor = monitor
    self.patience = patience
    self.margin = margin
  }

  /// Ends training when patience is at its end.
  public func epochEnded(_ report: EpochReport, of trainer: Trainer) throws(Diagnostics) -> Bool {
    let value = try monitor.value(in: report)
    if monitor.isBetter(value, than: best, by: margin) {
      best = value
      waited = 0
    } else {
      waited += 1
    }
    return waited <= patience
  }
}

/// Saves a checkpoint whenever a number is better than ever before.
public final class BestCheckpoint: Callback {
  /// The file that is replaced.
  public let path: String
  /// The number that is watched.
  public let monitor: Monitor
  /// The best number so far; nil before the first.
  public private(set) var best: Double?

  /// The best number so far; NaN before the first.
  public var memory: String {
    get { "\(best ?? .nan)" }
    set { best = Double(newValue).flatMap { $0.isNaN ? nil : $0 } }
  }

  /// Makes the callback.
  public init(path: String, _ monitor: Monitor = .validationLoss) {
    self.path = path
    self.monitor = monitor
  }

  /// Saves when the number is the best so far.
  public func epochEnded(_ report: EpochReport, of trainer: Trainer) throws(Diagnostics) -> Bool {
    let value = try monitor.value(in: report)
    guard monitor.isBetter(value, than: best) else { return true }
    best = value
    try trainer.save(to: path)
    return true
  }
}

/// Saves a checkpoint after every so many epochs.
public final class PeriodicCheckpoint: Callback {
  /// The file that is replaced.
  public let path: String
  /// The number of epochs from one to the next.
  public let epochs: Int

  /// Makes the callback.
  public init(path: String, everyEpochs epochs: Int = 1) {
    self.path = path
    self.epochs = max(epochs, 1)
  }

  /// Saves when it is time.
  public func epochEnded(_ report: EpochReport, of trainer: Trainer) throws(Diagnostics) -> Bool {
    if report.epoch % epochs == 0 { try trainer.save(to: path) }
    return true
  }
}
