import GraphIR
import TestSupport
import Testing

/// Inference never traps: attributes and operand types are drawn without any regard for what is
/// right.
@Suite struct InferenceTotalityTests {
  @Test(arguments: GraphIR.Operation.Kind.allCases)
  func anything(_ kind: GraphIR.Operation.Kind) {
    var wild = Wild(generator: SplitMix64(seed: 17))
    var refused = 0
    for _ in 0..<2000 {
      let operation = wild.operation(kind)
      let operands = (0..<wild.below(4)).map { _ in wild.type() }
      do {
        let types = try operation.attributes.inferTypes(operands)
        for type in types { #expect(Shape.checked(type.shape.extents) != nil, "\(operation)") }
      } catch {
        refused += 1
        #expect(error.code != .internalError && !error.message.isEmpty)
      }
    }
    #expect(refused > 0)
  }
}

private struct Wild {
  var generator: SplitMix64

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

  mutating func integer() -> Int {
    switch below(5) {
    case 0: [.min, .max, .min + 1, -1, 1 << 40, -(1 << 40), 1 << 47, 1 << 62][below(8)]
    default: below(4)  // number
    }
  }

  mutating func list() -> [Int] { (0..<below(4)).map { _ in integer() } }

  mutating func pairs() -> [[Int]] {
    (0..<below(4)).map { _ in below(8) == 0 ? list() : [integer(), integer()] }
  }

  mutating func dtype() -> DType { DType.allCases[below(DType.allCases.count)] }

  mutating func type() -> TensorType { TensorType(below(2) == 0 ? .f32 : dtype(), Shape(list())) }

  mutating func window() -> Window {
    Window(size: list(), stride: list(), padding: pairs(), dilation: list())
  }

  mutating func pick<T>(_ all: [T]) -> T { all[below(all.count)] }

  mutating func operation(_ kind: GraphIR.Operation.Kind) -> GraphIR.Operation {
    switch kind {
    case .unary: .unary(Unary(pick(UnaryFunction.allCases)))
    case .binary: .binary(Binary(pick(BinaryFunction.allCases)))
    case .compare: .compare(Compare(pick(CompareFunction.allCases)))
    case .select: .select(Select())
    case .clamp: .clamp(Clamp())
    case .convert: .convert(Convert(dtype()))
    case .constant: .constant(Constant(type()))
    case .iota: .iota(Iota(type(), dimension: integer()))
    case .reshape: .reshape(Reshape(shape: Shape(list())))
    case .broadcast: .broadcast(Broadcast(shape: Shape(list()), dimensions: list()))
    case .transpose: .transpose(Transpose(permutation: list()))
    case .slice: .slice(Slice(start: list(), limit: list(), stride: list()))
    case .pad: .pad(Pad(low: list(), high: list(), interior: list()))
    case .concatenate: .concatenate(Concatenate(dimension: integer()))
    case .reverse: .reverse(Reverse(dimensions: list()))
    case .dot: .dot(Dot(batch: [list(), list()], contracting: pairs()))
    case .convolution:
      .convolution(
        Convolution(
          stride: list(), padding: pairs(), inputDilation: list(), kernelDilation: list(),
          groups: integer()))
    case .reduce: .reduce(Reduce(pick(ReduceFunction.allCases), dimensions: list()))
    case .argReduce:
      .argReduce(
        ArgReduce(pick(ArgReduceFunction.allCases), dimension: integer(), dtype: dtype()))
    case .reduceWindow:
      .reduceWindow(ReduceWindow(pick(ReduceFunction.allCases), window: window()))
    case .reduceWindowGradient:
      .reduceWindowGradient(
        ReduceWindowGradient(pick(ReduceFunction.allCases), window: window()))
    case .gather: .gather(Gather(dimensions: list(), batch: integer()))
    case .scatter:
      .scatter(Scatter(pick(ScatterFunction.allCases), dimensions: list(), batch: integer()))
    case .random: .random(Random(type(), stream: integer()))
    case .composite: .composite(Composite(pick(["", "ok", "-", "\u{0}"])))
    }
  }
}
