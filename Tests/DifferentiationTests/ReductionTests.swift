import GraphIR
import Testing

@Suite struct ReductionTests {
  @Test(arguments: [[], [0], [1], [0, 2], [0, 1, 2]])
  func reduce(_ dimensions: [Int]) throws {
    for function in ReduceFunction.allCases {
      let isProduct = function == .product && !dimensions.isEmpty
      try expectGradients(isProduct ? .curved : .linear, of: [distinct([2, 3, 5])]) {
        try $0.node(.reduce(Reduce(function, dimensions: dimensions)), $1[0])
      }
    }
  }

  @Test(
    arguments: [[0, 2, 3], [0, 0, 3], [0, 0, 0], [5, 2, 3, 0, -1, 2, 2], [4]] as [[Double]])
  func productWithZeros(_ elements: [Double]) throws {
    let x = Literal([elements.count], elements)
    let found = try gradients(of: [x]) {
      try $0.node(.reduce(Reduce(.product, dimensions: [0])), $1[0])
    }
    let expected = elements.indices.map { skipped in
      elements.indices.filter { $0 != skipped }.map { elements[$0] }.reduce(1, *)
    }
    #expect(found == [expected])
  }

  @Test func secondDerivativeOfProductWithZeros() throws {
    try expectGradients(of: [Literal([4], [2, 0, 4.0, 3])]) {
      try $0.node(.reduce(Reduce(.product, dimensions: [0])), $1[0])
    }
  }

  @Test func tiesShareEqually() throws {
    for function in [ReduceFunction.max, .min] {
      let found = try gradients(of: [Literal([2, 2], [3.0, 3, 1, 1])]) {
        try $0.node(.reduce(Reduce(function, dimensions: [1])), $1[0])
      }
      #expect(found == [[0.5, 0.5, 0.5, 0.5]])
    }
  }

  @Test func emptyReductions() throws {
    for function in ReduceFunction.allCases {
      let found = try gradients(of: [tensor([0, 3])]) {
        try $0.node(.reduce(Reduce(function, dimensions: [0])), $1[0])
      }
      #expect(found == [[]])
    }
  }

  @Test func argumentsOfExtremesStopGradients() throws {
    try expectGradients(.constant, of: [distinct([2, 3])]) {
      let index = try $0.node(.argReduce(ArgReduce(.argmax, dimension: 1)), $1[0])
      return try $0.node(.convert(Convert(.f64)), index)
    }
  }
}
