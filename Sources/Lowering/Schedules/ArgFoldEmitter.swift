import GraphIR
import LoopIR

extension StageEmitter {
  /// The place of an extreme along one dimension.
  func argFold(
    _ stage: KernelStage, _ function: ArgReduceFunction, _ over: DimensionID, _ point: Point
  ) throws(Diagnostic) -> RegisterID {
    let extent = kernel.extent(over)
    let dtype = kernel.type(of: stage.target).dtype
    guard !PointTile.isUnrolled(extent) else {
      return try unrolledArgFold(stage, function, over, point, as: dtype)
    }
    let first = try value(of: stage, at: 0, along: over, point)
    let type = builder.type(of: first)
    let indexType = LoopType(.i64, lanes: type.lanes)
    let (best, place) = (builder.makeVariable(type), builder.makeVariable(indexType))
    builder.assign(best, first)
    builder.assign(place, builder.define(.constant(0), indexType))
    let end = LoopIndex(constant: extent)
    try builder.loop(kernel.dimensions[over.index].name, from: 1, to: end) {
      counter throws(Diagnostic) in
      let new = try value(of: stage, at: counter, along: over, point)
      let old = builder.read(best)
      let comparison: CompareFunction = function == .argmax ? .greater : .less
      var isBetter = compare(comparison, new, old)
      if type.dtype.isFloat {
        isBetter = body.binary(
          .or, isBetter, body.binary(.and, compare(.notEqual, new, new), compare(.equal, old, old)))
      }
      let index = body.widen(builder.define(.index(counter), LoopType(.i64)), to: type.lanes)
      let oldPlace = builder.read(place)
      builder.assign(best, builder.define(.select(isBetter, new, old), type))
      builder.assign(place, builder.define(.select(isBetter, index, oldPlace), indexType))
    }
    return body.convert(builder.read(place), to: dtype)
  }

  /// The same from the last of a few values to the first.
  ///
  /// One that is as good as the best so far, or is NaN, comes before it. So there is no need to ask whether the best is
  /// NaN: nothing is as good as that.
  private func unrolledArgFold(
    _ stage: KernelStage, _ function: ArgReduceFunction, _ over: DimensionID, _ point: Point,
    as dtype: DType
  ) throws(Diagnostic) -> RegisterID {
    let last = kernel.extent(over) - 1
    var best = try value(of: stage, at: LoopIndex(constant: last), along: over, point)
    let type = builder.type(of: best)
    let indexType = LoopType(dtype, lanes: type.lanes)
    var place = builder.define(.constant(UInt64(last)), indexType)
    for step in (0..<last).reversed() {
      let new = try value(of: stage, at: LoopIndex(constant: step), along: over, point)
      var isBetter = compare(function == .argmax ? .greaterEqual : .lessEqual, new, best)
      if type.dtype.isFloat { isBetter = body.binary(.or, isBetter, compare(.notEqual, new, new)) }
      let index = builder.define(.constant(UInt64(step)), indexType)
      best = builder.define(.select(isBetter, new, best), type)
      place = builder.define(.select(isBetter, index, place), indexType)
    }
    return place
  }

  private func compare(_ function: CompareFunction, _ a: RegisterID, _ b: RegisterID) -> RegisterID
  {
    let lanes = builder.type(of: a).lanes
    return builder.define(.compare(function, a, b), LoopType(.bool, lanes: lanes))
  }

  /// The value of a step, in as many lanes as any step has.
  private func value(
    of stage: KernelStage, at counter: LoopIndex, along over: DimensionID, _ point: Point
  ) throws(Diagnostic) -> RegisterID {
    var moved = point
    moved.counters[over] = counter
    let values = try body.emit(stage.body, at: moved)
    return body.widen(values[values.count - 1], to: lanes(of: stage, at: point))
  }
}
