import GraphIR
import Testing

@Suite struct ShapingTests {
  /// Checks a linear operation as it is, and the second derivatives of its square.
  func check(
    _ inputs: [Literal], sourceLocation: SourceLocation = #_sourceLocation,
    _ function: (inout GraphBuilder, [Value]) throws -> Value
  ) throws {
    try expectGradients(.linear, of: inputs, sourceLocation: sourceLocation, function)
    try expectGradients(of: inputs, sourceLocation: sourceLocation) {
      let y = try function(&$0, $1)
      return try $0.node(.binary(Binary(.multiply)), y, y)
    }
  }

  @Test func reshape() throws {
    try check([tensor([2, 3])]) { try $0.node(.reshape(Reshape(shape: [3, 1, 2])), $1[0]) }
  }

  @Test func broadcast() throws {
    try check([tensor([])]) {
      try $0.node(.broadcast(Broadcast(shape: [2, 3], dimensions: [])), $1[0])
    }
    try check([tensor([3])]) {
      try $0.node(.broadcast(Broadcast(shape: [2, 3], dimensions: [1])), $1[0])
    }
    try check([tensor([1, 3, 1])]) {
      try $0.node(.broadcast(Broadcast(shape: [2, 4, 3, 1], dimensions: [0, 2, 3])), $1[0])
    }
  }

  @Test func transpose() throws {
    try check([tensor([2, 3, 5])]) {
      try $0.node(.transpose(Transpose(permutation: [2, 0, 1])), $1[0])
    }
  }

  @Test func slice() throws {
    try check([tensor([7, 5])]) {
      try $0.node(.slice(Slice(start: [1, 0], limit: [6, 5], stride: [2, 3])), $1[0])
    }
    try check([tensor([7])]) {
      try $0.node(.slice(Slice(start: [0], limit: [7], stride: [4])), $1[0])
    }
  }

  @Test(arguments: [
    (low: 1, high: 2, interior: 0), (2, 1, 2), (-1, 2, 0), (3, -2, 0), (-1, -1, 1), (-2, -3, 2),
    (0, 0, 3), (-3, 1, 1),
  ])
  func pad(_ amounts: (low: Int, high: Int, interior: Int)) throws {
    let op = Pad(low: [amounts.low, 0], high: [amounts.high, 1], interior: [amounts.interior, 1])
    try check([tensor([5, 2]), tensor([], seed: 9)]) { try $0.node(.pad(op), $1[0], $1[1]) }
  }

  @Test func padOfNothing() throws {
    try expectGradients(.linear, of: [tensor([0]), tensor([])]) {
      try $0.node(.pad(Pad(low: [2], high: [1])), $1[0], $1[1])
    }
  }

  @Test func concatenate() throws {
    try check([tensor([2, 1]), tensor([2, 3], seed: 2), tensor([2, 0])]) {
      // The first operand occurs twice.
      try $0.append(.concatenate(Concatenate(dimension: 1)), [$1[0], $1[1], $1[0], $1[2]])[0]
    }
  }

  @Test func reverse() throws {
    try check([tensor([2, 3])]) { try $0.node(.reverse(Reverse(dimensions: [0, 1])), $1[0]) }
  }
}
