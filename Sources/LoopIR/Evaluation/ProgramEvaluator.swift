import GraphIR

extension Program {
  /// Runs the program on literals, kernel by kernel and point by point, in memory laid out as planned.
  ///
  /// The arena starts full of ones, so that what was never written is NaN.
  ///
  /// - Returns: the outputs.
  package func evaluate(_ values: [Literal]) throws(Diagnostic) -> [Literal] {
    let memory = ProgramMemory(self, values)
    for launch in prologue + launches { try memory.run(launch) }
    return outputs.map { memory.literal($0) }
  }
}

/// The bytes that a program works on.
private final class ProgramMemory {
  private let program: Program
  private var bytes: [UInt8] = []
  private var offsets: [Int] = []

  init(_ program: Program, _ inputs: [Literal]) {
    self.program = program
    bytes = [UInt8](repeating: 0xFF, count: program.arenaBytes)
    for buffer in program.buffers {
      if case .arena(let offset) = buffer.placement {
        offsets.append(offset)
        continue
      }
      offsets.append(bytes.count)
      switch buffer.placement {
      case .input(let place): bytes += inputs[place].bytes
      case .constant(let literal): bytes += literal.bytes
      case .output, .persistent, .packed, .arena:
        bytes += [UInt8](repeating: 0xFF, count: buffer.type.byteCount)
      }
    }
  }

  func literal(_ id: BufferID) -> Literal {
    let type = program.buffers[id.index].type
    let start = offsets[id.index]
    return Literal(type, bytes: Array(bytes[start..<start + type.byteCount]))
      ?? Literal(zeros: type)
  }

  func run(_ launch: Launch) throws(Diagnostic) {
    let kernel = program.kernels[launch.kernel]
    let starts = launch.arguments.map { offsets[$0.index] }
    let widths = kernel.parameters.map(\.type.dtype.byteCount)
    var evaluator = KernelEvaluator(
      kernel,
      read: { [self] parameter, element in
        let start = starts[parameter] + element * widths[parameter]
        return bytes[start..<start + widths[parameter]].reversed().reduce(0) {
          $0 << 8 | UInt64($1)
        }
      },
      write: { [self] parameter, element, bits in
        let start = starts[parameter] + element * widths[parameter]
        for place in 0..<widths[parameter] {
          bytes[start + place] = UInt8(truncatingIfNeeded: bits >> UInt64(8 * place))
        }
      })
    try evaluator.run()
  }
}
