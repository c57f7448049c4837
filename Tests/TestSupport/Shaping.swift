import GraphIR

func constantSamples() -> [OperationSample] {
  var generator = SplitMix64(seed: 7)
  return DType.allCases.flatMap { dtype in
    let shapes: [Shape] = [[], [0], [1], [2, 3], [65], [7, 11]]
    return shapes.map { shape in
      let type = TensorType(dtype, shape)
      var sample = OperationSample(.constant(Constant(type)), [])
      sample.literal = OperandValues.anything.literal(type, using: &generator)
      return sample
    }
  }
}

func iotaSamples() -> [OperationSample] {
  numbers.flatMap { dtype in
    [([1], 0), ([17], 0), ([300], 0), ([3, 0], 1), ([2, 3, 5], 1), ([2, 3, 5], 0)].map {
      (shape: Shape, dimension: Int) in
      OperationSample(.iota(Iota(TensorType(dtype, shape), dimension: dimension)), [])
    }
  }
}

/// Operations that only move elements: all dtypes for one shape, all shapes for f32.
private func moving<Case>(
  _ cases: [(Shape, Case)], _ make: (TensorType, Case) -> OperationSample
) -> [OperationSample] {
  cases.enumerated().flatMap { position, entry in
    (position == 0 ? DType.allCases : [.f32]).map { make(TensorType($0, entry.0), entry.1) }
  }
}

func reshapeSamples() -> [OperationSample] {
  let cases: [(Shape, Shape)] = [
    ([2, 3, 5], [5, 6]), ([], [1, 1]), ([1], []), ([0, 3], [7, 0]), ([17], [17, 1]),
    ([4, 8, 3], [96]),
  ]
  return moving(cases) { type, shape in OperationSample(.reshape(Reshape(shape: shape)), [type]) }
}

func broadcastSamples() -> [OperationSample] {
  let cases: [(Shape, (shape: Shape, dimensions: [Int]))] = [
    ([7], (shape: [3, 7], dimensions: [1])), ([], ([2, 9], [])), ([3], ([3, 17], [0])),
    ([1, 5], ([4, 5], [0, 1])), ([2, 1, 3], ([2, 8, 5, 3], [0, 2, 3])), ([1], ([0], [0])),
    ([0, 1], ([0, 3], [0, 1])), ([33], ([33], [0])),
  ]
  return moving(cases) { type, target in
    OperationSample(
      .broadcast(Broadcast(shape: target.shape, dimensions: target.dimensions)), [type])
  }
}

func transposeSamples() -> [OperationSample] {
  let cases: [(Shape, [Int])] = [
    ([5, 7], [1, 0]), ([], []), ([9], [0]), ([2, 3, 5], [2, 0, 1]), ([17, 33], [1, 0]),
    ([0, 3], [1, 0]), ([2, 3, 4, 5], [0, 3, 1, 2]), ([1, 8, 1], [2, 1, 0]), ([64, 65], [1, 0]),
  ]
  return moving(cases) { type, permutation in
    OperationSample(.transpose(Transpose(permutation: permutation)), [type])
  }
}

func sliceSamples() -> [OperationSample] {
  let cases: [(Shape, Slice)] = [
    ([7, 5], Slice(start: [1, 0], limit: [6, 5], stride: [2, 3])),
    ([], Slice(start: [], limit: [])), ([33], Slice(start: [16], limit: [33])),
    ([9], Slice(start: [4], limit: [4])), ([0], Slice(start: [0], limit: [0])),
    ([1000], Slice(start: [3], limit: [997], stride: [331])),
    ([2, 3, 17], Slice(start: [0, 1, 5], limit: [2, 3, 14])),
  ]
  return moving(cases) { type, slice in OperationSample(.slice(slice), [type]) }
}

func padSamples() -> [OperationSample] {
  let cases: [(Shape, Pad)] = [
    ([5, 3], Pad(low: [1, 0], high: [2, 3], interior: [1, 0])), ([], Pad(low: [], high: [])),
    ([7], Pad(low: [-2], high: [3])), ([7], Pad(low: [3], high: [-4], interior: [2])),
    ([0], Pad(low: [2], high: [1], interior: [5])), ([1], Pad(low: [0], high: [0], interior: [9])),
    ([4], Pad(low: [-2], high: [-2])), ([2, 5, 9], Pad(low: [0, 1, 2], high: [0, 1, 2])),
  ]
  return moving(cases) { type, pad in
    OperationSample(.pad(pad), [type, TensorType(type.dtype, [])])
  }
}

func concatenateSamples() -> [OperationSample] {
  let cases: [(Shape, (others: [Shape], dimension: Int))] = [
    ([3, 5], (others: [[3, 2], [3, 1]], dimension: 1)), ([7], ([], 0)),
    ([0, 3], ([[2, 3]], 0)), ([4], ([[0], [0]], 0)), ([2, 3, 4], ([[2, 9, 4]], 1)),
    ([1], (Array(repeating: [1], count: 16), 0)),
  ]
  return moving(cases) { type, rest in
    OperationSample(
      .concatenate(Concatenate(dimension: rest.dimension)),
      [type] + rest.others.map { TensorType(type.dtype, $0) })
  }
}

func reverseSamples() -> [OperationSample] {
  let cases: [(Shape, [Int])] = [
    ([5, 3], [0, 1]), ([], []), ([17], [0]), ([2, 9], [1]), ([2, 3, 4], [0, 2]), ([0, 2], [1]),
    ([3], []),
  ]
  return moving(cases) { type, dimensions in
    OperationSample(.reverse(Reverse(dimensions: dimensions)), [type])
  }
}
