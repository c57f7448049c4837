import GraphIR
import LoopIR

extension StageEmitter {
  /// Combines one value into the target of a scatter, where the place is inside of it.
  func scatter(
    _ stage: KernelStage, _ function: ScatterFunction, _ point: Point
  ) throws(Diagnostic) {
    guard case .parameter(let memory) = stage.target else {
      throw Diagnostic(.internalError, "kernel @\(kernel.name): a scatter writes a local")
    }
    let type = kernel.parameters[memory].type
    let values = try body.emit(stage.body, at: point)
    let indices = IndexEmitter(builder: builder, point: point, values: values)
    let isSlice = { (index: IndexExpression) in
      point.vector.map { index == .dimension($0.id) } ?? false
    }
    // Along the vectors all is inside.
    let guards = zip(stage.index, type.shape.extents).filter { !isSlice($0.0) }.map {
      IndexGuard($0, below: $1)
    }
    let offset = zip(stage.index, type.shape.strides).reduce(0 as LoopIndex) { sum, index in
      sum + indices.evaluate(index.0).base * index.1
    }
    let lanes = point.vector?.lanes ?? 1
    let access = LoopAccess(memory: memory, offset: offset, active: point.vector?.active)
    func update() {
      var value = body.widen(values[values.count - 1], to: lanes)
      if let combination = function.combination {
        let old = builder.define(.load(access), LoopType(type.dtype, lanes: lanes))
        value = body.binary(combination, old, value)
      }
      builder.store(value, access)
    }
    guard let isInside = body.conditions(guards, indices).scalar else { return update() }
    try builder.conditional(isInside) { () throws(Diagnostic) in update() }
  }
}

extension Kernel {
  /// A scatter of slices that are contiguous along their last dimension, with this dimension outside and vectors along
  /// it; nil for others.
  ///
  /// Points that differ there write different elements, so that tasks and lanes may compute them in any order.
  func scatteringSlices(_ target: Target) -> Piece? {
    guard stages.count == 1, outer.isEmpty, let stage = stages.first, let last = stage.index.last,
      case .parameter(let written) = stage.target,
      let id = stage.dimensions.last(where: { last == .dimension($0) })
    else { return nil }
    let varies = stage.body.varying(with: id)
    let isAlone = stage.index.dropLast().allSatisfy {
      $0.dependence(on: id, varying: { varies[$0] }) == .affine(0)
    }
    let shape = parameters[written].type.shape
    let choice = VectorChoice(kernel: self, target: target)
    let lanes = choice.lanes(id, stages)
    guard isAlone, extent(id) <= shape[shape.rank - 1], lanes > 1, !stage.drawsNumbers(along: id)
    else { return nil }
    var kernel = self
    kernel.outer = [id]
    kernel.stages[0].dimensions.removeAll { $0 == id }
    var plan = NestPlan()
    plan.vector = id
    plan.lanes = lanes
    // Some lines of each slice, so that memory is read in pieces of some length.
    let vectors = min(8, max(extent(id) / lanes, 1))
    plan.loops = [OuterLoop(id: id, tile: lanes * vectors, block: extent(id))]
    plan.stages = [StagePlan()]
    plan.work = work
    plan.distribute(kernel)
    return Piece(kernel: kernel, work: .nest(plan))
  }
}

extension KernelStage {
  /// Whether random numbers are drawn in the places of a dimension, which is done number by number.
  fileprivate func drawsNumbers(along id: DimensionID) -> Bool {
    let varies = body.varying(with: id)
    return zip(body.instructions, varies).contains { instruction, varies in
      if case .random = instruction.operation { varies } else { false }
    }
  }
}

extension ScatterFunction {
  /// How the old and the new value are combined; nil when the new one replaces the old.
  fileprivate var combination: BinaryFunction? {
    switch self {
    case .assign: nil
    case .sum: .add
    case .product: .multiply
    case .max: .maximum
    case .min: .minimum
    }
  }
}
