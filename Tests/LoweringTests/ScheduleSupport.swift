import GraphIR
import LoopIR
import Lowering
import Testing

/// Machines with each vector width.
let scheduleTargets = [
  Target(vectorBytes: 16, vectorRegisters: 32), Target(vectorBytes: 32, vectorRegisters: 16),
  Target(vectorBytes: 64, vectorRegisters: 32),
]

/// Elements of every kind: small numbers of both signs, deterministic.
func sampleElements(_ type: TensorType, seed: Int) -> [UInt64] {
  var state = UInt64(seed &* 2 + 1) &* 0x9E37_79B9_7F4A_7C15
  return (0..<type.shape.elementCount).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    let number = Double(state % 2001) / 1000 - 1
    return switch type.dtype.category {
    case .float: ScalarArithmetic.bits(number, type.dtype)
    case .signed: ScalarArithmetic.bits((number * 20).rounded(), type.dtype)
    case .unsigned: state % 40
    case .bool: state % 2
    }
  }
}

/// Runs loops on elements with the evaluator and gives the elements of all parameters afterwards.
func evaluate(_ loops: Loops, _ kernel: Kernel, _ parameters: [[UInt64]]) throws -> [[UInt64]] {
  let memories = zip(kernel.parameters, parameters).map { parameter, elements in
    let size = parameter.type.dtype.byteCount
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: elements.count * size, alignment: 64)
    for (place, element) in elements.enumerated() {
      withUnsafeBytes(of: element) { bytes in
        for byte in 0..<size { memory[place * size + byte] = bytes[byte] }
      }
    }
    return memory
  }
  defer { memories.forEach { $0.deallocate() } }
  try LoopsEvaluator.run(loops, parameters: memories)
  return zip(kernel.parameters, memories).map { parameter, memory in
    let size = parameter.type.dtype.byteCount
    return (0..<parameter.type.shape.elementCount).map { place in
      (0..<size).reduce(0 as UInt64) { $0 | UInt64(memory[place * size + $1]) << UInt64(8 * $1) }
    }
  }
}

/// The elements of all parameters after a run of the kernel, point by point.
func meaning(of kernel: Kernel, _ parameters: [[UInt64]]) throws -> [[UInt64]] {
  let memory = Elements(parameters)
  var evaluator = KernelEvaluator(
    kernel, read: { memory.values[$0][$1] }, write: { memory.values[$0][$1] = $2 })
  try evaluator.run()
  return memory.values
}

private final class Elements {
  var values: [[UInt64]]
  init(_ values: [[UInt64]]) { self.values = values }
}

/// Schedules a kernel for every target and compares with the kernel's meaning, point by point.
///
/// - Parameter tolerance: for floats, relative to 1 + |reference|; equal bits are asked for elsewhere.
func checkSchedule(
  _ maker: KernelMaker, inputs: [[UInt64]]? = nil, tolerance: Double = 1e-5,
  targets: [Target] = scheduleTargets,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let kernel = maker.finished
  let problems = kernel.verify()
  #expect(problems.isEmpty, "\(problems)", sourceLocation: sourceLocation)
  let elements =
    inputs
    ?? kernel.parameters.enumerated().map { sampleElements($1.type, seed: $0) }
  let expected = try meaning(of: kernel, elements)
  for target in targets {
    let loops = try schedule(kernel, for: target)
    let found = try evaluate(loops, kernel, elements)
    for (place, parameter) in kernel.parameters.enumerated() where parameter.role != .input {
      let dtype = parameter.type.dtype
      let bad = found[place].indices.first { index in
        let (a, b) = (found[place][index], expected[place][index])
        guard dtype.isFloat else { return a != b }
        let (x, y) = (ScalarArithmetic.double(a, dtype), ScalarArithmetic.double(b, dtype))
        if x.isNaN && y.isNaN || x == y { return false }
        return !(abs(x - y) <= tolerance * (1 + abs(y)))
      }
      guard let bad else { continue }
      let values = [found[place][bad], expected[place][bad]].map {
        ScalarArithmetic.double($0, dtype)
      }
      Issue.record(
        """
        \(kernel.name), \(target.vectorBytes) vector bytes: \(parameter.name)[\(bad)] is \
        \(values[0]), not \(values[1])
        \(kernel)
        \(loops)
        """, sourceLocation: sourceLocation)
      return
    }
  }
}

/// Writes kernels for tests.
struct KernelMaker {
  var kernel: Kernel

  init(_ name: String) { kernel = Kernel(name: name) }

  /// The kernel; stores do not name dimensions of one point.
  var finished: Kernel {
    var kernel = kernel
    let bounds = kernel.bounds
    for place in kernel.stages.indices {
      kernel.stages[place].index = kernel.stages[place].index.map { index in
        index.substituting(in: bounds) { atom in
          guard case .dimension(let id) = atom else { return nil }
          return kernel.dimensions[id.index].extent == 1 ? 0 : nil
        }
      }
    }
    return kernel
  }

  mutating func dimension(_ name: String, _ extent: Int) -> DimensionID {
    kernel.dimensions.append(KernelDimension(name: name, extent: extent))
    return DimensionID(kernel.dimensions.count - 1)
  }

  mutating func input(_ dtype: DType, _ extents: [Int]) -> TensorReference {
    parameter(dtype, extents, .input)
  }

  mutating func output(_ dtype: DType, _ extents: [Int]) -> TensorReference {
    parameter(dtype, extents, .output)
  }

  mutating func parameter(
    _ dtype: DType, _ extents: [Int], _ role: KernelParameter.Role
  ) -> TensorReference {
    let name = "p\(kernel.parameters.count)"
    kernel.parameters.append(
      KernelParameter(name: name, type: TensorType(dtype, Shape(extents)), role: role))
    return .parameter(kernel.parameters.count - 1)
  }

  mutating func local(_ dtype: DType, _ extents: [Int] = []) -> TensorReference {
    kernel.locals.append(
      KernelLocal(name: "l\(kernel.locals.count)", type: TensorType(dtype, Shape(extents))))
    return .local(kernel.locals.count - 1)
  }

  mutating func stage(
    _ target: TensorReference, _ index: [IndexExpression], over own: [DimensionID] = [],
    _ kind: KernelStage.Kind = .map, _ body: [ScalarInstruction]
  ) {
    kernel.stages.append(
      KernelStage(
        target: target, index: index, dimensions: own, kind: kind, body: ScalarBody(body)))
  }
}

/// A load for a body.
func load(
  _ tensor: TensorReference, _ index: [IndexExpression], _ dtype: DType = .f32,
  guards: [IndexGuard] = [], otherwise: [Int] = []
) -> ScalarInstruction {
  ScalarInstruction(.load(tensor, index, guards: guards), otherwise, dtype)
}

/// The counter of a dimension.
func at(_ id: DimensionID) -> IndexExpression { .dimension(id) }
