import ArgumentParser
import Compiler
import Foundation
import GraphIR

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A whole number of at least 1.
struct PositiveInteger: ExpressibleByArgument {
  let value: Int

  var defaultValueDescription: String { "\(value)" }

  init?(argument: String) {
    guard let value = Int(argument), value >= 1, value <= 1 << 30 else { return nil }
    self.value = value
  }
}

/// A number above 0, and at most 10^9.
struct PositiveNumber: ExpressibleByArgument {
  let value: Double

  var defaultValueDescription: String { "\(value)" }

  init?(argument: String) {
    guard let value = Double(argument), value > 0, value <= 1e9 else { return nil }
    self.value = value
  }
}

/// The number of threads: 1 to 1024.
struct ThreadCount: ExpressibleByArgument {
  let value: Int

  var defaultValueDescription: String { "\(value)" }

  init?(argument: String) {
    guard let value = Int(argument), (1...1024).contains(value) else { return nil }
    self.value = value
  }
}

/// What runs the graph.
enum BackendName: String, ExpressibleByArgument, CaseIterable {
  /// Native code.
  case jit
  /// The reference interpreter.
  case interpreter
}

/// Where and on how many threads a graph runs.
struct BackendOptions: ParsableArguments {
  @Option(help: "What runs the graph: jit or interpreter.")
  var backend = BackendName.jit

  @Option(help: "The number of threads (default: one per core).")
  var threads: ThreadCount?

  @OptionGroup var tuning: TuningOptions

  /// The number of threads asked for, or one per core.
  var threadCount: Int { threads?.value ?? BackendOptions.processors }

  /// The number of processors.
  static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}

/// How native code is chosen.
struct TuningOptions: ParsableArguments {
  @Flag(help: "Time the few best candidates of each kernel, once, and keep the fastest.")
  var autotune = false
}

/// What the commands take that look at native code, rather than run it for its results.
struct AnalysisOptions: ParsableArguments {
  @Option(help: "The number of threads.")
  var threads = ThreadCount(argument: "2")!

  @Flag(help: "Print one line of JSON.")
  var json = false
}

/// What a command that compiles tells of it.
struct ReportOptions: ParsableArguments {
  @Flag(help: "Say where each kernel's code came from, or why not, and what --autotune tried.")
  var verbose = false

  /// Writes where code came from to the standard error, if that was asked for.
  var didCompile: (@Sendable (CodeReport) -> Void)? {
    guard verbose else { return nil }
    return { report in printToStandardError(report.lines.joined(separator: "\n")) }
  }
}

/// Which graph a command works on.
struct ModelOptions: ParsableArguments {
  @Argument(help: "A sample's name or a .mir file.")
  var model: String

  @Flag(help: "The training step instead of the prediction.")
  var train = false

  @Option(help: "The number of examples (default: the sample's, or 8 to compare).")
  var batch: PositiveInteger?

  @Flag(help: "Compute activations again in the backward pass: less memory, more time.")
  var checkpointActivations = false

  /// Finds the model; see `LoadedModel.load`.
  func load(defaultBatch: Int? = nil, exposesGradients: Bool = false) throws -> LoadedModel {
    guard !checkpointActivations || train || model.hasSuffix(".mir") else {
      throw Diagnostic(
        .argument, "a prediction has no backward pass: --checkpoint-activations is for training",
        hint: "add --train")
    }
    return try LoadedModel.load(
      model, training: train, batch: batch?.value, defaultBatch: defaultBatch,
      exposesGradients: exposesGradients)
  }
}

/// `NAME=FILE`.
struct NamedFile: ExpressibleByArgument {
  let name: String
  let path: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    name = String(parts[0])
    path = String(parts[1])
  }
}

/// Prints a line that stands before what is written to the standard error, as progress is, in a pipe, too.
func printAtOnce(_ text: String) {
  print(text)
  fflush(nil)
}

/// Writes a line to the standard error, after what has been printed to the standard output.
func printToStandardError(_ text: String) {
  fflush(nil)
  FileHandle.standardError.write(Data((text + "\n").utf8))
}
