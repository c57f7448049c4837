import GraphIR
import GraphPasses
import Interpreter
import Testing

@Suite struct SplitDilatedConvolutionsTests {
  /// The largest value that inference accepts for a dilation or a stride.
  static let most = 1 << 40

  /// A convolution of `[1, input..., 1]` with `[filter..., 1, 1]` whose attributes are the same in every dimension.
  private func convolution(
    input: Int, filter: Int, spatial: Int, stride: Int, inputDilation: Int, kernelDilation: Int,
    padding: [Int]
  ) throws -> Graph {
    func repeated<T>(_ value: T) -> [T] { Array(repeating: value, count: spatial) }
    var builder = GraphBuilder(name: "test")
    let a = builder.input("a", TensorType(.f32, Shape([1] + repeated(input) + [1])))
    let b = builder.input("b", TensorType(.f32, Shape(repeated(filter) + [1, 1])))
    let op = Convolution(
      stride: repeated(stride), padding: repeated(padding),
      inputDilation: repeated(inputDilation), kernelDilation: repeated(kernelDilation))
    let results = try builder.append(.convolution(op), [a, b])
    return try builder.finish(results)
  }

  /// Runs the pass; the number of convolutions that are left, after the values were compared.
  private func split(_ graph: Graph) throws -> Int {
    var changed = graph
    try PassPipeline.named(["split-dilation", "dce"]).run(&changed)
    let inputs = graph.inputs.enumerated().map { number, input in
      Literal(
        input.type,
        doubles: (0..<input.type.shape.elementCount).map { Double(($0 + number) % 5) - 1.5 })
    }
    expectSame(try interpret(changed, inputs), try interpret(graph, inputs))
    return changed.nodes.count { $0.operation.mnemonic == "convolution" }
  }

  @Test(
    arguments: [
      // dilation, stride, dilation of the kernel, residues that meet elements of the input
      (2, 1, 1, 2), (2, 2, 1, 1), (3, 1, 1, 3), (3, 2, 1, 3), (3, 1, 3, 1), (4, 2, 1, 2),
      (4, 6, 3, 2),
    ])
  func oneConvolutionPerResidue(
    dilation: Int, stride: Int, kernelDilation: Int, pieces: Int
  ) throws {
    for padding in [[0, 0], [2, 3], [5, -1]] {
      let graph = try convolution(
        input: 7, filter: 5, spatial: 1, stride: stride, inputDilation: dilation,
        kernelDilation: kernelDilation, padding: padding)
      #expect(try split(graph) == pieces)
    }
  }

  /// Lowering steps over the places between elements itself where each channel is computed alone.
  @Test func channelsForThemselvesStayWhole() throws {
    var builder = GraphBuilder(name: "test")
    let a = builder.input("a", TensorType(.f32, [1, 4, 5, 6]))
    let b = builder.input("b", TensorType(.f32, [3, 3, 1, 6]))
    let op = Convolution(
      stride: [1, 1], padding: [[1, 2], [1, 2]], inputDilation: [2, 2], groups: 6)
    let results = try builder.append(.convolution(op), [a, b])
    #expect(try split(builder.finish(results)) == 1)
  }

  @Test(arguments: 1...4)
  func manyPiecesStayWhole(spatial: Int) throws {
    for dilation in [65, 1 << 32, Self.most] {
      let graph = try convolution(
        input: 1, filter: 1, spatial: spatial, stride: 1, inputDilation: dilation,
        kernelDilation: 1, padding: [0, 0])
      #expect(try split(graph) == 1)
    }
  }

  /// Eleven dimensions with periods of 64: their product is 2^66.
  @Test func productOfManyPeriodsIsNotComputed() throws {
    let graph = try convolution(
      input: 1, filter: 1, spatial: 11, stride: 1, inputDilation: 64, kernelDilation: 1,
      padding: [0, 0])
    #expect(try split(graph) == 1)
  }

  /// With a stride as large as the dilation there is one residue, whatever the size of both.
  @Test(arguments: [1, 3], [most - 1, most])
  func largestStridesAndDilations(spatial: Int, kernelDilation: Int) throws {
    let graph = try convolution(
      input: 1, filter: 1, spatial: spatial, stride: Self.most, inputDilation: Self.most,
      kernelDilation: kernelDilation, padding: [0, 0])
    #expect(try split(graph) == 1)
    let padded = try convolution(
      input: 2, filter: 2, spatial: spatial, stride: Self.most, inputDilation: Self.most,
      kernelDilation: kernelDilation, padding: [Self.most, Self.most])
    #expect(try split(padded) <= 1)
  }
}
