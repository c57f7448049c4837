import ArgumentParser
import Compiler
import GraphIR
import Runtime

/// `martlet bench`: how long a run takes.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure how long a run or a training step takes.",
    discussion: """
      --json prints one line: model, mode, backend, threads, batch, min_ms, median_ms, runs, compile_ms, \
      peak_bytes, lower_bound_bytes, flops, kernels. --profile prints time, GFLOP/s, GB/s and percent of this \
      machine's limit for each kernel, with the layer it comes from.

      EXAMPLES:
        martlet bench lenet --train --batch 64 --threads 2
        martlet bench mlp --train --profile
      """)

  @OptionGroup var selection: ModelOptions

  @Option(help: "How long to measure, in seconds.")
  var seconds = PositiveNumber(argument: "2")!

  @Flag(help: "Print each kernel's share (jit only).")
  var profile = false

  @Flag(help: "Print one line of JSON.")
  var json = false

  @OptionGroup var options: BackendOptions

  @OptionGroup var report: ReportOptions

  func run() throws {
    guard !profile || options.backend == .jit else {
      throw Diagnostic(.argument, "only the jit backend has a profile")
    }
    let model = try selection.load()
    let inputs = try model.inputs(seed: 1, files: [])
    let backend = try options.makeBackend(
      report, checkpointingActivations: selection.checkpointActivations)
    let started = ContinuousClock.now
    let executable = try backend.prepare(model.graph)
    let compileSeconds = ContinuousClock.now.seconds(since: started)
    var session = try Session(executable)
    for (buffer, literal) in zip(session.inputs, inputs) { buffer.write(literal) }
    let times = try measure(&session)
    let result = BenchResult(
      model: model.name, mode: selection.train ? "train" : "predict", backend: backend.name,
      threads: options.backend == .jit ? options.threadCount : 1, batch: model.batch,
      min_ms: times[0] * 1e3, median_ms: times[times.count / 2] * 1e3, runs: times.count,
      compile_ms: compileSeconds * 1e3, peak_bytes: executable.statistics.peakBytes,
      lower_bound_bytes: executable.statistics.lowerBoundBytes,
      flops: executable.statistics.flops, kernels: executable.statistics.kernels)
    print(json ? try encodeJSON(result) : result.text)
    if profile { try printProfile(executable, inputs) }
  }

  /// The times of single runs, in seconds, ascending.
  private func measure(_ session: inout Session) throws -> [Double] {
    for _ in 0..<3 { try session.run() }
    var times: [Double] = []
    let end = ContinuousClock.now.advanced(by: .seconds(seconds.value))
    while times.count < 5 || ContinuousClock.now < end {
      let started = ContinuousClock.now
      try session.run()
      times.append(ContinuousClock.now.seconds(since: started))
    }
    return times.sorted()
  }

  private func printProfile(_ executable: any Executable, _ inputs: [Literal]) throws {
    guard let executable = executable as? ProgramExecutable else { return }
    let profile = try Profile(executable, inputs, seconds: min(seconds.value, 2))
    let limits = try MachineLimits.measure(threads: options.threadCount)
    let table = profile.table(limits: limits, threads: options.threadCount)
    // A script reads one line of JSON.
    if json { printToStandardError(table) } else { print(table) }
  }
}

/// What `--json` prints; the names are those of the fields.
struct BenchResult: Encodable {
  var model: String
  var mode: String
  var backend: String
  var threads: Int
  var batch: Int
  var min_ms: Double
  var median_ms: Double
  var runs: Int
  var compile_ms: Double
  var peak_bytes: Int
  var lower_bound_bytes: Int
  var flops: Int
  var kernels: Int

  var text: String {
    let rate = min_ms > 0 ? Double(flops) / (min_ms * 1e6) : 0
    return """
      \(model) (\(mode), \(backend), batch \(batch), \(threads) thread\(threads == 1 ? "" : "s"))
        a run      \(min_ms.fixed(3)) ms at best, \(median_ms.fixed(3)) ms median of \(runs)
        compiling  \(compile_ms.fixed(0)) ms
        memory     \(peak_bytes) bytes (no plan needs less than \(lower_bound_bytes))
        arithmetic \(flops) operations in contractions, \(rate.fixed(1)) GFLOP/s; \(kernels) kernels
      """
  }
}
