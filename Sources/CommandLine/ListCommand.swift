import ArgumentParser
import Compiler
import GraphIR
import GraphPasses
import Samples

/// `martlet list`: what there is.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List samples, passes, operations, stages and faults.",
    discussion: """
      EXAMPLES:
        martlet list
        martlet list --json
      """)

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let sections: [(title: String, entries: [(name: String, summary: String)])] = [
      ("samples", Samples.all.map { ($0.name, $0.summary) }),
      ("passes", PassPipeline.knownPasses.map { ($0.name, $0.summary) }),
      ("stages", Stage.allCases.map { ($0.rawValue, $0.summary) }),
      ("operations", Operation.Kind.allCases.map { ($0.rawValue, $0.functionNames) }),
      ("faults", PlantedFault.allCases.map { ($0.rawValue, $0.summary) }),
    ]
    if json {
      let table = sections.map { section in
        (section.title, section.entries.map { ["name": $0.name, "summary": $0.summary] })
      }
      print(try encodeJSON(Dictionary(uniqueKeysWithValues: table)))
      return
    }
    for section in sections {
      print(section.title)
      for entry in section.entries {
        print(("  " + entry.name.padded(to: 32) + entry.summary).trimmedAtEnd)
      }
    }
  }
}

extension Operation.Kind {
  /// The functions of a family, as text names them; empty for a single operation.
  var functionNames: String {
    let names: [String] =
      switch self {
      case .unary: UnaryFunction.allCases.map(\.rawValue)
      case .binary: BinaryFunction.allCases.map(\.rawValue)
      case .compare: CompareFunction.allCases.map(\.rawValue)
      case .reduce: ReduceFunction.allCases.map { "reduce_\($0.rawValue)" }
      case .argReduce: ArgReduceFunction.allCases.map(\.rawValue)
      case .reduceWindow: ReduceFunction.allCases.map { "reduce_window_\($0.rawValue)" }
      case .reduceWindowGradient: ["reduce_window_gradient_max", "reduce_window_gradient_min"]
      case .scatter: ScatterFunction.allCases.map { "scatter_\($0.rawValue)" }
      case .select, .clamp, .convert, .constant, .iota, .reshape, .broadcast, .transpose, .slice,
        .pad, .concatenate, .reverse, .dot, .convolution, .gather, .random, .composite:
        []
      }
    return names.joined(separator: " ")
  }
}
