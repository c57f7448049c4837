import GraphIR
import Testing

@Suite struct PoolingTests {
  static let windows = [
    Window(size: [2, 2], stride: [2, 2]),
    Window(size: [1, 3], stride: [1, 3]),
    Window(size: [3, 2]),
    Window(size: [3, 2], stride: [2, 3]),
    Window(size: [2, 3], stride: [3, 1], padding: [[1, 0], [2, 2]]),
    Window(size: [2, 2], stride: [1, 2], padding: [[0, 1], [1, 1]], dilation: [2, 3]),
    Window(size: [1, 1], stride: [2, 2]),
  ]

  @Test(arguments: windows, ReduceFunction.allCases)
  func reduceWindow(_ window: Window, _ function: ReduceFunction) throws {
    let isCurved = function == .product && window.size != [1, 1]
    try expectGradients(isCurved ? .curved : .linear, of: [distinct([4, 6])]) {
      try $0.node(.reduceWindow(ReduceWindow(function, window: window)), $1[0])
    }
    try expectGradients(of: [distinct([4, 6])]) {
      let y = try $0.node(.reduceWindow(ReduceWindow(function, window: window)), $1[0])
      return try $0.node(.unary(Unary(.exp)), y)
    }
  }

  @Test(arguments: windows)
  func reduceWindowGradient(_ window: Window) throws {
    let x = distinct([4, 6])
    let windows = try ReduceWindow(.max, window: window).inferTypes([x.type])[0]
    let g = tensor(windows.shape)
    for function in [ReduceFunction.max, .min] {
      try expectGradients(.linear, of: [x, g]) {
        try $0.node(
          .reduceWindowGradient(ReduceWindowGradient(function, window: window)), $1[0], $1[1])
      }
    }
  }

  @Test func winnersAmongTiesNaNsAndPadding() throws {
    // The gradient of the gradient must find the same winners as the operation itself: those that get
    // gradient pass their own place on.
    let window = Window(size: [3], stride: [2], padding: [[1, 1]])
    let infinity = Double.infinity
    let nan = Double.nan
    for elements in [
      [1, 1, 1, 1, 1], [-infinity, -infinity, 2, 2, nan], [infinity, nan, nan, infinity, infinity],
    ] as [[Double]] {
      let x = Literal([5], elements)
      for function in [ReduceFunction.max, .min] {
        let op = Operation.reduceWindowGradient(ReduceWindowGradient(function, window: window))
        let places = Literal([5], [1.0, 10, 100, 1000, 10000])
        var builder = GraphBuilder(name: "f")
        let g = builder.input("g", TensorType(.f64, [3]))
        let spread = try builder.node(op, builder.constant(x), g)
        let product = try builder.node(
          .binary(Binary(.multiply)), spread, builder.constant(places))
        let sum = try builder.node(.reduce(Reduce(.sum, dimensions: [0])), product)
        let graph = try builder.finish([Output("y", sum)])
        let ones = Literal([3], [1.0, 1, 1])
        let found = try outputs(of: graph, withRespectTo: ["g"], [ones])[0].doubles()
        let expected = try (0..<3).map { number in
          var elements = [0.0, 0, 0]
          elements[number] = 1
          return try values(of: graph, [Literal([3], elements)])[0].doubles()[0]
        }
        #expect(found == expected)
      }
    }
  }

  @Test func windowsOverNothing() throws {
    let found = try gradients(of: [tensor([0, 3])]) {
      let window = Window(size: [1, 2], padding: [[1, 0], [0, 0]])
      return try $0.node(.reduceWindow(ReduceWindow(.sum, window: window)), $1[0])
    }
    #expect(found == [[]])
  }
}
