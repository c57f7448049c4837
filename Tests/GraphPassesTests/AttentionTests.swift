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

  /// One kernel has one dtype: scores that become wider on their way to the softmax are computed node by node.
  @Test(arguments: [
    ("f16", "f32"), ("bf16", "f32"), ("f32", "f64"), ("f64", "f32"), ("i32", "f32"),
  ])
  func severalDtypesAreNotOneAttention(_ scores: String, _ weights: String) throws {
    let graph = try parse(
      """
      (%q: SCORES[5,3], %k: SCORES[7,3], %v: WEIGHTS[7,4]) -> WEIGHTS[5,4] {
        %s = dot %q, %k {contracting = [[1], [1]]} : SCORES[5,7]
        %l = convert %s : WEIGHTS[5,7]
        %m = reduce_max %l {dimensions = [1]} : WEIGHTS[5]
        %b = broadcast %m {dimensions = [0]} : WEIGHTS[5,7]
        %d = subtract %l, %b : WEIGHTS[5,7]
        %e = exp %d : WEIGHTS[5,7]
        %t = reduce_sum %e {dimensions = [1]} : WEIGHTS[5]
        %c = broadcast %t {dimensions = [0]} : WEIGHTS[5,7]
        %w = divide %e, %c : WEIGHTS[5,7]
        %y = dot %w, %v {contracting = [[1], [0]]} : WEIGHTS[5,4]
        return %y
      }
      """.replacing("SCORES", with: scores).replacing("WEIGHTS", with: weights))
    #expect(try recognized(graph) == graph)
  }
}
