import ArgumentParser

/// The program `martlet`: one file per verb, each a thin front to the library.
@main
struct MartletCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "A static compute-graph compiler for deep learning.")
}
