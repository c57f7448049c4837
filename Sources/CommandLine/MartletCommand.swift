import ArgumentParser
import GraphIR

/// The program `martlet`.
@main
struct MartletCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "Compiles, inspects, compares and trains deep-learning models.",
    discussion: """
      MODEL is the name of a sample (see `martlet list`) or the path of a .mir file.

      EXAMPLES:
        martlet train lenet --epochs 5 --save lenet.safetensors
        martlet dump lenet --train --stage kernels
        martlet compare lenet --train
        martlet bench lenet --train --batch 64 --threads 2 --profile
        martlet plan lenet --train --batch 64
      """,
    version: martletVersion,
    subcommands: [
      TrainCommand.self, SearchCommand.self, GradientCheckCommand.self, PredictCommand.self,
      RunCommand.self, DumpCommand.self,
      CompareCommand.self, BenchCommand.self, PlanCommand.self, OptCommand.self, FuzzCommand.self,
      CheckMathCommand.self, ListCommand.self, PlotCommand.self, ResultsCommand.self,
      DoctorCommand.self,
    ])

  /// Runs the program; a diagnostic goes to the standard error with its code and hint, and exits with 1.
  static func main() {
    do {
      // `--passes=` gives an empty value, which the parser takes for a missing one.
      let arguments = CommandLine.arguments.dropFirst().flatMap { argument in
        argument.hasPrefix("--") && argument.hasSuffix("=")
          ? [String(argument.dropLast()), ""] : [argument]
      }
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch let diagnostic as Diagnostic {
      fail(with: diagnostic.description)
    } catch let diagnostics as Diagnostics {
      fail(with: diagnostics.description)
    } catch {
      exit(withError: error)
    }
  }

  private static func fail(with text: String) -> Never {
    printToStandardError(text)
    exit(withError: ExitCode.failure)
  }
}

/// The version that `martlet --version` prints.
let martletVersion = "0.1.0"
