import GraphIR
import LoopIR

extension StageEmitter {
  /// Folds a stage for the points of a tile together; gives the value of each.
  func fold(
    _ stage: KernelStage, _ plan: StagePlan, _ function: ReduceFunction, _ points: [Point],
    beside: ((Point) throws(Diagnostic) -> Void)? = nil
  ) throws(Diagnostic) -> [RegisterID] {
    try accumulate(stage, plan, function, points, beside: beside).map {
      body.convert($0, to: kernel.type(of: stage.target).dtype)
    }
  }

  /// Folds a stage over the dimensions that its plan names; gives what is accumulated for each point.
  ///
  /// - Parameters:
  ///   - values: what is accumulated so far; nothing unless given.
  ///   - beside: what else to do at each step, given what the step adds to a point.
  func accumulate(
    _ stage: KernelStage, _ plan: StagePlan, _ function: ReduceFunction, _ points: [Point],
    onto values: [RegisterID]? = nil, beside: ((Point) throws(Diagnostic) -> Void)? = nil
  ) throws(Diagnostic) -> [RegisterID] {
    let vector = plan.vector.flatMap { stage.folded.contains($0) ? $0 : nil }
    let accumulated = stage.foldedType
    let identity = function.identity(accumulated)
    let types = points.map { point in
      LoopType(accumulated, lanes: vector != nil ? plan.lanes : lanes(of: stage, at: point))
    }
    let variables = types.enumerated().map { slot, type -> [VariableID] in
      (0..<plan.accumulators).map { number in
        let variable = builder.makeVariable(type)
        let neutral = builder.define(.constant(identity), type)
        builder.assign(variable, number == 0 ? values?[slot] ?? neutral : neutral)
        return variable
      }
    }
    let extremes = types.map { type in
      plan.endsExactly && values == nil ? FloatExtreme(body, function, type) : nil
    }
    let loops = InnerLoops(
      dimensions: plan.folded.filter { $0 != vector }, vector: vector, lanes: plan.lanes,
      accumulators: plan.accumulators, farSteps: plan.farSteps, unroll: plan.unroll,
      unrolled: vector == nil
        ? PointTile.unrolled(kernel, plan.folded, points: points.count) : 0,
      interiors: kernel.interiors(of: stage, along: plan.folded),
      skipsFirst: fault == .scheduleWrongReductionStart)
    try iterate(stage, loops, points) { inner, holding throws(Diagnostic) in
      try beside?(inner)
      for (slot, point) in points.enumerated() {
        let variable = variables[slot][inner.slot]
        let isTail = vector != nil && inner.vector?.active != nil
        var place = point.moved(to: inner)
        place.holding = holding
        let value = try combined(
          stage, function, place, builder.read(variable), masked: isTail ? identity : nil,
          extreme: extremes[slot])
        builder.assign(variable, value)
      }
      if let rows = plan.nextRows { askFor(rows, stage.body, points[0].moved(to: inner)) }
    }
    return zip(variables, extremes).map { group, extreme in
      var values = group.map { builder.read($0) }
      if let extreme { values = [extreme.result(values)] }
      while values.count > 1 {
        let half = (values.count + 1) / 2
        values = values.indices.prefix(half).map { place in
          place + half < values.count
            ? body.binary(function.combination, values[place], values[place + half])
            : values[place]
        }
      }
      if vector != nil, builder.type(of: values[0]).lanes > 1 {
        values[0] = builder.define(.reduceLanes(function, values[0]), LoopType(accumulated))
      }
      return values[0]
    }
  }

  /// Asks for a step's share of the rows of a later tile.
  private func askFor(_ rows: NextRows, _ body: ScalarBody, _ first: Point) {
    let load = body.instructions[rows.load].operation
    guard case .load(.parameter(let memory), let index, _) = load,
      let row = first.counters[rows.id], let step = first.counters[rows.step]
    else { return }
    var point = first
    point.counters[rows.id] = row + LoopIndex(constant: NextRows.distance * rows.tile)
    let indices = IndexEmitter(builder: builder, point: point, values: [])
    builder.prefetch(memory, indices.evaluate(index[0]).base + step * (rows.tile - 1))
  }

  /// The lanes that the value of a stage has at a point.
  func lanes(of stage: KernelStage, at point: Point) -> Int {
    guard let vector = point.vector else { return 1 }
    let varying = stage.body.varying(with: vector.id, locals: { varyingLocals.contains($0) })
    return varying.last ?? false ? vector.lanes : 1
  }

  /// What sums are accumulated in.
  static func accumulator(_ dtype: DType, _ function: ReduceFunction) -> DType {
    switch (dtype, function) {
    case (.f16, .sum), (.bf16, .sum), (.f16, .product), (.bf16, .product): .f32
    default: dtype
    }
  }

  /// The accumulator with one more value; lanes that are not points count as `masked`.
  ///
  /// - Parameter extreme: how it is combined, where that is exact at the end of the fold alone.
  func combined(
    _ stage: KernelStage, _ function: ReduceFunction, _ point: Point, _ sum: RegisterID,
    masked identity: UInt64?, extreme: FloatExtreme? = nil
  ) throws(Diagnostic) -> RegisterID {
    if function == .sum, body.isZero(stage.body, at: point) { return sum }
    let instructions = stage.body.instructions
    let type = builder.type(of: sum)
    if let last = instructions.last, last.operation == .binary(.multiply), function == .sum,
      last.dtype == type.dtype, identity == nil
    {
      let values = try body.emit(stage.body, at: point, count: instructions.count - 1)
      return body.multiplyAdd(values[last.operands[0]], values[last.operands[1]], sum)
    }
    let values = try body.emit(stage.body, at: point)
    var value = body.convert(values[values.count - 1], to: type.dtype)
    if let identity, let active = point.vector?.active {
      let indices = IndexEmitter(builder: builder, point: point, values: [])
      let neutral = builder.define(.constant(identity), type)
      value = builder.define(
        .select(indices.lanes(below: active), body.widen(value, to: type.lanes), neutral), type)
    }
    return extreme?.step(sum, value) ?? body.binary(function.combination, sum, value)
  }
}

extension KernelStage {
  /// What a fold's values are accumulated in.
  var foldedType: DType {
    let dtype = body.instructions.last?.dtype ?? .f32
    guard case .fold(let function, _) = kind else { return dtype }
    return StageEmitter.accumulator(dtype, function)
  }
}

extension ReduceFunction {
  /// The bits of the value that changes nothing when combined.
  func identity(_ dtype: DType) -> UInt64 {
    switch self {
    case .sum: 0
    case .product: dtype.one
    case .max: dtype.least
    case .min: dtype.greatest
    }
  }
}

extension DType {
  fileprivate var one: UInt64 {
    switch self {
    case .f64: (1 as Double).bitPattern
    case .f32: UInt64((1 as Float).bitPattern)
    case .f16: 0x3C00
    case .bf16: 0x3F80
    case .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: 1
    }
  }

  /// -infinity, the least integer or false.
  fileprivate var least: UInt64 {
    switch self {
    case .f64: (-Double.infinity).bitPattern
    case .f32: UInt64((-Float.infinity).bitPattern)
    case .f16: 0xFC00
    case .bf16: 0xFF80
    case .i8, .i16, .i32, .i64: 1 << UInt64(bitCount - 1)
    case .u8, .u16, .u32, .u64, .bool: 0
    }
  }

  /// Infinity, the greatest integer or true.
  fileprivate var greatest: UInt64 {
    switch self {
    case .f64: Double.infinity.bitPattern
    case .f32: UInt64(Float.infinity.bitPattern)
    case .f16: 0x7C00
    case .bf16: 0x7F80
    case .i8, .i16, .i32, .i64: 1 << UInt64(bitCount - 1) - 1
    case .u8, .u16, .u32, .u64: UInt64.max >> UInt64(64 - bitCount)
    case .bool: 1
    }
  }
}
