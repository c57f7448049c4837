import GraphIR
import Interpreter
import TestSupport
import Testing

@Suite struct RunFileTests {
  @Test(arguments: RunFile.all.indices) func programGivesTheExpectedValues(_ index: Int) throws {
    let file = try RunFile.all[index].get()
    let problems = file.problems(with: try interpret(file.graph, file.inputs))
    #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
  }

  @Test func programsAreThere() {
    #expect(RunFile.all.count >= 10)
  }

  @Test func wrongOutputsAreNoticed() throws {
    let file = try #require(RunFile.all.lazy.compactMap { try? $0.get() }.first)
    let outputs = try interpret(file.graph, file.inputs)
    let wrong = outputs.map { Literal($0.type, doubles: $0.doubles().map { $0 == 0 ? 1 : 0 }) }
    #expect(file.problems(with: wrong).count == outputs.count)
    #expect(file.problems(with: []).count == 1)
  }
}
