import ArgumentParser
import GraphIR
import Martlet

/// `martlet gradcheck`: computed gradients against numerical ones.
struct GradientCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradcheck", abstract: "Compare computed gradients with numerical ones, in f64.",
    discussion: """
      The loss of a batch is computed with single elements of each parameter moved a little up and down; the interpreter \
      does it in f64. Elements at a kink, as of ReLU, have no gradient and are skipped. The exit status is 1 when an \
      error is above the tolerance.

      EXAMPLES:
        martlet gradcheck perceptron
        martlet gradcheck lenet --elements 3 --batch 1
      """)

  @Argument(help: "A sample's name (see `martlet list`).")
  var model: String

  @Option(help: "The number of examples.")
  var batch = PositiveInteger(argument: "2")!

  @Option(
    help: """
      The number of elements of each parameter to compare, at most (default: 12, or as many as take about a minute).
      """)
  var elements: PositiveInteger?

  @Option(help: "Decides first values, the batch, dropout and the elements.")
  var seed: UInt64 = 0

  @Option(help: "The greatest relative error that passes.")
  var tolerance = PositiveNumber(argument: "1e-5")!

  func run() throws {
    let recipe = try LoadedModel.recipe(named: model)
    let check = try recipe.checkGradients(
      batch: batch.value, elements: elements?.value, seed: seed, tolerance: tolerance.value)
    print(check.table)
    let compared = check.parameters.map(\.compared).reduce(0, +)
    let skipped = check.parameters.map(\.skipped).reduce(0, +)
    let all = check.parameters.map(\.type.shape.elementCount).reduce(0, +)
    let counts = "\(compared) of \(all) elements compared, \(skipped) skipped at kinks"
    guard check.passes else {
      let what =
        check.greatestGradient > 0
        ? "WRONG GRADIENTS" : "every gradient is 0, so that nothing was checked"
      print("\(model): \(what) (\(counts))")
      throw ExitCode.failure
    }
    print("\(model): all gradients are right (\(counts))")
  }
}

extension GradientCheck {
  /// What was found for each parameter.
  fileprivate var table: String {
    let width = max(parameters.map(\.name.count).max() ?? 0, 9)
    let types = max(parameters.map { "\($0.type)".count }.max() ?? 0, 4)
    let head =
      "parameter".padded(to: width) + "  " + "type".padded(to: types)
      + "  compared  skipped  greatest error"
    return
      ([head]
      + parameters.map { parameter in
        var line =
          parameter.name.padded(to: width) + "  " + "\(parameter.type)".padded(to: types)
          + "\(parameter.compared)".leftPadded(to: 10) + "\(parameter.skipped)".leftPadded(to: 9)
          + parameter.error.scientific.leftPadded(to: 16)
        if parameter.error > tolerance, let worst = parameter.worst {
          line += "  element \(worst.element): \(worst.computed), by differences \(worst.numerical)"
        }
        return line
      }).joined(separator: "\n")
  }
}
