import GraphIR

func randomSamples() -> [OperationSample] {
  DType.allCases.flatMap { dtype in
    [([17], 0), ([], 3), ([0], 1), ([3, 5, 7], 0xFFFF_FFFF), ([1031], 12)].map {
      (shape: Shape, stream: Int) in
      OperationSample(
        .random(Random(TensorType(dtype, shape), stream: stream)), [TensorType(.u64, [2])], .state)
    }
  }
}
