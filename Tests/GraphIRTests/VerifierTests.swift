import GraphIR
import Testing

/// Each invariant, broken on purpose, is named with the location of its node.
@Suite struct VerifierTests {
  /// x -> exp -> twice(exp) with a body, both given.
  private func sound() throws -> Graph {
    var builder = GraphBuilder(name: "sound")
    let x = builder.input("x", TensorType(.f32, [3]), donatedTo: 0)
    let y = builder.input("y", TensorType(.f32, [4]))
    builder.location = Location(file: "a.swift", line: 1)
    let power = try builder.unary(.exp, x)
    builder.location = Location(file: "a.swift", line: 2)
    let twice = try builder.composite("twice", [power]) { body, x throws(Diagnostic) in
      [try body.add(x[0], x[0])]
    }
    return try builder.finish([Output("a", power), Output("b", twice[0]), Output("c", y)])
  }

  private func expect(
    _ message: String, at line: Int = 0, sourceLocation: SourceLocation = #_sourceLocation,
    _ spoil: (inout Graph) throws -> Void
  ) throws {
    var graph = try sound()
    try graph.verify()
    try spoil(&graph)
    let spoiled = graph
    let errors = #expect(throws: Diagnostics.self, sourceLocation: sourceLocation) {
      try spoiled.verify()
    }
    let first = try #require(errors?.all.first)
    #expect(first.message.contains(message), "\(first)", sourceLocation: sourceLocation)
    #expect(first.location.line == line, "\(first)", sourceLocation: sourceLocation)
  }

  @Test func numbering() throws {
    try expect("begin at value 5 instead of 2", at: 1) { $0.nodes[0].firstResult = Value(5) }
    try expect("the table of definitions") { $0.definingNode[0] = 1 }
    try expect("the table of definitions") { $0.definingNode.append(0) }
  }

  @Test func order() throws {
    try expect("reads value 3", at: 1) { $0.nodes[0].operands = [Value(3)] }
    try expect("reads value 99", at: 2) { $0.nodes[1].operands = [Value(99)] }
    try expect("begin at value 3 instead of 2", at: 2) { $0.nodes.swapAt(0, 1) }
  }

  @Test func types() throws {
    try expect("is noted as", at: 1) {
      $0.inputs[0].donatedTo = nil
      $0.nodes[0].types = [TensorType(.f32, [4])]
    }
    try expect("takes 1 operand, not 2", at: 1) { $0.nodes[0].operands = [Value(0), Value(1)] }
    try expect("not defined for i32[3]", at: 1) { $0.inputs[0] = Input("x", TensorType(.i32, [3])) }
    try expect("takes no literal", at: 1) { $0.nodes[0].literal = .scalar(1, .f32) }
    try expect("takes no body", at: 1) { $0.nodes[0].bodies = $0.nodes[1].bodies }
    try expect("exactly one body, not 0", at: 2) { $0.nodes[1].bodies = [] }
  }

  @Test func bodies() throws {
    try expect("reads value 7", at: 2) { $0.nodes[1].bodies[0].nodes[0].operands[1] = Value(7) }
    try expect("gives value 9") { $0.nodes[1].bodies[0].outputs[0] = Output("a", Value(9)) }
    try expect("donates an input", at: 2) { $0.nodes[1].bodies[0].inputs[0].donatedTo = 0 }
  }

  @Test func interface() throws {
    try expect("cannot be the name of an graph") { $0.name = "1st" }
    try expect("cannot be the name of an input") { $0.inputs[1].name = "a b" }
    try expect("two inputs have the name x") { $0.inputs[1].name = "x" }
    try expect("two outputs have the name b") { $0.outputs[0].name = "b" }
    try expect("gives value 4, which is not there") { $0.outputs[0].value = Value(4) }
    try expect("output 7, which is not there") { $0.inputs[0].donatedTo = 7 }
    try expect("is donated to output c of f32[4]") { $0.inputs[0].donatedTo = 2 }
    try expect("two inputs are donated") {
      $0.inputs[1] = Input("y", TensorType(.f32, [3]), donatedTo: 0)
    }
    try expect("cannot have the type") { $0.inputs[1].type = TensorType(.f32, [-4]) }
  }

  @Test func allProblemsAreReported() throws {
    var graph = try sound()
    graph.outputs[0].name = "b"
    graph.nodes[0].types = [TensorType(.f64, [3])]
    let spoiled = graph
    let errors = #expect(throws: Diagnostics.self) { try spoiled.verify() }
    #expect(errors?.all.count == 3, "\(String(describing: errors))")
  }

  @Test func buildersRefuseStrangers() throws {
    var builder = GraphBuilder(name: "g")
    _ = builder.input("x", TensorType(.f32, [3]))
    #expect(throws: Diagnostic.self) { try builder.unary(.exp, Value(7)) }
    #expect(throws: Diagnostic.self) { try builder.composite("c", [Value(7)]) { _, x in x } }
    let finished = builder
    #expect(throws: Diagnostic.self) { try finished.finish([Value(1)]) }
  }

  @Test func errorsNameTheOperandsOrigins() throws {
    var builder = GraphBuilder(name: "g")
    let x = builder.input("x", TensorType(.f32, [3]), location: Location(file: "a.swift", line: 5))
    builder.location = Location(file: "a.swift", line: 6, path: "block")
    let y = try builder.iota(TensorType(.f32, [4]), dimension: 0)
    builder.location = Location(file: "a.swift", line: 7)
    var copy = builder
    let error = #expect(throws: Diagnostic.self) { try copy.add(x, y) }
    #expect(error?.location == Location(file: "a.swift", line: 7))
    #expect(
      error?.notes == [
        "operand 0 is f32[3] from a.swift:5", "operand 1 is f32[4] from a.swift:6 (block)",
      ])
  }

  @Test func inliningGivesTheSameNodes() throws {
    let inner = try sound()
    var builder = GraphBuilder(name: "outer")
    let y = builder.input("b", TensorType(.f32, [4]))
    let x = builder.input("a", TensorType(.f32, [3]))
    let results = try builder.inline(inner, [x, y])
    let twice = try builder.inline(inner, [results[1], results[2]])
    let graph = try builder.finish(twice)
    try graph.verify()
    #expect(graph.nodes.map(\.operation) == (inner.nodes + inner.nodes).map(\.operation))
    #expect(graph.nodes[2].operands == graph.nodes[1].results)
    #expect(graph.nodes[0].location == inner.nodes[0].location)
    var other = GraphBuilder(name: "wrong")
    let z = other.input("z", TensorType(.f32, [3]))
    #expect(throws: Diagnostic.self) { try other.inline(inner, [z]) }
    #expect(throws: Diagnostic.self) { try other.inline(inner, [z, z]) }
  }

  @Test func drawingsNameEveryNode() throws {
    let drawing = try sound().dot()
    #expect(drawing.hasPrefix("digraph \"sound\" {") && drawing.hasSuffix("}\n"))
    for part in ["\"i0\" -> \"n0\"", "composite @twice", "n1_0_i0", "\"n1\" -> \"o1\"", "f32[3]"] {
      #expect(drawing.contains(part), "\(part)")
    }
    #expect(drawing.filter { $0 == "{" }.count == drawing.filter { $0 == "}" }.count)
  }
}
