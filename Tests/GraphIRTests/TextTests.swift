import GraphIR
import Testing

@Suite struct TextTests {
  @Test func readsWhatTheReferenceShows() throws {
    let text = """
      graph @dense(%x: f32[64,784], %weight: f32[784,10] loc("w"), %bias: f32[10] donates out) -> (f32[64,10], out: f32[10]) {
        // a comment
        %0 = dot %x, %weight {contracting = [[1], [0]]} : f32[64,10] loc("head.0" "Samples/LeNet.swift":9)
        %1 = broadcast %bias {dimensions = [1]} : f32[64,10]
        %2 = add %0, %1 : f32[64,10]
        %3 = constant [0.1, -0.0, nan, inf, -inf, 1e-45, 0x7fc00001, 3, 4, 5] : f32[10]
        %4, %5 = composite @twice %3 graph @body(%a: f32[10]) -> (f32[10], f32[10]) {
          %0 = add %a, %a : f32[10]
          return %0, %a
        } : (f32[10], f32[10])
        %6 = reduce_window_max %4 {window = {size = [2], stride = [1], padding = [[0, 0]], dilation = [1]}} : f32[9]
        return %2, %5
      }
      """
    let graph = try Graph.parse(text, file: "a.mir")
    try graph.verify()
    let again = try Graph.parse(graph.text(), file: "b.mir")
    #expect(again == graph)
  }
}
