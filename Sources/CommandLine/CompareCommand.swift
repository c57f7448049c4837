import ArgumentParser
import Compiler
import GraphIR

/// `martlet compare`: the interpreter against native code.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare native code with the interpreter.",
    discussion: """
      Every pass is checked by the interpreter, every kernel on the native code's own inputs, and every output end \
      to end; the reference is an f64 run. The exit status is 0 when all is right. On a mismatch the first wrong \
      value is named, with its operation, source line and the pass or stage after which it appears.

      --plant FAULT breaks a stage on purpose, to see the check work; --plant list names the faults.

      EXAMPLES:
        martlet compare lenet --train
        martlet compare model.mir --input x=x.npy
        martlet compare lenet --train --plant schedule-skips-tail
      """)

  @Argument(help: "A sample's name or a .mir file.")
  var model: String

  @Flag(help: "The training step with its gradients, instead of the prediction.")
  var train = false

  @Option(help: "The number of examples (default: 8).")
  var batch: PositiveInteger?

  @Option(
    help: ArgumentHelp("An input from a file; others are seeded.", valueName: "name=file.npy"))
  var input: [NamedFile] = []

  @Option(help: "The seed of what is not given.")
  var seed: UInt64 = 1

  @Option(help: "The number of threads.")
  var threads = ThreadCount(argument: "2")!

  @Option(help: "Break a stage on purpose; 'list' names the faults.")
  var plant: String?

  func run() throws {
    if plant == "list" {
      for fault in PlantedFault.allCases {
        print(fault.rawValue.padded(to: 34) + fault.summary)
      }
      return
    }
    var options = CompileOptions(threads: threads.value)
    options.fault = try plant.map { try fault(named: $0) }
    let model = try LoadedModel.load(
      model, training: train, batch: batch?.value ?? 8, exposesGradients: true)
    let inputs = try model.inputs(seed: seed, files: input)
    let comparison = try Comparer(options: options).compare(model.graph, inputs)
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
