import Differentiation
import GraphIR
import Interpreter
import LoopIR
import Lowering
import Testing

/// Every family of operations, lowered and run as kernels, against the interpreter.
@Suite struct FusionValueTests {
  @Test(arguments: UnaryFunction.allCases) func unary(_ function: UnaryFunction) throws {
    let dtype: DType = function == .not ? .i32 : .f32
    let graph = try makeGraph([TensorType(dtype, [3, 5])]) { builder, x in
      [try builder.unary(function, x[0])]
    }
    let program = try expectSame(graph)
    #expect(program.launches.count == 1)
  }

  @Test(arguments: [DType.f32, .f64, .f16, .bf16, .i8, .i32, .i64, .u8, .u64])
  func arithmetic(_ dtype: DType) throws {
    let type = TensorType(dtype, [2, 1, 7])
    let graph = try makeGraph([type, type, type]) { builder, x in
      let sum = try builder.add(x[0], builder.multiply(x[1], x[2]))
      let quotient = try builder.divide(sum, x[1])
      let isLess = try builder.compare(.less, x[0], x[1])
      let chosen = try builder.select(isLess, quotient, x[2])
      return [chosen, try builder.clamp(x[0], sum, chosen), try builder.convert(sum, .i32), isLess]
    }
    let program = try expectSame(graph)
    #expect(program.launches.count == 1)
  }

  @Test func shaping() throws {
    let type = TensorType(.f32, [4, 6])
    let graph = try makeGraph([type, TensorType(.f32, [6])]) { builder, x in
      let turned = try builder.transpose(x[0], [1, 0])
      let flat = try builder.reshape(turned, [3, 8])
      let part = try builder.slice(flat, start: [0, 1], limit: [3, 8], stride: [2, 3])
      let back = try builder.reverse(part, dimensions: [1])
      let wide = try builder.broadcast(x[1], to: [4, 6], dimensions: [1])
      let zero = try builder.scalar(2.5, .f32)
      let padded = try builder.pad(
        builder.unary(.exp, x[0]), with: zero, low: [1, -1], high: [0, 2], interior: [0, 1])
      let joined = try builder.concatenate([x[0], wide, x[0]], dimension: 0)
      let counted = try builder.iota(TensorType(.i32, [4, 6]), dimension: 1)
      return [flat, back, try builder.add(x[0], wide), padded, joined, counted]
    }
    try expectSame(graph)
  }

  @Test func padsOfPads() throws {
    let graph = try makeGraph([TensorType(.f32, [3]), TensorType(.f32, [])]) { builder, x in
      let one = try builder.pad(x[0], with: x[1], low: [2], high: [1], interior: [1])
      let two = try builder.pad(
        builder.negate(one), with: builder.scalar(7, .f32), low: [1], high: [-2])
      let empty = try builder.slice(x[0], start: [1], limit: [1])
      return [
        two, try builder.pad(empty, with: x[1], low: [2], high: [2]),
        try builder.concatenate([empty, two, empty, one], dimension: 0),
      ]
    }
    try expectSame(graph)
  }

  @Test(arguments: [DType.f32, .f16, .i32]) func dots(_ dtype: DType) throws {
    let graph = try makeGraph([
      TensorType(dtype, [2, 3, 5]), TensorType(dtype, [2, 5, 4]), TensorType(dtype, [4]),
    ]) { builder, x in
      let product = try builder.dot(x[0], x[1], batch: [[0], [0]], contracting: [[2], [1]])
      let bias = try builder.broadcast(x[2], to: [2, 3, 4], dimensions: [2])
      let outer = try builder.dot(x[2], x[2], contracting: [])
      let twice = try builder.dot(x[0], x[0], contracting: [[0, 1, 2], [0, 1, 2]])
      return [try builder.add(product, bias), outer, twice]
    }
    try expectSame(graph, tolerance: dtype == .f16 ? 0.01 : 1e-5)
  }

  @Test func dotsOfMovedOperands() throws {
    let graph = try makeGraph([TensorType(.f32, [4, 2, 3]), TensorType(.f32, [6, 5])]) {
      builder, x in
      let turned = try builder.transpose(x[0], [2, 1, 0])
      let flat = try builder.reshape(turned, [3, 8])
      let straight = try builder.reshape(x[0], [4, 6])
      let computed = try builder.dot(
        builder.unary(.exp, straight), builder.reverse(x[1], dimensions: [0]),
        contracting: [[1], [0]])
      return [
        try builder.dot(flat, flat, contracting: [[1], [1]]),
        try builder.dot(straight, x[1], contracting: [[1], [0]]), computed,
      ]
    }
    try expectSame(graph, tolerance: 1e-5)
  }

  @Test func convolutions() throws {
    let graph = try makeGraph([
      TensorType(.f32, [2, 7, 6, 4]), TensorType(.f32, [3, 2, 4, 6]),
      TensorType(.f32, [3, 2, 2, 6]),
      TensorType(.f32, [3, 2, 1, 8]),
    ]) { builder, x in
      let plain = Convolution(stride: [1, 1], padding: [[0, 0], [0, 0]])
      let moved = Convolution(
        stride: [2, 1], padding: [[1, 2], [-1, 3]], inputDilation: [1, 2], kernelDilation: [2, 1])
      let grouped = Convolution(stride: [1, 2], padding: [[1, 1], [0, 0]], groups: 2)
      let depthwise = Convolution(stride: [1, 1], padding: [[1, 1], [1, 0]], groups: 4)
      return [
        try builder.unary(.sigmoid, builder.convolution(x[0], x[1], plain)),
        try builder.convolution(x[0], x[1], moved), try builder.convolution(x[0], x[2], grouped),
        try builder.convolution(x[0], x[3], depthwise),
      ]
    }
    try expectSame(graph, tolerance: 1e-5)
  }

  @Test(arguments: ReduceFunction.allCases) func reductions(_ function: ReduceFunction) throws {
    for dtype in [DType.f32, .f16, .i32, .u8] {
      let graph = try makeGraph([TensorType(dtype, [3, 1, 5]), TensorType(dtype, [2, 0])]) {
        builder, x in
        [
          try builder.reduce(function, x[0], dimensions: [2]),
          try builder.reduce(function, x[0], dimensions: [0, 1]),
          try builder.reduce(function, builder.multiply(x[0], x[0]), dimensions: [0, 1, 2]),
          try builder.reduce(function, x[0], dimensions: [1]),
          try builder.reduce(function, x[1], dimensions: [1]),
        ]
      }
      try expectSame(graph)
    }
  }

  @Test func extremes() throws {
    let graph = try makeGraph([TensorType(.f32, [4, 5])]) { builder, x in
      [
        try builder.argReduce(.argmax, x[0], dimension: 1),
        try builder.argReduce(.argmin, builder.negate(x[0]), dimension: 0, dtype: .i64),
      ]
    }
    try expectSame(graph)
    var values = (0..<20).map { Double($0 % 3) }
    values[7] = .nan
    try expectSame(graph, inputs: [Literal(TensorType(.f32, [4, 5]), doubles: values)])
  }

  @Test func windows() throws {
    let type = TensorType(.f32, [1, 6, 7, 2])
    for window in [
      Window(size: [1, 2, 2, 1], stride: [1, 2, 2, 1]),
      Window(
        size: [1, 3, 2, 1], stride: [1, 2, 3, 1], padding: [[0, 0], [1, 1], [0, 1], [0, 0]]),
      Window(
        size: [1, 2, 3, 1], padding: [[0, 0], [1, 0], [2, 2], [0, 0]], dilation: [1, 3, 1, 1]),
    ] {
      let graph = try makeGraph([type]) { builder, x in
        var outputs: [Value] = []
        for function in ReduceFunction.allCases {
          outputs.append(try builder.reduceWindow(function, x[0], window: window))
        }
        let gradient = try builder.unary(.exp, outputs[0])
        for function in [ReduceFunction.max, .min] {
          outputs.append(
            try builder.reduceWindowGradient(function, x[0], gradient, window: window))
        }
        return outputs
      }
      try expectSame(graph, tolerance: 1e-5)
      var tied = (0..<84).map { Double($0 % 3) }
      tied[20] = .nan
      tied[40] = -.infinity
      try expectSame(graph, inputs: [Literal(type, doubles: tied)], tolerance: 1e-5)
    }
  }

  @Test func gathersAndScatters() throws {
    let graph = try makeGraph([
      TensorType(.f32, [5, 3, 4]), TensorType(.i32, [2, 3, 2]), TensorType(.f32, [2, 3, 3]),
      TensorType(.i64, [5, 2, 1]), TensorType(.f32, [5, 2, 4]),
    ]) { builder, x in
      let picked = try builder.gather(x[0], x[1], dimensions: [0, 2])
      let batched = try builder.gather(
        builder.unary(.exp, x[0]), x[3], dimensions: [1], batch: 1)
      var outputs = [picked, batched]
      for function in ScatterFunction.allCases {
        outputs.append(try builder.scatter(function, x[0], x[1], x[2], dimensions: [0, 2]))
        let more = try builder.scatter(
          function, builder.negate(x[0]), x[3], x[4], dimensions: [1], batch: 1)
        outputs.append(try builder.negate(more))
      }
      return outputs
    }
    try expectSame(graph)
  }

  @Test(arguments: [DType.f32, .f64, .f16, .bf16, .i8, .u64, .bool])
  func randomNumbers(_ dtype: DType) throws {
    let graph = try makeGraph([TensorType(.u64, [2])]) { builder, x in
      let numbers = try builder.random(TensorType(dtype, [3, 7]), state: x[0], stream: 3)
      return [numbers, try builder.transpose(numbers, [1, 0])]
    }
    try expectSame(graph)
  }

  @Test func copiesOfInputsConstantsAndOutputs() throws {
    let graph = try makeGraph([TensorType(.f32, [3]), TensorType(.i32, [0])]) { builder, x in
      let data = try builder.constant(Literal([3], [1, 2, 3] as [Float]))
      let sum = try builder.add(x[0], data)
      return [
        x[0], data, sum, sum, x[1], try builder.splat(4, TensorType(.f32, [2, 2])), x[0],
        try builder.reshape(sum, [1, 3]),
      ]
    }
    try expectSame(graph)
  }

  @Test func compositesAreInlined() throws {
    let graph = try makeGraph([TensorType(.f32, [4, 3])]) { builder, x in
      try builder.composite("twice", [x[0]]) { (body, inner) throws(Diagnostic) in
        [try body.add(inner[0], inner[0]), inner[0]]
      }
    }
    try expectSame(graph)
  }
}
