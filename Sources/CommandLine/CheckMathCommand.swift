import ArgumentParser
import Compiler
import GraphIR

/// `martlet check-math`: how exact the vector mathematics is.
struct CheckMathCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-math", abstract: "Check the compiled functions of f32 for every argument.",
    discussion: """
      Each function is compiled and compared with its value in f64: for all 2^32 arguments, or 2^32 pairs drawn of \
      them for power. Printed is the result that is farthest off, in units in the last place (ulp); a wrong NaN, \
      infinity or sign of zero counts as infinitely far. Exits with 1 when a function is farther off than it may be.

      EXAMPLES:
        martlet check-math exp tanh --samples 100000
        martlet check-math all --samples 100000 --threads 2
      """)

  @Argument(help: "Functions by their names in text, or all.")
  var functions: [String] = ["all"]

  @Option(help: "Check so many arguments instead, spread over all and with the special ones.")
  var samples: PositiveInteger?

  @Option(help: "The number of threads (default: one per core).")
  var threads: ThreadCount?

  func run() throws {
    let chosen = try chosenFunctions()
    let head = "function".padded(to: 10) + "arguments".leftPadded(to: 11)
    print(head + "  ulp, at most   farthest off")
    var wrong: [String] = []
    for function in chosen {
      // Of all pairs there are too many.
      let arguments =
        samples.map { MathArguments.samples($0.value) }
        ?? (function.arity == 1 ? .all : .samples(1 << 32))
      let report = try MathCheck.run(
        function, arguments, threads: threads?.value ?? BackendOptions.processors)
      print(line(report))
      if !report.isRight { wrong.append(function.name) }
    }
    guard wrong.isEmpty else {
      printToStandardError("farther off than it may be: " + wrong.joined(separator: ", "))
      throw ExitCode.failure
    }
  }

  private func chosenFunctions() throws(Diagnostic) -> [MathFunction] {
    if functions.contains("all") { return MathFunction.all }
    var chosen: [MathFunction] = []
    for name in functions {
      guard let function = MathFunction.all.first(where: { $0.name == name }) else {
        throw Diagnostic(
          .name, "there is no function '\(name)' to check",
          hint: "all, or " + MathFunction.all.map(\.name).joined(separator: ", "))
      }
      chosen.append(function)
    }
    return chosen
  }

  private func line(_ report: MathCheck.Report) -> String {
    let worst = report.worst
    let arguments = worst.arguments.map { "\($0)" }.joined(separator: ", ")
    return report.function.name.padded(to: 10) + "\(report.count)".leftPadded(to: 11)
      + worst.ulps.fixed(4).leftPadded(to: 8) + "  \(report.function.accuracy.ulps.fixed(1))"
      + "   \(report.function.name)(\(arguments)) = \(worst.result), exactly \(worst.exact)"
  }
}
