import GraphIR

extension Kernel {
  /// Runs the kernel point by point on the contents of its parameters and gives what they hold afterwards.
  package func evaluate(on contents: [Literal]) throws(Diagnostic) -> [Literal] {
    let memory = ParameterMemory(contents)
    let widths = parameters.map(\.type.dtype.byteCount)
    var evaluator = KernelEvaluator(
      self,
      read: { parameter, element in
        let bytes = memory.pointers[parameter]
        let start = element * widths[parameter]
        return bytes[start..<start + widths[parameter]].reversed().reduce(0) {
          $0 << 8 | UInt64($1)
        }
      },
      write: { parameter, element, bits in
        let start = element * widths[parameter]
        for place in 0..<widths[parameter] {
          memory.pointers[parameter][start + place] = UInt8(
            truncatingIfNeeded: bits >> UInt64(8 * place))
        }
      })
    try evaluator.run()
    return memory.literals()
  }
}

extension Loops {
  /// Runs the loops in their evaluator on the contents of the parameters and gives what they hold afterwards.
  package func evaluate(on contents: [Literal]) throws(Diagnostic) -> [Literal] {
    let memory = ParameterMemory(contents)
    try LoopsEvaluator.run(self, parameters: memory.pointers)
    return memory.literals()
  }
}

/// Copies of the tensors that a kernel works on.
private final class ParameterMemory {
  let pointers: [UnsafeMutableRawBufferPointer]
  private let types: [TensorType]

  init(_ contents: [Literal]) {
    types = contents.map(\.type)
    pointers = contents.map { literal in
      // A tensor without elements still has an address.
      let memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(literal.bytes.count, 64), alignment: 64)
      memory.copyBytes(from: literal.bytes)
      return memory
    }
  }

  deinit { for pointer in pointers { pointer.deallocate() } }

  func literals() -> [Literal] {
    zip(pointers, types).map { memory, type in
      Literal(type, bytes: Array(memory[..<type.byteCount])) ?? Literal(zeros: type)
    }
  }
}
