import ArgumentParser
import Compiler
import GraphIR

/// `martlet compare`: the interpreter against native code.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare native code with the interpreter.",
    discussion: """
      Every pass is checked by the interpreter, and every kernel on the native code's own inputs; the reference is \
      an f64 run. The table shows the outputs end to end, for information. The exit status is 0 when all is right. \
      On a mismatch the first wrong value is named, with its operation, source line and the pass or stage after \
      which it appears. A training step is compared with its gradients.

      --plant FAULT breaks a stage on purpose, to see the check work; --plant list names the faults.

      EXAMPLES:
        martlet compare lenet --train
        martlet compare model.mir --input x=x.npy
        martlet compare lenet --train --plant schedule-skips-tail
      """)

  @OptionGroup var selection: ModelOptions

  @Option(
    help: ArgumentHelp("An input from a file; others are seeded.", valueName: "name=file.npy"))
  var input: [NamedFile] = []

  @Option(help: "The seed of what is not given.")
  var seed: UInt64 = 1

  @OptionGroup var analysis: AnalysisOptions

  @Option(help: "Break a stage on purpose; 'list' names the faults.")
  var plant: String?

  @OptionGroup var tuning: TuningOptions

  @OptionGroup var report: ReportOptions

  func run() throws {
    if plant == "list" {
      for fault in PlantedFault.allCases {
        print(fault.rawValue.padded(to: 34) + fault.summary)
      }
      return
    }
    var options = CompileOptions(
      threads: analysis.threads.value, checkpointsActivations: selection.checkpointActivations,
      autotune: tuning.autotune)
    options.fault = try plant.map { try fault(named: $0) }
    options.didCompile = report.didCompile
    let model = try selection.load(defaultBatch: 8, exposesGradients: true)
    let inputs = try model.inputs(seed: seed, files: input)
    let comparison = try Comparer(options: options).compare(model.graph, inputs)
    if analysis.json {
      print(try encodeJSON(CompareResult(model: model.name, comparison)))
      if comparison.failure != nil { throw ExitCode.failure }
      return
    }
    print(comparison.report)
    if let failure = comparison.failure {
      printToStandardError(failure.diagnostic.description)
      print("\(model.name): MISMATCH after \(failure.stage)")
      throw ExitCode.failure
    }
    print(
      "\(model.name): equal (\(comparison.outputs.count) outputs, "
        + "\(comparison.judgedResults) kernel results)")
  }
}

/// What `--json` prints; the names are those of the fields.
struct CompareResult: Encodable {
  struct Output: Encodable {
    var name: String
    var type: String
    var jit_absolute: Double
    var jit_relative: Double
    var jit_ulps: Double
    var interpreter_ulps: Double
  }

  struct Failure: Encodable {
    var stage: String
    var operation: String
    var location: String
    var message: String
  }

  var model: String
  var equal: Bool
  var kernel_results: Int
  var outputs: [Output]
  var failure: Failure?

  init(model: String, _ comparison: Comparison) {
    self.model = model
    equal = comparison.isEqual
    kernel_results = comparison.judgedResults
    outputs = comparison.outputs.map {
      Output(
        name: $0.name, type: $0.type.description, jit_absolute: $0.jit.maximumAbsolute,
        jit_relative: $0.jit.maximumRelative, jit_ulps: $0.jit.maximumUlps,
        interpreter_ulps: $0.interpreter.maximumUlps)
    }
    failure = comparison.failure.map {
      Failure(
        stage: $0.stage, operation: $0.operation, location: $0.location.description,
        message: $0.message)
    }
  }
}

/// The fault of the given name.
private func fault(named name: String) throws(Diagnostic) -> PlantedFault {
  if let fault = PlantedFault(rawValue: name) { return fault }
  throw Diagnostic(
    .argument, "there is no fault '\(name)'", hint: "--plant list names them")
}

extension Comparison {
  /// The outputs end to end, as a table.
  var report: String {
    guard !outputs.isEmpty else { return "" }
    let width = outputs.map(\.name.count).max() ?? 0
    var lines = [
      "output".padded(to: width) + "  jit against f64: absolute  relative      ulp"
        + "   interpreter's own: ulp"
    ]
    for output in outputs {
      let jit = output.jit
      lines.append(
        output.name.padded(to: width) + "  " + jit.maximumAbsolute.scientific.leftPadded(to: 25)
          + jit.maximumRelative.scientific.leftPadded(to: 10)
          + jit.maximumUlps.scientific.leftPadded(to: 9)
          + output.interpreter.maximumUlps.scientific.leftPadded(to: 25))
    }
    return lines.joined(separator: "\n")
  }
}
