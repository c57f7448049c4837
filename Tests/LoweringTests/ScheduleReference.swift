import GraphIR
import LoopIR
import Lowering

/// The meaning of a kernel, point by point, in the order of its dimensions.
struct KernelReference {
  let kernel: Kernel
  var parameters: [[UInt64]]
  private var locals: [[UInt64]]

  init(_ kernel: Kernel, _ parameters: [[UInt64]]) {
    self.kernel = kernel
    self.parameters = parameters
    locals = kernel.locals.map { [UInt64](repeating: 0, count: $0.type.shape.elementCount) }
  }

  mutating func run() {
    forEachPoint(of: kernel.outer, [:]) { outer, me in
      for stage in me.kernel.stages {
        me.forEachPoint(of: stage.dimensions, outer) { point, me in me.run(stage, point) }
      }
    }
  }

  private mutating func forEachPoint(
    of dimensions: [DimensionID], _ point: [DimensionID: Int],
    _ body: ([DimensionID: Int], inout KernelReference) -> Void
  ) {
    guard let first = dimensions.first else { return body(point, &self) }
    for at in 0..<kernel.dimensions[first.index].extent {
      var moved = point
      moved[first] = at
      forEachPoint(of: Array(dimensions.dropFirst()), moved, body)
    }
  }

  private mutating func run(_ stage: KernelStage, _ point: [DimensionID: Int]) {
    let dtype = stage.body.instructions[stage.body.instructions.count - 1].dtype
    switch stage.kind {
    case .map:
      let values = evaluate(stage.body, point)
      store(values[values.count - 1], stage, point, [])
    case .fold(let function, let over):
      let isWide = dtype.isFloat && (function == .sum || function == .product)
      var sum = function == .product ? 1.0 : 0.0
      var result: UInt64?
      forEachPoint(of: over, point) { point, me in
        let value = me.evaluate(stage.body, point).last ?? 0
        if isWide {
          let number = ScalarArithmetic.double(value, dtype)
          sum = function == .product ? sum * number : sum + number
          result = ScalarArithmetic.bits(sum, dtype)
        } else {
          result =
            result.map {
              ScalarArithmetic.binary(function.combination, $0, value, dtype)
            } ?? value
        }
      }
      store(result ?? 0, stage, point, [])
    case .argFold(let function, let over):
      var best: UInt64?
      var place = 0
      forEachPoint(of: [over], point) { point, me in
        let value = me.evaluate(stage.body, point).last ?? 0
        let isNaN = dtype.isFloat && ScalarArithmetic.double(value, dtype).isNaN
        let wasNaN = best.map { dtype.isFloat && ScalarArithmetic.double($0, dtype).isNaN } ?? false
        let comparison: CompareFunction = function == .argmax ? .greater : .less
        let wins = best.map { ScalarArithmetic.compare(comparison, value, $0, dtype) } ?? true
        if wins || isNaN && !wasNaN { (best, place) = (value, point[over] ?? 0) }
      }
      let target = kernel.type(of: stage.target).dtype
      store(ScalarArithmetic.convert(UInt64(place), .i64, to: target), stage, point, [])
    case .scatter(let function):
      let values = evaluate(stage.body, point)
      scatter(values, function, stage, point)
    }
  }

  private func index(
    _ expression: IndexExpression, _ point: [DimensionID: Int], _ values: [UInt64],
    _ body: ScalarBody
  ) -> Int {
    let counters = kernel.dimensions.indices.map { point[DimensionID($0)] ?? 0 }
    return expression.evaluate(dimensions: counters) { place in
      let wide = ScalarArithmetic.convert(values[place], body.instructions[place].dtype, to: .i64)
      return Int(bitPattern: UInt(wide))
    }
  }

  private func element(
    _ tensor: TensorReference, _ indices: [Int]
  ) -> (place: Int, isInside: Bool) {
    let shape = kernel.type(of: tensor).shape
    let isInside = zip(indices, shape.extents).allSatisfy { (0..<$1).contains($0) }
    return (zip(indices, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }, isInside)
  }

  private mutating func store(
    _ value: UInt64, _ stage: KernelStage, _ point: [DimensionID: Int], _ values: [UInt64]
  ) {
    let place = element(
      stage.target, stage.index.map { index($0, point, values, stage.body) }
    ).place
    switch stage.target {
    case .parameter(let parameter): parameters[parameter][place] = value
    case .local(let local): locals[local][place] = value
    }
  }

  private mutating func scatter(
    _ values: [UInt64], _ function: ScatterFunction, _ stage: KernelStage,
    _ point: [DimensionID: Int]
  ) {
    guard case .parameter(let parameter) = stage.target else { return }
    let (place, isInside) = element(
      stage.target, stage.index.map { index($0, point, values, stage.body) })
    guard isInside else { return }
    let combination: BinaryFunction? =
      switch function {
      case .assign: nil
      case .sum: .add
      case .product: .multiply
      case .max: .maximum
      case .min: .minimum
      }
    let value = values[values.count - 1]
    parameters[parameter][place] =
      combination.map {
        ScalarArithmetic.binary(
          $0, parameters[parameter][place], value, kernel.parameters[parameter].type.dtype)
      } ?? value
  }

  private func evaluate(_ body: ScalarBody, _ point: [DimensionID: Int]) -> [UInt64] {
    var values: [UInt64] = []
    for instruction in body.instructions {
      let x = instruction.operands.map { values[$0] }
      let dtype = instruction.dtype
      let from = instruction.operands.last.map { body.instructions[$0].dtype } ?? dtype
      func at(_ expression: IndexExpression) -> Int { index(expression, point, values, body) }
      let value: UInt64 =
        switch instruction.operation {
        case .constant(let bits): bits
        case .index(let expression):
          ScalarArithmetic.convert(UInt64(bitPattern: Int64(at(expression))), .i64, to: dtype)
        case .load(let tensor, let indices, let guards):
          if guards.allSatisfy({ (0..<$0.extent).contains(at($0.expression)) }) {
            read(tensor, element(tensor, indices.map(at)).place)
          } else {
            x[0]
          }
        case .unary(let function): ScalarArithmetic.unary(function, x[0], dtype)
        case .binary(let function): ScalarArithmetic.binary(function, x[0], x[1], dtype)
        case .compare(let function):
          ScalarArithmetic.compare(function, x[0], x[1], from) ? 1 : 0
        case .select: x[0] != 0 ? x[1] : x[2]
        case .clamp:
          ScalarArithmetic.binary(
            .minimum, ScalarArithmetic.binary(.maximum, x[1], x[0], dtype), x[2], dtype)
        case .convert: ScalarArithmetic.convert(x[0], from, to: dtype)
        case .random(let stream, let expression):
          Philox.element(
            UInt64(at(expression)), stream: UInt64(stream), seed: x[0], step: x[1], dtype)
        }
      values.append(value)
    }
    return values
  }

  private func read(_ tensor: TensorReference, _ place: Int) -> UInt64 {
    switch tensor {
    case .parameter(let parameter): parameters[parameter][place]
    case .local(let local): locals[local][place]
    }
  }
}
