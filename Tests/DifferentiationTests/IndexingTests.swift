import GraphIR
import Testing

@Suite struct IndexingTests {
  let indices = Literal([2, 3, 1], [0, 4, 0, -3, 9, 2] as [Int32])

  @Test func gatherAlongOneDimension() throws {
    // Repeated indices, and indices out of range, which are clamped.
    for dimension in 0...1 {
      try expectGradients(.linear, of: [tensor([5, 4]), indices]) {
        try $0.node(.gather(Gather(dimensions: [dimension])), $1[0], $1[1])
      }
    }
  }

  @Test func gatherWithBatchAndPairs() throws {
    let pairs = Literal([2, 2, 2], [0, 1, 4, 0, 7, 7, 0, 1] as [Int64])
    try expectGradients(of: [tensor([2, 3, 2, 3]), pairs]) {
      let y = try $0.node(.gather(Gather(dimensions: [1, 3], batch: 1)), $1[0], $1[1])
      return try $0.node(.binary(Binary(.multiply)), y, y)
    }
  }

  @Test(arguments: ScatterFunction.allCases)
  func scatter(_ function: ScatterFunction) throws {
    // No element of one equals one of the other.
    let (x, updates) = (distinct([5, 2], seed: 3), tensor([2, 3, 2], seed: 4))
    let op = Operation.scatter(Scatter(function, dimensions: [0]))
    switch function {
    case .sum, .assign, .max, .min:
      try expectGradients(.linear, of: [x, indices, updates]) {
        try $0.node(op, $1[0], $1[1], $1[2])
      }
      try expectGradients(of: [x, indices, updates]) {
        try $0.node(.unary(Unary(.exp)), $0.node(op, $1[0], $1[1], $1[2]))
      }
    case .product:
      try expectGradients(of: [x, indices]) {
        let y = try $0.node(op, $1[0], $1[1], $0.constant(updates))
        return try $0.node(.binary(Binary(.multiply)), y, y)
      }
      let error = #expect(throws: Diagnostic.self) {
        try gradients(of: [updates]) {
          try $0.node(op, $0.constant(x), $0.constant(indices), $1[0])
        }
      }
      #expect(error?.code == .notDifferentiable)
    }
  }

  @Test func tiesOfScatterShareEqually() throws {
    let found = try gradients(of: [Literal([2], [5.0, 1]), Literal([3], [5.0, 5, 2])]) {
      let indices = try $0.constant(Literal([3, 1], [0, 0, 7] as [Int32]))
      return try $0.node(.scatter(Scatter(.max, dimensions: [0])), $1[0], indices, $1[1])
    }
    let third = 1.0 / 3
    let expected: [[Double]] = [[third, 1], [third, third, 0]]
    #expect(found == expected)
  }

  @Test func scatterOfNothing() throws {
    for function in ScatterFunction.allCases {
      let found = try gradients(of: [tensor([2]), tensor([0])]) {
        let none = try $0.constant(Literal([0, 1], [] as [Int32]))
        return try $0.node(.scatter(Scatter(function, dimensions: [0])), $1[0], none, $1[1])
      }
      #expect(found == [[1, 1], []])
    }
  }
}
