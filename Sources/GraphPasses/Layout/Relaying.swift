import GraphIR

extension Node {
  /// The operation on values that are stored in layouts.
  func operation(in layout: NodeLayout) -> Operation {
    let result = layout.result
    let shape = result.stored(types[0].shape.extents)
    switch operation {
    case .iota(let op):
      return .iota(
        Iota(TensorType(op.dtype, Shape(shape)), dimension: result.places[op.dimension]))
    case .reshape: return .reshape(Reshape(shape: Shape(shape)))
    case .broadcast(let op):
      let places = result.places
      let dimensions = layout.operands[0].stored(op.dimensions).map { places[$0] }
      return .broadcast(Broadcast(shape: Shape(shape), dimensions: dimensions))
    case .slice(let op):
      return .slice(
        Slice(
          start: result.stored(op.start), limit: result.stored(op.limit),
          stride: result.stored(op.stride)))
    case .pad(let op):
      return .pad(
        Pad(
          low: result.stored(op.low), high: result.stored(op.high),
          interior: result.stored(op.interior)))
    case .concatenate(let op):
      return .concatenate(Concatenate(dimension: result.places[op.dimension]))
    case .reverse(let op):
      let places = result.places
      return .reverse(Reverse(dimensions: op.dimensions.map { places[$0] }.sorted()))
    case .reduce(let op):
      let places = layout.operands[0].places
      return .reduce(Reduce(op.function, dimensions: op.dimensions.map { places[$0] }.sorted()))
    case .argReduce(let op):
      let place = layout.operands[0].places[op.dimension]
      return .argReduce(ArgReduce(op.function, dimension: place, dtype: op.dtype))
    case .reduceWindow(let op):
      return .reduceWindow(ReduceWindow(op.function, window: op.window.stored(result)))
    case .reduceWindowGradient(let op):
      return .reduceWindowGradient(
        ReduceWindowGradient(op.function, window: op.window.stored(result)))
    case .unary, .binary, .compare, .select, .clamp, .convert, .constant, .transpose, .dot,
      .convolution, .gather, .scatter, .random, .composite:
      return operation
    }
  }
}

extension Window {
  /// The same windows on a tensor that is stored in a layout.
  fileprivate func stored(_ layout: Layout) -> Window {
    Window(
      size: layout.stored(size), stride: layout.stored(stride), padding: layout.stored(padding),
      dilation: layout.stored(dilation))
  }
}
