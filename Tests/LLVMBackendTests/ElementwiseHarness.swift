import GraphIR
import LLVMBackend
import LoopIR

/// Loops that apply one instruction to each element of some inputs: whole vectors, then a masked tail.
struct ElementwiseHarness {
  let loops: Loops
  let inputs: [DType]
  let output: DType
  let count: Int

  init(
    _ inputs: [DType], to output: DType, count: Int, lanes: Int,
    _ instruction: ([RegisterID]) -> LoopInstruction
  ) throws {
    self.inputs = inputs
    self.output = output
    self.count = count
    let memories =
      inputs.enumerated().map {
        LoopMemory(name: "x\($0)", dtype: $1, count: count, kind: .input)
      } + [LoopMemory(name: "y", dtype: output, count: count, kind: .output)]
    let builder = LoopsBuilder(name: "elementwise", memories: memories)
    func emit(at offset: LoopIndex, active: Int?) {
      let operands = inputs.indices.map { index in
        builder.define(
          .load(LoopAccess(memory: index, offset: offset, active: active)),
          LoopType(inputs[index], lanes: lanes))
      }
      let result = builder.define(instruction(operands), LoopType(output, lanes: lanes))
      builder.store(
        result, LoopAccess(memory: inputs.count, offset: offset, active: active))
    }
    let whole = count / lanes * lanes
    try builder.phase(taskCount: 1, workPerTask: count) { _ throws(Diagnostic) in
      try builder.loop("i", to: LoopIndex(constant: whole), step: lanes) {
        (offset: LoopIndex) throws(Diagnostic) in
        emit(at: offset, active: nil)
      }
      if whole < count { emit(at: LoopIndex(constant: whole), active: count - whole) }
    }
    loops = builder.loops
  }

  /// The result of native code.
  func runNatively(_ values: [Literal]) throws -> Literal {
    let library = try JITLibrary([loops], options: CodeOptions())
    defer { withExtendedLifetime(library) {} }
    return try run(values) { pointers in
      library.functions(ofKernel: 0)[0](pointers.baseAddress!, 0, 1, nil)
    }
  }

  /// The result of the evaluator of loops.
  func evaluate(_ values: [Literal]) throws -> Literal {
    try run(values) { pointers in
      let sizes = (inputs + [output]).map { $0.byteCount * count }
      let memories = zip(pointers, sizes).map {
        UnsafeMutableRawBufferPointer(start: $0, count: $1)
      }
      try LoopsEvaluator.run(loops, parameters: memories)
    }
  }

  private func run(
    _ values: [Literal],
    _ body: (UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>) throws -> Void
  ) throws -> Literal {
    var memories = values.map { value in
      let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: value.bytes.count, alignment: 64)
      memory.copyBytes(from: value.bytes)
      return memory
    }
    memories.append(.allocate(byteCount: count * output.byteCount, alignment: 64))
    defer { for memory in memories { memory.deallocate() } }
    var pointers = memories.map(\.baseAddress)
    try pointers.withUnsafeMutableBufferPointer { try body($0) }
    let bytes = Array(memories[memories.count - 1])
    guard let literal = Literal(TensorType(output, [count]), bytes: bytes) else {
      throw Diagnostic(.internalError, "the result holds a bool that is neither 0 nor 1")
    }
    return literal
  }
}

/// Bit patterns of a dtype from a seed, with the special values first.
func patterns(_ dtype: DType, count: Int, seed: UInt64) -> Literal {
  var state = seed
  func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
  let special: [Double] = [
    0, -0.0, 1, -1, 2, -2, 0.5, 3, -3, 127, 128, 255, 256, 32767, -32768, 65535, 2_147_483_647,
    -2_147_483_648, 4_294_967_295, 1e10, -1e19, 2e19, .infinity, -.infinity, .nan, 1e-45,
    .leastNonzeroMagnitude, 0.1,
  ]
  let specials = Literal(TensorType(dtype, [special.count]), doubles: special)
  var bytes = specials.bytes
  while bytes.count < count * dtype.byteCount {
    let word = next()
    let value = dtype == .bool ? word & 1 : word
    for byte in 0..<dtype.byteCount {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)))
    }
  }
  return Literal(
    TensorType(dtype, [count]), bytes: Array(bytes[..<(count * dtype.byteCount)]))
    ?? Literal(zeros: TensorType(dtype, [count]))
}

/// The first place where two tensors differ; NaN equals NaN.
func difference(_ a: Literal, _ b: Literal) -> Int? {
  if a.bytes == b.bytes { return nil }
  let size = a.type.dtype.byteCount
  let (x, y) = (a.doubles(), b.doubles())
  return x.indices.first { index in
    if x[index].isNaN && y[index].isNaN { return false }
    return a.bytes[(index * size)..<((index + 1) * size)]
      != b.bytes[(index * size)..<((index + 1) * size)]
  }
}
