import GraphIR

/// x's shape, the indices' shape, the dimensions that they index, and the batch dimensions.
private let cases: [(x: Shape, indices: Shape, dimensions: [Int], batch: Int)] = [
  ([7, 5], [3, 1], [0], 0), ([7, 5], [1], [1], 0), ([7], [17, 1], [0], 0),
  ([3, 5, 7], [2, 4, 2], [0, 2], 0), ([3, 5, 7], [3, 4, 1], [1], 1),
  ([2, 3, 4], [2, 3, 6, 1], [2], 2), ([4, 4], [5, 2], [0, 1], 0), ([1], [3, 1], [0], 0),
  ([9, 33], [0, 1], [0], 0), ([5, 0], [3, 1], [0], 0), ([100, 8], [9, 1], [0], 0),
  ([0, 3], [0, 1], [0], 0),
]

private func indices(_ entry: (x: Shape, indices: Shape, dimensions: [Int], batch: Int))
  -> OperandValues
{
  .indices(entry.dimensions.map { entry.x[$0] })
}

func gatherSamples() -> [OperationSample] {
  cases.enumerated().flatMap { position, entry in
    (position == 0 ? DType.allCases : [.f32]).flatMap { dtype in
      [DType.i32, .i64].map { index in
        OperationSample(
          .gather(Gather(dimensions: entry.dimensions, batch: entry.batch)),
          [TensorType(dtype, entry.x), TensorType(index, entry.indices)], .anything,
          indices(entry))
      }
    }
  }
}

func scatterSamples() -> [OperationSample] {
  ScatterFunction.allCases.flatMap { function in
    cases.enumerated().flatMap { position, entry in
      let all = function.categories.map { dtypes($0) } ?? DType.allCases
      return (position == 0 ? all : [.f32]).flatMap { dtype in
        [DType.i32, .i64].map { index in scatterSample(function, entry, dtype, index) }
      }
    }
  }
}

private func scatterSample(
  _ function: ScatterFunction,
  _ entry: (x: Shape, indices: Shape, dimensions: [Int], batch: Int), _ dtype: DType,
  _ index: DType
) -> OperationSample {
  let kept = entry.x.extents.indices.filter {
    $0 >= entry.batch && !entry.dimensions.contains($0)
  }
  let updates = Shape(entry.indices.extents.dropLast() + kept.map { entry.x[$0] })
  let domain = function.domain(dtype)
  return OperationSample(
    .scatter(Scatter(function, dimensions: entry.dimensions, batch: entry.batch)),
    [TensorType(dtype, entry.x), TensorType(index, entry.indices), TensorType(dtype, updates)],
    domain, indices(entry), domain,
    tolerance: function.tolerance(dtype, terms: 1 + updates.elementCount))
}

extension ScatterFunction {
  /// The combination as `reduce` knows it; nil for one that keeps the last.
  private var reduction: ReduceFunction? {
    switch self {
    case .assign: nil
    case .sum: .sum
    case .product: .product
    case .max: .max
    case .min: .min
    }
  }

  var categories: Set<DType.Category>? { reduction?.categories }

  func domain(_ dtype: DType) -> OperandValues { reduction?.domain(dtype) ?? .anything }

  func tolerance(_ dtype: DType, terms: Int) -> Tolerance {
    reduction?.tolerance(dtype, terms: terms) ?? .exact
  }
}
