import GraphIR

/// How far a sum of products may be from the reference: exact for integers.
private func tolerance(_ dtype: DType, terms: Int) -> Tolerance {
  dtype.isFloat ? .reduction(length: terms) : .exact
}

func dotSamples() -> [OperationSample] {
  let matrices: [(Shape, Shape, Dot)] =
    [
      (1, 1, 1), (3, 5, 7), (8, 16, 32), (7, 33, 17), (17, 1, 9), (1, 64, 33), (65, 3, 1),
      (0, 3, 5), (3, 0, 5), (3, 5, 0), (31, 127, 37),
    ].map { m, k, n in ([m, k], [k, n], Dot(contracting: [[1], [0]])) }
  let others: [(Shape, Shape, Dot)] = [
    ([5, 3], [7, 3], Dot(contracting: [[1], [1]])),
    ([5, 3], [5, 7], Dot(contracting: [[0], [0]])),
    ([9], [9], Dot(contracting: [[0], [0]])),
    ([3], [5], Dot(contracting: [])),
    ([], [7], Dot(contracting: [])),
    ([2, 3, 5], [2, 5, 7], Dot(batch: [[0], [0]], contracting: [[2], [1]])),
    ([3, 2, 5], [5, 7, 2], Dot(batch: [[1], [2]], contracting: [[2], [0]])),
    ([2, 3, 4, 5], [5, 4, 3], Dot(contracting: [[2, 3], [1, 0]])),
    ([2, 3, 4], [3, 2, 4], Dot(batch: [[0, 1], [1, 0]], contracting: [[2], [2]])),
    ([4, 0], [0, 4], Dot(contracting: [[1], [0]])),
  ]
  return (matrices + others).enumerated().flatMap { position, entry in
    let (lhs, rhs, dot) = entry
    let terms = dot.lhsContracting.map { lhs[$0] }.reduce(1, *)
    return (position == 1 ? numbers : [.f32]).map { dtype in
      OperationSample(
        .dot(dot), [TensorType(dtype, lhs), TensorType(dtype, rhs)],
        dtype.isFloat ? .between(-1, 1) : .anything, tolerance: tolerance(dtype, terms: terms))
    }
  }
}

func convolutionSamples() -> [OperationSample] {
  let cases: [(input: Shape, filter: Shape, Convolution)] = [
    ([2, 7, 5, 3], [3, 3, 3, 4], Convolution(stride: [1, 1], padding: [[1, 1], [1, 1]])),
    ([1, 1, 1, 1], [1, 1, 1, 1], Convolution(stride: [1, 1], padding: [[0, 0], [0, 0]])),
    ([2, 11, 9, 2], [3, 2, 2, 17], Convolution(stride: [2, 3], padding: [[0, 1], [2, 0]])),
    ([1, 8, 8, 16], [1, 1, 16, 33], Convolution(stride: [1, 1], padding: [[0, 0], [0, 0]])),
    ([3, 13, 2], [5, 2, 3], Convolution(stride: [1], padding: [[-2, 3]])),
    (
      [1, 6, 5, 4], [3, 3, 2, 6],
      Convolution(
        stride: [1, 2], padding: [[2, 2], [1, 1]], inputDilation: [2, 1],
        kernelDilation: [1, 2], groups: 2)
    ),
    (
      [2, 9, 9, 5], [3, 3, 1, 5],
      Convolution(stride: [2, 2], padding: [[1, 1], [1, 1]], groups: 5)
    ),
    (
      [1, 4, 4, 3], [2, 2, 3, 2],
      Convolution(stride: [1, 1], padding: [[1, 1], [1, 1]], inputDilation: [3, 2])
    ),
    (
      [1, 3, 4, 5, 2], [2, 2, 3, 2, 3],
      Convolution(stride: [1, 1, 2], padding: [[0, 1], [1, 0], [1, 1]])
    ),
    ([4, 3], [3, 5], Convolution(stride: [], padding: [])),
    ([1, 2, 2, 3], [5, 5, 3, 4], Convolution(stride: [1, 1], padding: [[0, 0], [1, 1]])),
    ([0, 5, 5, 2], [3, 3, 2, 3], Convolution(stride: [1, 1], padding: [[0, 0], [0, 0]])),
    ([2, 5, 0], [3, 0, 7], Convolution(stride: [1], padding: [[1, 1]])),
    ([2, 0, 3], [2, 3, 7], Convolution(stride: [1], padding: [[2, 2]])),
    ([2, 28, 28, 1], [5, 5, 1, 6], Convolution(stride: [1, 1], padding: [[2, 2], [2, 2]])),
  ]
  return cases.enumerated().flatMap { position, entry in
    let (input, filter, convolution) = entry
    let terms = filter.extents.dropLast().reduce(1, *)
    let all: [DType] = [.f32, .f64, .f16, .bf16, .i32, .i64]
    return (position == 0 || position == 5 ? all : [.f32]).map { dtype in
      OperationSample(
        .convolution(convolution), [TensorType(dtype, input), TensorType(dtype, filter)],
        dtype.isFloat ? .between(-1, 1) : .anything, tolerance: tolerance(dtype, terms: terms))
    }
  }
}
