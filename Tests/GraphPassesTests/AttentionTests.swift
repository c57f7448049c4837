import GraphIR
import GraphPasses
import Interpreter
import TestSupport
import Testing

@Suite struct RecognizeAttentionTests {
  func recognized(_ graph: Graph) throws -> Graph {
    var found = graph
    try PassPipeline.named(["attention", "dce"]).run(&found)
    return found
  }

  @Test(arguments: AttentionSample.all, [false, true])
  func writtenAttentionBecomesAComposite(_ sample: AttentionSample, isMoved: Bool) throws {
    var sample = sample
    sample.isMoved = isMoved
    let graph = try sample.graph()
    let found = try recognized(graph)
    let sizes = [sample.queries, sample.keys, sample.features, sample.columns]
    let isProduct = sizes.allSatisfy { $0 > 1 } && sample.batch.allSatisfy { $0 > 0 }
    let attention = found.nodes.filter(\.isWholeAttention)
    #expect(attention.count == (isProduct ? 1 : 0), "\(sample)\n\(found)")
    if isProduct {
      // Masks made of counters are computed inside; others are operands in their own shape.
      let others = found.nodes.filter { !$0.isWholeAttention }
      #expect(others.allSatisfy { $0.operation.mnemonic == "transpose" }, "\(found)")
    }
    // The interpreter rounds nothing inside of a composite.
    let inputs = sample.inputs(of: graph)
    expectSame(
      try interpret(found, inputs, precision: .double),
      try interpret(graph, inputs, precision: .double))
  }

  @Test func whatIsOnlyLikeAttentionStays() throws {
    let text = """
      (%q: f32[2,5,3], %k: f32[2,7,3], %v: f32[2,7,4]) -> f32[2,5,4] {
        %s = dot %q, %k {batch = [[0], [0]], contracting = [[2], [2]]} : f32[2,5,7]
        %m = reduce_max %s {dimensions = [DIM]} : f32[ROWS]
        %b = broadcast %m {dimensions = [OWN]} : f32[2,5,7]
        %d = subtract %s, %b : f32[2,5,7]
        %e = exp %d : f32[2,5,7]
        %t = reduce_sum %e {dimensions = [DIM]} : f32[ROWS]
        %c = broadcast %t {dimensions = [OWN]} : f32[2,5,7]
        %w = divide %e, %c : f32[2,5,7]
        %y = dot %w, %v {batch = [[0], [0]], contracting = [[2], [1]]} : f32[2,5,4]
        return %y
      }
      """
    func graph(_ dimension: String, _ rows: String, _ own: String) throws -> Graph {
      try parse(
        text.replacing("DIM", with: dimension).replacing("ROWS", with: rows)
          .replacing("OWN", with: own))
    }
    #expect(try recognized(graph("2", "2,5", "0, 1")).nodes.count == 1)
    #expect(try recognized(graph("1", "2,7", "0, 2")).nodes.count == 9, "along the queries")
    // Weights that are an output are computed anyway.
    let both = try parse(
      text.replacing("DIM", with: "2").replacing("ROWS", with: "2,5").replacing("OWN", with: "0, 1")
        .replacing("-> f32[2,5,4]", with: "-> (f32[2,5,4], f32[2,5,7])")
        .replacing("return %y", with: "return %y, %w"))
    #expect(try recognized(both).nodes.count == 9)
  }
}
