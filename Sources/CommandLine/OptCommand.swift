import ArgumentParser
import GraphIR
import GraphPasses

/// `martlet opt`: the passes as a filter.
struct OptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "opt", abstract: "Run passes on a .mir file and print the result.",
    discussion: """
      EXAMPLES:
        martlet opt model.mir --passes simplify,cse,dce
        martlet opt model.mir --passes fold --check-each --time
      """)

  @Argument(help: "A .mir file.")
  var file: String

  @Option(help: "The passes in order, separated by commas (see `martlet list`); may be empty.")
  var passes: String

  @Flag(help: "Interpret the graph before and after each pass on seeded inputs and compare.")
  var checkEach = false

  @Flag(help: "Print each pass's time to the standard error.")
  var time = false

  @Option(help: "Print the graph after this pass (or 'all') to the standard error.")
  var dumpAfter: String?

  @Flag(name: .customLong("no-locations"), help: "Leave out where each node comes from.")
  var hidesLocations = false

  func run() throws {
    // What has no location must come out without one.
    var graph = try Graph.read(file, locatingByLine: false)
    let names = passes.split(separator: ",").map { String($0).trimmed }
    let pipeline = try PassPipeline.named(names)
    var context = PassContext()
    if checkEach { context.checkWithInterpreter = graph.seededInputs(seed: 1) }
    let (dumps, locations) = (dumpAfter, !hidesLocations)
    context.didRun = { pass, graph, changed in
      guard let dumps, dumps == "all" || dumps == pass else { return }
      printToStandardError("// after \(pass)\(changed ? "" : " (unchanged)")")
      if changed { printToStandardError(graph.text(locations: locations)) }
    }
    let runs = try pipeline.run(&graph, context)
    if time {
      for run in runs { printToStandardError("\(run.pass.padded(to: 12))\(run.duration)") }
    }
    writeToStandardOutput(graph.text(locations: locations))
  }
}
