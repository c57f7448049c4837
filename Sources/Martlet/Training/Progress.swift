#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How training shows where it is, on the standard error stream.
public enum Progress: Hashable, Sendable {
  /// A bar on a terminal, lines elsewhere.
  case automatic
  /// A bar that moves within its line, and what `lines` shows.
  case bar
  /// A line for each epoch; where there are more than a hundred, for about twenty of them.
  case lines
  /// Nothing.
  case silent
}

/// Draws the progress of training.
struct ProgressDisplay {
  private let style: Progress
  private let epochs: Int
  private let steps: Int
  private let clock = ContinuousClock()
  private var epoch = 0
  private var start: ContinuousClock.Instant
  private var lastDrawn: ContinuousClock.Instant
  private var trainingEnd: ContinuousClock.Instant
  private var stepsDone = 0
  /// The time that earlier epochs took, with what came after their steps.
  private let begin: ContinuousClock.Instant

  init(_ progress: Progress, epochs: Int, steps: Int, metrics: [Metric]) {
    style = progress == .automatic ? (isatty(STDERR_FILENO) == 1 ? .bar : .lines) : progress
    self.epochs = epochs
    self.steps = steps
    begin = clock.now
    start = begin
    lastDrawn = begin
    trainingEnd = begin
  }

  var stepsPerSecond: Double {
    let seconds = (trainingEnd - start) / .seconds(1)
    return seconds > 0 ? Double(stepsDone) / seconds : 0
  }

  /// Says what memory training will take, where it is so much that some machine may not have it.
  func announce(bytes: Int?) {
    guard style != .silent, let bytes, bytes >= 250_000_000 else { return }
    show("memory \((Double(bytes) / 1e9).formatted(digits: 2)) GB, planned\n")
  }

  mutating func begin(epoch: Int) {
    self.epoch = epoch
    start = clock.now
    trainingEnd = start
    stepsDone = 0
  }

  /// Notes a step; draws at most ten times a second and allocates nothing in between.
  mutating func update(_ totals: Totals) {
    trainingEnd = clock.now
    stepsDone = totals.steps
    guard style == .bar, trainingEnd - lastDrawn >= .milliseconds(100) else { return }
    lastDrawn = trainingEnd
    let fraction = Double(stepsDone) / Double(max(steps, 1))
    let done = Double(epoch - 1) + fraction
    let elapsed = (trainingEnd - begin) / .seconds(1)
    let left = elapsed / max(done, 1e-9) * (Double(epochs) - done)
    let figures = "\(totals.means)  \(Int(stepsPerSecond)) steps/s  \(clockText(left)) left"
    let line = progressLine(heading, fraction, figures, columns: terminalColumns())
    show("\r\(line)\u{1B}[K")
  }

  mutating func end(_ report: EpochReport) {
    guard style != .silent, isShown(epoch: epoch, of: epochs) else { return }
    let validation = report.validation.map { "  validation \($0)" } ?? ""
    show(
      (style == .bar ? "\r" : "")
        + "\(heading)  \(report.training)\(validation)  \(Int(report.stepsPerSecond)) steps/s"
        + (style == .bar ? "\u{1B}[K\n" : "\n"))
  }

  private var heading: String {
    let total = String(epochs)
    let number = String(epoch)
    return "epoch " + String(repeating: " ", count: max(total.count - number.count, 0))
      + "\(number)/\(total)"
  }

  private func clockText(_ seconds: Double) -> String {
    let whole = Int(seconds.isFinite ? min(seconds, 359_999) : 0)
    let rest = whole % 60
    return "\(whole / 60):\(rest < 10 ? "0" : "")\(rest)"
  }

  /// Writes at once; what cannot be written is lost, as nobody reads it.
  private func show(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}

/// Whether an epoch has a line of its own: each of up to a hundred, else each twentieth part of them.
package func isShown(epoch: Int, of epochs: Int) -> Bool {
  guard epochs > 100 else { return true }
  return epoch % ((epochs + 19) / 20) == 0 || epoch == epochs
}

/// A line of progress that fits: first the bar gives way, then the end of the figures.
///
/// The last column stays free: some terminals wrap once it is written, and a carriage return would then leave the wrapped
/// part behind.
package func progressLine(
  _ heading: String, _ fraction: Double, _ figures: String, columns: Int
) -> String {
  let room = columns - 1 - heading.count - figures.count - 2
  guard room >= 4 else { return String("\(heading) \(figures)".prefix(max(columns - 1, 0))) }
  let width = min(room, 24)
  let filled = min(max(Int(Double(width) * fraction), 0), width)
  let bar = String(repeating: "━", count: filled) + String(repeating: "·", count: width - filled)
  return "\(heading) \(bar) \(figures)"
}

/// How many columns the terminal of the standard error stream has now; 80 where it does not say.
private func terminalColumns() -> Int {
  var size = winsize()
  guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
  return Int(size.ws_col)
}

extension Double {
  /// The number with a fixed count of decimals.
  package func formatted(digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
    guard magnitude < 1e15, max(magnitude, 1) * scale < 1e18 else {
      return isNaN ? "nan" : "\(self)"
    }
    let scaled = Int64((magnitude * scale).rounded())
    let (whole, fraction) = scaled.quotientAndRemainder(dividingBy: Int64(scale))
    let sign = self < 0 && scaled != 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let text = String(fraction)
    return "\(sign)\(whole)." + String(repeating: "0", count: max(digits - text.count, 0)) + text
  }
}
