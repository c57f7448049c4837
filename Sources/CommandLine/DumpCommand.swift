import ArgumentParser
import Compiler
import GraphIR

/// How a graph is printed.
enum DumpFormat: String, ExpressibleByArgument, CaseIterable {
  /// The textual IR.
  case text
  /// Graphviz.
  case dot
}

extension Stage: ExpressibleByArgument {}

/// `martlet dump`: prints a model at any stage of the compiler.
struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump", abstract: "Print a model at any stage of the compiler.",
    discussion: """
      The stages graph and optimized parse back: save them as .mir and give that as MODEL. With --autotune the \
      stages loops, llvm and asm are those that are the fastest on one thread.

      EXAMPLES:
        martlet dump lenet --train --stage kernels
        martlet dump mlp --after simplify
        martlet dump lenet --format dot | dot -Tsvg -o lenet.svg
      """)

  @OptionGroup var selection: ModelOptions

  @Option(help: "The stage: graph, optimized, kernels, loops, llvm or asm.")
  var stage = Stage.graph

  @Option(help: "Print the graph as it is after the first run of this pass.")
  var after: String?

  @Option(help: "text, or dot for the stages that are graphs.")
  var format = DumpFormat.text

  @OptionGroup var tuning: TuningOptions

  @Flag(name: .customLong("no-locations"), help: "Leave out where each node comes from.")
  var hidesLocations = false

  func run() throws {
    guard !tuning.autotune || after == nil && [.loops, .llvm, .asm].contains(stage) else {
      throw Diagnostic(
        .argument, "what is printed does not depend on --autotune",
        hint: "the stages loops, llvm and asm do")
    }
    let model = try selection.load()
    let options = CompileOptions(
      checkpointsActivations: selection.checkpointActivations, autotune: tuning.autotune)
    if let after {
      let graph = try Compilation.graph(model.graph, after: after, options: options)
      return try print(graph)
    }
    switch stage {
    case .graph: try print(model.graph)
    case .optimized: try print(Compilation.optimize(model.graph, options: options))
    case .kernels, .loops, .llvm, .asm:
      guard format == .text else {
        throw Diagnostic(
          .argument, "the stage \(stage.rawValue) has no dot form", hint: "graph and optimized do")
      }
      let compilation = try Compilation(model.graph, options: options)
      try writeToStandardOutput(compilation.text(of: stage))
    }
  }

  private func print(_ graph: Graph) throws {
    switch format {
    case .text: writeToStandardOutput(graph.text(locations: !hidesLocations))
    case .dot: writeToStandardOutput(graph.dot())
    }
  }
}
