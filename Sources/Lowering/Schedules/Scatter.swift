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
    let guards = zip(stage.index, type.shape.extents).map { IndexGuard($0, below: $1) }
    let offset = zip(stage.index, type.shape.strides).reduce(0 as LoopIndex) { sum, index in
      sum + indices.evaluate(index.0).base * index.1
    }
    let access = LoopAccess(memory: memory, offset: offset)
    func update() {
      var value = values[values.count - 1]
      if let combination = function.combination {
        let old = builder.define(.load(access), LoopType(type.dtype))
        value = body.binary(combination, old, value)
      }
      builder.store(value, access)
    }
    guard let isInside = body.conditions(guards, indices).scalar else { return update() }
    try builder.conditional(isInside) { () throws(Diagnostic) in update() }
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
