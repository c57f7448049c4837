import GraphIR

extension ReduceFunction {
  /// What is tried, such that nothing overflows.
  func domain(_ dtype: DType) -> OperandValues {
    switch self {
    case .sum: dtype.isFloat ? .between(-1, 1) : .anything
    case .product: dtype.isFloat ? .between(0.5, 1.5) : .anything
    case .max, .min: .anything
    }
  }

  /// How near results must be after combining so many elements.
  func tolerance(_ dtype: DType, terms: Int) -> Tolerance {
    switch self {
    case .sum: dtype.isFloat ? .reduction(length: terms) : .exact
    // Each of the roundings of a product moves it by half a unit, in any order.
    case .product: dtype.isFloat ? .ulps(Double(terms + 1)) : .exact
    case .max, .min: .exact
    }
  }
}

private let reductions: [(Shape, [Int])] = [
  ([5, 7], [1]), ([5, 7], [0]), ([5, 7], [0, 1]), ([5, 7], []), ([], []), ([1], [0]),
  ([257], [0]), ([0], [0]), ([3, 0], [1]), ([0, 3], [1]), ([2, 3, 5, 7], [1, 3]),
  ([2, 3, 5, 7], [0, 2]), ([17, 33], [1]), ([33, 17], [0]), ([3, 8, 9], [0, 1]), ([4, 1, 5], [1]),
]

func reduceSamples() -> [OperationSample] {
  ReduceFunction.allCases.flatMap { function in
    reductions.enumerated().flatMap { position, entry in
      let (shape, dimensions) = entry
      let terms = dimensions.map { shape[$0] }.reduce(1, *)
      return (position < 2 ? dtypes(function.categories) : [.f32]).map { dtype in
        OperationSample(
          .reduce(Reduce(function, dimensions: dimensions)), [TensorType(dtype, shape)],
          function.domain(dtype), tolerance: function.tolerance(dtype, terms: terms))
      }
    }
  }
}

func argReduceSamples() -> [OperationSample] {
  let cases: [(Shape, Int)] = [
    ([5, 7], 1), ([5, 7], 0), ([1], 0), ([257], 0), ([0, 3], 1), ([2, 3, 5], 1), ([17, 9], 1),
  ]
  return ArgReduceFunction.allCases.flatMap { function in
    cases.enumerated().flatMap { position, entry in
      (position == 0 ? DType.allCases : [.f32]).flatMap { dtype in
        [DType.i32, .i64].map { result in
          OperationSample(
            .argReduce(ArgReduce(function, dimension: entry.1, dtype: result)),
            [TensorType(dtype, entry.0)], .anything)
        }
      }
    }
  }
}
