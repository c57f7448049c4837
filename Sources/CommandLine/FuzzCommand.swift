import ArgumentParser
import Compiler
import GraphIR

/// `martlet fuzz`: random graphs on both backends.
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz", abstract: "Compare interpreter and native code on random graphs.",
    discussion: """
      Each graph is checked pass by pass, kernel by kernel, through the evaluator of loops, and for equal bits on \
      1, 2 and 4 threads. A failing graph is written to fuzz-SEED.mir, and its seed runs it again alone.

      EXAMPLE:
        martlet fuzz --count 20 --seed 42
      """)

  @Option(help: "The number of graphs.")
  var count = PositiveInteger(argument: "200")!

  @Option(help: "The seed of the first graph; the next has the next seed.")
  var seed: UInt64 = 1

  func run() throws {
    var failures = 0
    for index in 0..<count.value {
      let seed = seed &+ UInt64(index)
      let outcome = Fuzzer.run(seed: seed)
      guard let problem = outcome.problem else { continue }
      failures += 1
      printToStandardError("seed \(seed): \(problem.description)")
      if let graph = outcome.graph {
        let path = "fuzz-\(seed).mir"
        try graph.write(to: path)
        printToStandardError("  the graph is in \(path)")
      }
    }
    print(
      "\(count.value) graphs from seed \(seed): \(count.value - failures) passed, \(failures) failed"
    )
    if failures > 0 { throw ExitCode.failure }
  }
}
