import Compiler
import GraphIR
import GraphPasses
import Interpreter
import Testing

@Suite struct LayoutTests {
  /// What stands between two transposes.
  struct Step: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Appends to a graph, and gives the result.
    var append: @Sendable (inout GraphBuilder, Value) throws -> Value

    init(_ name: String, _ append: @escaping @Sendable (inout GraphBuilder, Value) throws -> Value)
    {
      testDescription = name
      self.append = append
    }
  }

  static let window = Window(
    size: [1, 2, 1, 3], stride: [1, 2, 1, 1], padding: [[0, 0], [1, 0], [0, 0], [1, 1]])

  /// Operations whose results have four dimensions in the order of the operand's.
  static let steps = [
    Step("unary") { builder, x in try builder.unary(.abs, x) },
    Step("binary with a constant") { builder, x in
      let type = builder.type(of: x)
      let numbers = (0..<type.shape.elementCount).map { Double($0 % 11) }
      return try builder.add(x, builder.constant(Literal(type, doubles: numbers)))
    },
    Step("binary with a repeated vector") { builder, x in
      let type = builder.type(of: x)
      let vector = try builder.iota(TensorType(type.dtype, [type.shape[1]]), dimension: 0)
      return try builder.multiply(
        x, builder.broadcast(vector, to: type.shape, dimensions: [1]))
    },
    Step("binary with counters") { builder, x in
      try builder.subtract(builder.iota(builder.type(of: x), dimension: 2), x)
    },
    Step("select, compare") { builder, x in
      let y = try builder.unary(.negate, x)
      return try builder.select(builder.compare(.less, x, y), x, y)
    },
    Step("clamp, convert") { builder, x in
      let type = builder.type(of: x)
      let low = try builder.splat(-2, type)
      let high = try builder.splat(3, type)
      return try builder.convert(
        builder.convert(builder.clamp(low, x, high), .i32), type.dtype)
    },
    Step("pad") { builder, x in
      try builder.pad(
        x, with: builder.scalar(7, builder.type(of: x).dtype), low: [0, 1, -1, 2],
        high: [1, 0, 3, 0], interior: [0, 0, 2, 1])
    },
    Step("slice") { builder, x in
      let extents = builder.type(of: x).shape.extents
      return try builder.slice(x, start: [0, 1, 0, 1], limit: extents, stride: [1, 1, 2, 1])
    },
    Step("reverse") { builder, x in try builder.reverse(x, dimensions: [0, 3]) },
    Step("concatenate") { builder, x in
      try builder.concatenate([x, builder.unary(.negate, x)], dimension: 1)
    },
    Step("windows") { builder, x in
      try builder.append(.reduceWindow(ReduceWindow(.max, window: window)), [x])[0]
    },
    Step("sum of rows, repeated") { builder, x in
      let shape = builder.type(of: x).shape
      let sum = try builder.reduce(.sum, x, dimensions: [1, 3])
      return try builder.subtract(x, builder.broadcast(sum, to: shape, dimensions: [0, 2]))
    },
    Step("argmax, repeated") { builder, x in
      let type = builder.type(of: x)
      let place = try builder.append(.argReduce(ArgReduce(.argmax, dimension: 2)), [x])[0]
      let number = try builder.convert(place, type.dtype)
      return try builder.add(
        x, builder.broadcast(number, to: type.shape, dimensions: [0, 1, 3]))
    },
    Step("split, joined") { builder, x in
      let extents = builder.type(of: x).shape.extents
      let split = try builder.reshape(x, Shape(extents[..<3] + [1] + extents[3...]))
      return try builder.reshape(builder.unary(.negate, split), Shape(extents))
    },
  ]

  /// Whole numbers, whose sums are exact in any order.
  private func wholeNumbers(_ graph: Graph) -> [Literal] {
    graph.inputs.enumerated().map { number, input in
      let values = (0..<input.type.shape.elementCount).map { Double(($0 * 7 + number) % 13) - 6 }
      return Literal(input.type, doubles: values)
    }
  }

  private func transposes(_ graph: Graph) -> [TensorType] {
    graph.nodes.compactMap { node in
      if case .transpose = node.operation { node.types[0] } else { nil }
    }
  }

  /// Runs the pass and what cleans up after it; expects the same values.
  private func moved(_ graph: Graph, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> Graph
  {
    var moved = graph
    try PassPipeline.named(["layout", "simplify", "fold", "cse", "dce"]).run(&moved)
    let inputs = wholeNumbers(graph)
    expectSame(
      try interpret(moved, inputs), try interpret(graph, inputs), sourceLocation: sourceLocation)
    return moved
  }

  @Test(
    arguments: steps, [[0, 3, 1, 2], [0, 2, 3, 1], [3, 1, 0, 2], [1, 0, 3, 2], [3, 2, 1, 0]])
  func operationsComputeInAnyLayout(_ step: Step, _ permutation: [Int]) throws {
    for extents in [[2, 4, 5, 3], [1, 7, 3, 2], [3, 2, 2, 2]] {
      var builder = GraphBuilder(name: "between")
      // The operation works on these extents, which are stored in another order.
      let inverse = permutation.indices.map { permutation.firstIndex(of: $0) ?? 0 }
      let stored = Shape(inverse.map { extents[$0] })
      let x = builder.input("x", TensorType(.f32, stored))
      let result = try step.append(&builder, builder.transpose(x, permutation))
      let y = try builder.transpose(result, inverse)
      let graph = try builder.finish([Output("y", y)])
      let left = transposes(try moved(graph))
      // The indices of an argmax and sums may be moved, which are few.
      #expect(
        left.allSatisfy { $0.shape.elementCount < stored.elementCount }, "\(graph)\n\(left)")
    }
  }

  @Test func gradientsOfWindowsKeepWhichElementComesFirst() throws {
    let window = Window(size: [1, 1, 2, 2], stride: [1, 1, 1, 1])
    for (permutation, count) in [([0, 3, 1, 2], 0), ([0, 3, 2, 1], 3)] {
      var builder = GraphBuilder(name: "ties")
      let inverse = permutation.indices.map { permutation.firstIndex(of: $0) ?? 0 }
      let extents = [2, 3, 5, 4]
      let x = builder.input("x", TensorType(.f32, Shape(inverse.map { extents[$0] })))
      let g = builder.input("g", TensorType(.f32, Shape(inverse.map { [2, 3, 4, 3][$0] })))
      let gradient = try builder.append(
        .reduceWindowGradient(ReduceWindowGradient(.max, window: window)),
        [builder.transpose(x, permutation), builder.transpose(g, permutation)])[0]
      let y = try builder.transpose(gradient, inverse)
      let graph = try builder.finish([Output("y", y)])
      #expect(transposes(try moved(graph)).count == count)
    }
  }

  @Test func transposesOfBothSidesOfASumMeet() throws {
    let graph = try parse(
      """
      (%a: f32[2,5,3], %b: f32[2,5,3]) -> f32[2,5,3] {
        %0 = transpose %a {permutation = [0, 2, 1]} : f32[2,3,5]
        %1 = exp %0 : f32[2,3,5]
        %2 = transpose %b {permutation = [0, 2, 1]} : f32[2,3,5]
        %3 = add %1, %2 : f32[2,3,5]
        %4 = transpose %3 {permutation = [0, 2, 1]} : f32[2,5,3]
        return %4
      }
      """)
    #expect(transposes(try moved(graph)).isEmpty)
  }

  @Test func whatOnlyChangesPlacesStays() throws {
    // One transpose is needed, wherever it stands.
    for text in [
      "(%a: f32[5,3]) -> f32[3,5] {\n  %0 = transpose %a {permutation = [1, 0]} : f32[3,5]\n"
        + "  %1 = exp %0 : f32[3,5]\n  return %1\n}",
      "(%a: f32[5,3]) -> (f32[3,5], f32[5,3]) {\n  %0 = exp %a : f32[5,3]\n"
        + "  %1 = transpose %0 {permutation = [1, 0]} : f32[3,5]\n  return %1, %0\n}",
      "() -> f32[3,2] {\n  %0 = constant [1, 2, 3, 4, 5, 6] : f32[2,3]\n"
        + "  %1 = transpose %0 {permutation = [1, 0]} : f32[3,2]\n  return %1\n}",
    ] {
      var graph = try parse(text)
      let changed = try MoveTransposes().run(&graph, PassContext())
      #expect(!changed)
    }
  }

  /// Sums of their bytes would be more than an integer holds.
  @Test func tensorsThatNoMemoryHoldsAreMovedToo() throws {
    var builder = GraphBuilder(name: "huge")
    let x = builder.input("x", TensorType(.f64, [1 << 24, 1 << 23, 2]))
    var y = try builder.transpose(x, [1, 0, 2])
    for _ in 0..<4200 { y = try builder.add(y, builder.transpose(x, [1, 0, 2])) }
    let result = try builder.transpose(y, [1, 0, 2])
    var graph = try builder.finish([Output("y", result)])
    #expect(try MoveTransposes().run(&graph, PassContext()))
    #expect(graph.nodes.count == 4200)
  }

  @Test func deepNetworksAreTransposedAtTheirEdges() throws {
    var builder = GraphBuilder(name: "deep")
    var image = builder.input("x", TensorType(.f32, [1, 2, 3, 3]))
    for layer in 0..<150 {
      let filter = builder.input("f\(layer)", TensorType(.f32, [1, 1, 2, 2]))
      let features = try builder.convolution(
        builder.transpose(image, [0, 2, 3, 1]), filter,
        Convolution(stride: [1, 1], padding: [[0, 0], [0, 0]]))
      image = try builder.unary(.tanh, builder.transpose(features, [0, 3, 1, 2]))
    }
    let graph = try builder.finish([Output("y", image)])
    #expect(transposes(try moved(graph)).count == 2)
  }

  @Test func theSmallerSideIsTransposed() throws {
    let graph = try parse(
      """
      (%a: f32[8,6,9]) -> f32[6,9] {
        %0 = transpose %a {permutation = [2, 0, 1]} : f32[9,8,6]
        %1 = exp %0 : f32[9,8,6]
        %2 = reduce_max %1 {dimensions = [1]} : f32[9,6]
        %3 = negate %2 : f32[9,6]
        %4 = transpose %3 {permutation = [1, 0]} : f32[6,9]
        return %4
      }
      """)
    #expect(transposes(try moved(graph)).isEmpty)
    let other = try parse(
      """
      (%a: f32[8,6,9]) -> f32[9,6] {
        %0 = transpose %a {permutation = [2, 0, 1]} : f32[9,8,6]
        %1 = exp %0 : f32[9,8,6]
        %2 = reduce_max %1 {dimensions = [1]} : f32[9,6]
        return %2
      }
      """)
    #expect(transposes(try moved(other)).map(\.shape) == [[9, 6]])
  }

  @Test func aFlattenedImageIsTransposedOnceAndAVectorNever() throws {
    let text = { (height: Int, width: Int) in
      """
      (%a: f32[2,\(height),\(width),4]) -> f32[2,\(height * width * 4)] {
        %0 = transpose %a {permutation = [0, 3, 1, 2]} : f32[2,4,\(height),\(width)]
        %1 = exp %0 : f32[2,4,\(height),\(width)]
        %2 = reshape %1 : f32[2,\(height * width * 4)]
        return %2
      }
      """
    }
    #expect(transposes(try moved(try parse(text(3, 2)))).count == 1)
    #expect(transposes(try moved(try parse(text(1, 1)))).isEmpty)
  }

  @Test(arguments: 0..<60)
  func randomGraphsKeepTheirValues(_ seed: UInt64) throws {
    let graph = try RandomGraph(seed: seed).make()
    var context = PassContext()
    context.checkWithInterpreter = graph.seededInputs(seed: seed)
    var moved = graph
    try PassPipeline.named(["layout", "simplify", "layout"]).run(&moved, context)
  }
}
