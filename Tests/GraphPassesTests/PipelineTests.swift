import GraphIR
import GraphPasses
import Interpreter
import Testing

/// A pass that does as the test says.
private struct TestPass: GraphPass {
  let name = "test"
  let summary = "what a test says"
  let body: @Sendable (inout Graph) throws(Diagnostic) -> Bool

  func run(_ graph: inout Graph, _ context: PassContext) throws(Diagnostic) -> Bool {
    try body(&graph)
  }
}

@Suite struct PipelineTests {
  let text = """
    (%x: f32[2]) -> (y: f32[2]) {
      %a = constant 1 : f32[2]
      %b = multiply %x, %a : f32[2]
      %c = constant 3 : f32[2]
      %d = multiply %b, %c : f32[2]
      %e = constant 2 : f32[2]
      %f = subtract %d, %e : f32[2]
      %g = constant 0.3 : f32[2]
      %h = add %f, %g : f32[2]
      return %h
    }
    """

  func error(
    _ text: String, _ body: @escaping @Sendable (inout Graph) throws(Diagnostic) -> Bool
  ) throws -> Diagnostic? {
    var graph = try parse(text)
    var context = PassContext()
    context.checkWithInterpreter = [Literal([2], [1 as Float, 2])]
    return #expect(throws: Diagnostic.self) {
      try PassPipeline([TestPass(body: body)]).run(&graph, context)
    }
  }

  @Test func malformedGraphsAreFound() throws {
    let found = try error(text) { graph throws(Diagnostic) in
      graph.nodes[1].operands[0] = Value(7)
      return true
    }
    #expect(found?.code == .malformedGraph)
    #expect(found?.message.contains("pass test") == true)
  }

  @Test func falseClaimsAreFound() throws {
    #expect(try error(text) { _ throws(Diagnostic) in true }?.code == .internalError)
    let silent = try error(text) { graph throws(Diagnostic) in
      graph.nodes[1].location = Location(file: "x")
      return false
    }
    #expect(silent?.code == .internalError)
  }

  @Test func changedInterfacesAreFound() throws {
    let found = try error(text) { graph throws(Diagnostic) in
      graph.outputs[0].name = "z"
      return true
    }
    #expect(found?.code == .malformedGraph)
  }

  @Test func changedValuesAreFound() throws {
    let found = try error(text) { graph throws(Diagnostic) in
      graph.nodes[1].operation = .binary(Binary(.divide))
      graph.nodes[3].operation = .binary(Binary(.divide))
      return true
    }
    #expect(found?.code == .mismatch)
    #expect(found?.message.contains("output y") == true)
  }

  @Test func everyPassIsReportedAndDumped() throws {
    var graph = try parse(text)
    var context = PassContext()
    var dumps: [PassDump] = []
    var names: [String] = []
    context.dumpAfter = .all
    context.onDump = { dumps.append($0) }
    context.didRun = { name, _, _ in names.append(name) }
    let runs = try PassPipeline.named(["simplify", "cse", "dce"]).run(&graph, context)
    #expect(runs.map(\.pass) == ["simplify", "cse", "dce"])
    #expect(runs.map(\.changed) == [true, false, true])
    #expect(runs.map(\.nodes) == [7, 7, 6])
    #expect(names == ["simplify", "cse", "dce"])
    #expect(dumps.map(\.fileName) == ["01-simplify.mir", "02-cse.mir", "03-dce.mir"])
    #expect(dumps[1].text == "(unchanged)\n")
    #expect(dumps[2].text == graph.text())

    context.dumpAfter = .pass("dce")
    dumps = []
    try PassPipeline.named(["simplify", "dce", "dce"]).run(&graph, context)
    #expect(dumps.map(\.number) == [2, 3])
  }

  @Test func aPipelineStopsWhereItIsTold() throws {
    var graph = try parse(text)
    var context = PassContext()
    context.stopAfter = 2
    #expect(try PassPipeline.standard.run(&graph, context).count == 2)
    context.stopAfter = 0
    #expect(try PassPipeline.standard.run(&graph, context).isEmpty)
  }

  @Test func unknownPassesAreNamed() throws {
    let error = #expect(throws: Diagnostic.self) { try PassPipeline.named(["dce", "cze"]) }
    #expect(error?.message.contains("cze") == true)
    let known = "inline, attention, split-dilation, simplify, fold, cse, layout, dce, checkpoint"
    #expect(error?.hint == "the passes are \(known)")
  }

  @Test func theInterfaceSurvives() throws {
    var graph = try parse(
      """
      (%w: f32[2] donates w, %x: f32[2]) -> (w: f32[2], loss: f32) {
        %a = constant 1 : f32[2]
        %b = multiply %w, %a : f32[2]
        %c = add %b, %x : f32[2]
        %d = reduce_sum %c {dimensions = [0]} : f32
        return %c, %d
      }
      """)
    let before = graph
    try PassPipeline.standard.run(&graph)
    #expect(graph.inputs == before.inputs)
    #expect(graph.outputs.map(\.name) == ["w", "loss"])
    #expect(graph.nodes.count == 2)
  }

  @Test(
    arguments: PlantedFault.allCases.filter { fault in
      PassPipeline.knownPasses.contains { $0.name == fault.stage }
    })
  func plantedFaultsChangeValuesAndAreFound(_ fault: PlantedFault) throws {
    var graph = try parse(text)
    let inputs = [Literal([2], [1 as Float, 2])]
    var context = PassContext()
    context.checkWithInterpreter = inputs
    try PassPipeline.standard.run(&graph, context)

    context.fault = fault
    let error = #expect(throws: Diagnostic.self) {
      var broken = try parse(text)
      try PassPipeline.standard.run(&broken, context)
    }
    #expect(error?.code == .mismatch)
    #expect(error?.message.contains("pass \(fault.stage) ") == true)

    // What comes after must not mend it.
    context.checkWithInterpreter = nil
    var broken = try parse(text)
    try PassPipeline.standard.run(&broken, context)
    #expect(try interpret(broken, inputs) != interpret(graph, inputs))
  }
}
