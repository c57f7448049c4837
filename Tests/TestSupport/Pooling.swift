import GraphIR

private let windows: [(Shape, Window)] = [
  (
    [2, 7, 5, 3],
    Window(
      size: [1, 3, 2, 1], stride: [1, 2, 1, 1], padding: [[0, 0], [1, 1], [0, 1], [0, 0]])
  ),
  ([17], Window(size: [2], stride: [2])),
  ([2, 8, 8, 5], Window(size: [1, 2, 2, 1], stride: [1, 2, 2, 1])),
  ([9], Window(size: [3], dilation: [2])),
  ([11], Window(size: [3], stride: [3], padding: [[4, 5]], dilation: [3])),
  ([3], Window(size: [5])),
  ([0], Window(size: [2], padding: [[1, 1]])),
  ([], Window(size: [])),
  ([1, 1], Window(size: [1, 1])),
  ([5, 33], Window(size: [2, 1], stride: [1, 1])),
  ([3, 20], Window(size: [1, 7], stride: [1, 5])),
]

func reduceWindowSamples() -> [OperationSample] {
  ReduceFunction.allCases.flatMap { function in
    windows.enumerated().flatMap { position, entry in
      let (shape, window) = entry
      let terms = window.size.reduce(1, *)
      return (position == 0 ? dtypes(function.categories) : [.f32]).map { dtype in
        OperationSample(
          .reduceWindow(ReduceWindow(function, window: window)), [TensorType(dtype, shape)],
          function.domain(dtype), tolerance: function.tolerance(dtype, terms: terms))
      }
    }
  }
}

func reduceWindowGradientSamples() -> [OperationSample] {
  [ReduceFunction.max, .min].flatMap { function in
    windows.enumerated().flatMap { position, entry in
      (position == 0 ? floats : [.f32]).compactMap { dtype in
        let type = TensorType(dtype, entry.0)
        let forward = ReduceWindow(function, window: entry.1)
        guard let results = try? forward.inferTypes([type]) else { return nil }
        // Few different values, so that windows hold ties.
        return OperationSample(
          .reduceWindowGradient(ReduceWindowGradient(function, window: entry.1)),
          [type] + results, .specials, .between(-1, 1),
          tolerance: .reduction(length: entry.1.size.reduce(1, *)))
      }
    }
  }
}
