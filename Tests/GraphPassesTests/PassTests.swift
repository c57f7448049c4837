import GraphIR
import GraphPasses
import Interpreter
import TestSupport
import Testing

@Suite struct FoldTests {
  @Test func constantsAreComputed() throws {
    try expect(
      "fold",
      of: """
        (%x: f32[2]) -> (f32[2], i32[3]) {
          %a = constant [1, 2] : f32[2]
          %b = constant [0.5, nan] : f32[2]
          %c = multiply %a, %b : f32[2]
          %d = exp %c : f32[2]
          %e = add %x, %d : f32[2]
          %f = constant [1, 0, 7] : i32[3]
          %g = divide %f, %f : i32[3]
          return %e, %g
        }
        """, leave: ["constant", "add", "constant"])
  }

  @Test func repeatedElementsBecomeScalars() throws {
    try expect(
      "fold", of: "() -> f32[3,5] {\n  %a = constant 2 : f32[3,5]\n  return %a\n}",
      leave: ["constant", "broadcast"])
  }

  @Test func repetitionsAndCountersStay() throws {
    try expect(
      "fold",
      of: """
        () -> (f32[4,2], i32[7]) {
          %a = constant [1, 2] : f32[2]
          %b = broadcast %a {dimensions = [1]} : f32[4,2]
          %c = iota {dimension = 0} : i32[7]
          return %b, %c
        }
        """, leave: ["constant", "broadcast", "iota"])
  }

  @Test func largeResultsAreLeftToTheProgram() throws {
    var builder = GraphBuilder(name: "large")
    let type = TensorType(.f32, [16385])
    let a = try builder.constant(Literal(type, doubles: (0..<16385).map(Double.init)))
    let b = try builder.unary(.negate, a)
    let c = try builder.reshape(a, [5, 3277])
    var graph = try builder.finish([b, c])
    let changed = try FoldConstants().run(&graph, PassContext())
    #expect(changed)
    // Only the reshape, which needs no memory.
    #expect(graph.nodes.map(\.operation.mnemonic) == ["constant", "negate", "constant"])
  }
}

@Suite struct CommonSubexpressionTests {
  @Test func equalExpressionsAreComputedOnce() throws {
    try expect(
      "cse",
      of: """
        (%x: f32[3], %y: f32[3]) -> (f32[3], f32[3], f32[3], f32[3]) {
          %a = add %x, %y : f32[3]
          %b = add %y, %x : f32[3]
          %c = exp %a : f32[3]
          %d = exp %b : f32[3]
          %e = subtract %x, %y : f32[3]
          %f = subtract %y, %x : f32[3]
          return %c, %d, %e, %f
        }
        """, leave: ["add", "exp", "subtract", "subtract"])
  }

  @Test func whatDiffersInAttributesLiteralsOrTypesStays() throws {
    try expect(
      "cse",
      of: """
        (%x: f32[3,3], %s: u64[2]) -> (f32[3], f32[3], f32, f32, f32, f32, f32, f32[3,3], f64[3,3]) {
          %a = reduce_sum %x {dimensions = [0]} : f32[3]
          %b = reduce_sum %x {dimensions = [1]} : f32[3]
          %c = constant 1 : f32
          %d = constant 2 : f32
          %e = constant 1 : f32
          %f = random %s {stream = 1} : f32
          %g = random %s {stream = 2} : f32
          %h = convert %x : f16[3,3]
          %i = convert %h : f32[3,3]
          %j = convert %h : f64[3,3]
          return %a, %b, %c, %d, %e, %f, %g, %i, %j
        }
        """,
      leave: [
        "reduce_sum", "reduce_sum", "constant", "constant", "random", "random", "convert",
        "convert", "convert",
      ])
  }
}

@Suite struct DeadCodeTests {
  @Test func unusedChainsVanishAndInputsStay() throws {
    try expect(
      "dce",
      of: """
        (%x: f32[3], %unused: f32[3]) -> f32[3] {
          %a = exp %x : f32[3]
          %b = log %a : f32[3]
          %c = negate %x : f32[3]
          %d = add %b, %b : f32[3]
          return %c
        }
        """, leave: ["negate"])
  }

  @Test func oneUsedResultKeepsItsNode() throws {
    try expect(
      "dce",
      of: """
        (%x: f32[3]) -> f32[3] {
          %0, %1 = composite @pair %x graph @pair(%x0: f32[3]) -> (output0: f32[3], output1: f32[3]) {
            %0 = exp %x0 : f32[3]
            %1 = log %x0 : f32[3]
            return %0, %1
          } : (f32[3], f32[3])
          return %1
        }
        """, leave: ["composite"])
  }
}

@Suite struct InlineTests {
  let text = """
    (%x: f32[3]) -> f32[3] {
      %0 = composite @outer %x graph @outer(%x0: f32[3]) -> f32[3] {
        %0 = composite @inner %x0, %x0 graph @inner(%a: f32[3], %b: f32[3]) -> f32[3] {
          %0 = add %a, %b : f32[3]
          return %0
        } : f32[3]
        %1 = negate %0 : f32[3]
        return %1
      } : f32[3] loc("layer" "Model.swift":3)
      return %0
    }
    """

  @Test func bodiesAreWrittenOut() throws {
    try expect("inline", of: text, leave: ["add", "negate"])
  }

  @Test func keptNamesStay() throws {
    var graph = try parse(text)
    let changed = try InlineComposites(keeping: ["inner"]).run(&graph, PassContext())
    #expect(changed)
    #expect(graph.nodes.map(\.operation.mnemonic) == ["composite", "negate"])
  }

  @Test func nodesWithoutALocationTakeTheComposites() throws {
    var graph = try parse(text)
    try PassPipeline.named(["inline"]).run(&graph)
    #expect(graph.nodes.allSatisfy { $0.location.path == "layer" })
  }
}

@Suite struct EveryOperationTests {
  /// The values of a sample before and after a pipeline.
  func compare(_ graph: Graph, _ inputs: [Literal], _ pipeline: PassPipeline) throws {
    var optimized = graph
    try pipeline.run(&optimized)
    let (found, expected) = (try interpret(optimized, inputs), try interpret(graph, inputs))
    // A composite's body is evaluated in f64, its nodes one by one are rounded.
    let isExact = graph.nodes.allSatisfy { $0.bodies.isEmpty }
    for (a, b) in zip(found, expected) where a != b {
      let epsilon = isExact ? 0 : 64 * (b.type.dtype.epsilon ?? 0)
      let scale = b.doubles().filter(\.isFinite).map(abs).max() ?? 0
      for (x, y) in zip(a.doubles(), b.doubles()) where !(x.isNaN && y.isNaN) && x != y {
        #expect(abs(x - y) <= epsilon * scale, "\(graph)")
      }
    }
  }

  @Test(arguments: Operation.Kind.allCases)
  func passesKeepValues(_ kind: Operation.Kind) throws {
    for sample in samples(of: kind) {
      let graph = try sample.graph()
      let inputs = sample.inputs()
      for pass in PassPipeline.knownPasses {
        try compare(graph, inputs, PassPipeline([pass]))
      }
      try compare(graph, inputs, .standard)
    }
  }

  @Test(arguments: Operation.Kind.allCases)
  func constantsFoldToTheSameValues(_ kind: Operation.Kind) throws {
    for sample in samples(of: kind) {
      var builder = GraphBuilder(name: "constant")
      var operands: [Value] = []
      for literal in sample.inputs() { operands.append(try builder.constant(literal)) }
      let results = try builder.append(
        sample.operation, operands, bodies: sample.bodies, literal: sample.literal)
      try compare(try builder.finish(results), [], .standard)
    }
  }
}
