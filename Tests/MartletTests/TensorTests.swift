import GraphIR
import Martlet
import Testing

/// Tensor operations give what NumPy gives.
@Suite struct TensorTests {
  let x = f32([2, 3], [1, 2, 3, 4, 5, 6])

  @Test func shapesBroadcast() throws {
    let y = try evaluate([x, f32([3], [10, 20, 30])]) { $0[0] + $0[1] }
    #expect(y == f32([2, 3], [11, 22, 33, 14, 25, 36]))
    let outer = try evaluate([f32([2, 1], [1, 2]), f32([1, 3], [1, 10, 100])]) { $0[0] * $0[1] }
    #expect(outer == f32([2, 3], [1, 10, 100, 2, 20, 200]))
  }

  @Test func numbersTakeTheDTypeOfTheTensor() throws {
    #expect(try evaluate([x]) { 1 - $0[0] * 2 } == f32([2, 3], [-1, -3, -5, -7, -9, -11]))
    let ints = try evaluate([Literal([2], [Int32(7), -7])]) { $0[0] / 2 }
    #expect(ints == Literal([2], [Int32(3), -3]))
    let large = try evaluate([Literal([1], [Int64(0)])]) { $0[0] + Int.max }
    #expect(large == Literal([1], [Int64.max]))
    #expect(try evaluate([x]) { $0[0] / Float(2) }.doubles()[1] == 1)
  }

  @Test func reductions() throws {
    #expect(try evaluate([x]) { $0[0].sum() } == f32([], [21]))
    #expect(try evaluate([x]) { $0[0].sum(0) } == f32([3], [5, 7, 9]))
    #expect(try evaluate([x]) { $0[0].mean(-1) } == f32([2], [2, 5]))
    #expect(try evaluate([x]) { $0[0].max(1, keepingDimensions: true) } == f32([2, 1], [3, 6]))
    #expect(try evaluate([x]) { $0[0].min() } == f32([], [1]))
    #expect(try evaluate([x]) { $0[0].product(1) } == f32([2], [6, 120]))
    #expect(try evaluate([x]) { $0[0].argmax() } == Literal([2], [Int32(2), 2]))
    #expect(try evaluate([x]) { $0[0].argmin(0) } == Literal([3], [Int32(0), 0, 0]))
  }

  @Test func shaping() throws {
    #expect(try evaluate([x]) { $0[0].reshaped(to: [3, -1]) } == f32([3, 2], [1, 2, 3, 4, 5, 6]))
    #expect(try evaluate([x]) { $0[0].transposed() } == f32([3, 2], [1, 4, 2, 5, 3, 6]))
    #expect(try evaluate([x]) { $0[0].expanded(at: -1).flattened() } == x)
    #expect(
      try evaluate([x]) { $0[0].sliced(0..<3, axis: 1, stride: 2) } == f32([2, 2], [1, 3, 4, 6]))
    #expect(try evaluate([x]) { $0[0][-1] } == f32([3], [4, 5, 6]))
    #expect(try evaluate([x]) { $0[0][0..<1] } == f32([1, 3], [1, 2, 3]))
    #expect(
      try evaluate([x]) { Tensor.concatenated([$0[0], $0[0]], axis: -1) }
        == f32([2, 6], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]))
    #expect(
      try evaluate([x]) { $0[0].padded(low: [0, 1], high: [0, 0], with: 9) }
        == f32([2, 4], [9, 1, 2, 3, 9, 4, 5, 6]))
    #expect(try evaluate([x]) { $0[0].reversed(axes: [1]) } == f32([2, 3], [3, 2, 1, 6, 5, 4]))
    #expect(
      try evaluate([x, Literal([2], [Int32(1), 0])]) { $0[0].gathered(at: $0[1]) }
        == f32([2, 3], [4, 5, 6, 1, 2, 3]))
    #expect(
      try evaluate([]) { _ in .iota([2, 2], axis: 1) } == Literal([2, 2], [Int32(0), 1, 0, 1]))
    #expect(try evaluate([]) { _ in .filled(0.5, [2]) } == f32([2], [0.5, 0.5]))
    #expect(
      try evaluate([x]) { $0[0].broadcast(to: [1, 2, 3]) } == f32([1, 2, 3], [1, 2, 3, 4, 5, 6]))
  }

  @Test func products() throws {
    let y = f32([3, 2], [1, 0, 0, 1, 1, 1])
    #expect(try evaluate([x, y]) { $0[0].matmul($0[1]) } == f32([2, 2], [4, 5, 10, 11]))
    let batched = try evaluate([f32([2, 1, 2], [1, 2, 3, 4]), f32([2, 2, 1], [1, 1, 2, 2])]) {
      $0[0].matmul($0[1])
    }
    #expect(batched == f32([2, 1, 1], [3, 14]))
    let shared = try evaluate([f32([2, 1, 2], [1, 2, 3, 4]), f32([2, 1], [1, 10])]) {
      $0[0].matmul($0[1])
    }
    #expect(shared == f32([2, 1, 1], [21, 43]))
  }

  @Test func comparisonsAndChoices() throws {
    let y = try evaluate([x]) { $0[0].isGreater(than: 3).select($0[0], otherwise: Tensor(0)) }
    #expect(y == f32([2, 3], [0, 0, 0, 4, 5, 6]))
    #expect(
      try evaluate([x]) { $0[0].isEqual(to: $0[0]).converted(to: .i32).sum() }.doubles() == [6])
    #expect(try evaluate([x]) { $0[0].clamped(to: 2...4) } == f32([2, 3], [2, 2, 3, 4, 4, 4]))
    #expect(
      try evaluate([x]) { (~$0[0].isLess(than: 2)).converted(to: .u8) }.bytes == [0, 1, 1, 1, 1, 1])
  }

  @Test func compositesStayWhole() throws {
    let graph = try trace("g", ["x": TensorType(.f32, [2, 3])]) { ["y": $0["x"].softmax()] }
    #expect(graph.nodes.map(\.operation) == [.composite(Composite("softmax"))])
    #expect(graph.nodes[0].bodies[0].nodes.count > 3)
  }
}
