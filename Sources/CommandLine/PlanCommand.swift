import ArgumentParser
import Compiler
import GraphIR
import Martlet

/// `martlet plan`: the memory of a run, before it runs.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Say what memory a run takes, to the byte, before it runs.",
    discussion: """
      Nothing is run, and no native code is made. The table adds up to what is allocated; the chart shows how much \
      of the arena is in use while each kernel runs, and the list what that is where it is most.

      EXAMPLES:
        martlet plan lenet --train --batch 64
        martlet plan gpt --train --json
      """)

  @OptionGroup var selection: ModelOptions

  @OptionGroup var analysis: AnalysisOptions

  func run() throws {
    let model = try selection.load()
    let compilation = try Compilation(
      model.graph,
      options: CompileOptions(
        threads: analysis.threads.value, checkpointsActivations: selection.checkpointActivations))
    let report = PlanReport(
      model: model.name, mode: selection.train ? "train" : "predict", batch: model.batch,
      roles: model.inputRoles, compilation)
    print(analysis.json ? try encodeJSON(report) : report.text)
  }
}
