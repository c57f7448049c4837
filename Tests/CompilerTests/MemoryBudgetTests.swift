import Compiler
import GraphIR
import Testing

/// What has no room is refused before it is allocated.
@Suite struct MemoryBudgetTests {
  /// `-(-x) + y` with tensors of a given shape.
  private func graph(_ shape: Shape) throws -> Graph {
    var builder = GraphBuilder(name: "sum")
    let type = TensorType(.f32, shape)
    let (x, y) = (builder.input("x", type), builder.input("y", type))
    let twice = try builder.negate(try builder.negate(x))
    let sum = try builder.add(twice, y)
    return try builder.finish([Output("z", sum)])
  }

  @Test func theInterpreterHoldsValuesUpToTheirLastUse() throws {
    let graph = try graph([10, 10])
    // x, y and -x; then y, -x and -(-x); then y, -(-x) and the sum.
    #expect(graph.interpreterBytes == 3 * 100 * 8)
    #expect(graph.interfaceBytes == 3 * 100 * 4)
  }

  @Test(arguments: [[1 << 20, 1 << 20], [1 << 24, 1 << 24]])
  func noBackendTakesWhatDoesNotFit(_ extents: [Int]) throws {
    let graph = try graph(Shape(extents))
    #expect(refusal { () throws(Diagnostic) in try JITBackend().prepare(graph) } == .sizeOverflow)
    #expect(
      refusal { () throws(Diagnostic) in try InterpreterBackend().prepare(graph) } == .sizeOverflow)
  }

  /// Each tensor is small enough to be written down, and their sum is not.
  @Test func sumsOfSizesDoNotOverflow() throws {
    var builder = GraphBuilder(name: "many")
    var value = builder.input("x", TensorType(.f64, [1 << 24, 1 << 24]))
    for _ in 0..<5000 { value = try builder.negate(value) }
    let graph = try builder.finish([Output("y", value)])
    let code = refusal { () throws(Diagnostic) in
      try Compilation(graph, options: CompileOptions())
    }
    #expect(code == .sizeOverflow)
  }

  /// A scalar spread out is large without being in memory.
  @Test func countsOfOperationsSaturate() throws {
    var builder = GraphBuilder(name: "product")
    let x = builder.input("x", TensorType(.f32, []))
    let matrix = try builder.broadcast(x, to: [1 << 24, 1 << 24], dimensions: [])
    let product = try builder.dot(matrix, matrix, contracting: [[1], [0]])
    let graph = try builder.finish([Output("y", product)])
    #expect(graph.contractionFlops == Int.max)
  }

  private func refusal<Result>(_ body: () throws(Diagnostic) -> Result) -> Diagnostic.Code? {
    do throws(Diagnostic) {
      _ = try body()
      return nil
    } catch {
      return error.code
    }
  }
}
