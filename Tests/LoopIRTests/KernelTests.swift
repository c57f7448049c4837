import GraphIR
import LoopIR
import Testing

/// Kernels as text, and what their verifier finds.
@Suite struct KernelTests {
  private func dimension(_ index: Int) -> IndexExpression { .dimension(DimensionID(index)) }

  /// A convolution of one row with padding, its bias and activation.
  private var convolution: Kernel {
    let (n, w, c, i) = (dimension(0), dimension(1), dimension(2), dimension(3))
    let guards = [IndexGuard(w + i - 1, below: 8)]
    return Kernel(
      name: "conv1",
      parameters: [
        KernelParameter(name: "x", type: TensorType(.f32, [4, 8]), role: .input),
        KernelParameter(name: "filter", type: TensorType(.f32, [3, 6]), role: .input),
        KernelParameter(name: "bias", type: TensorType(.f32, [6]), role: .input),
        KernelParameter(name: "y", type: TensorType(.f32, [4, 8, 6]), role: .output),
      ],
      locals: [KernelLocal(name: "acc", type: TensorType(.f32, []))],
      dimensions: [
        KernelDimension(name: "n", extent: 4), KernelDimension(name: "w", extent: 8),
        KernelDimension(name: "c", extent: 6), KernelDimension(name: "i", extent: 3),
      ],
      outer: [DimensionID(0), DimensionID(1), DimensionID(2)],
      stages: [
        KernelStage(
          target: .local(0), index: [], dimensions: [], kind: .fold(.sum, over: [DimensionID(3)]),
          body: ScalarBody([
            ScalarInstruction(.constant(0), [], .f32),
            ScalarInstruction(.load(.parameter(0), [n, w + i - 1], guards: guards), [0], .f32),
            ScalarInstruction(.load(.parameter(1), [i, c], guards: []), [], .f32),
            ScalarInstruction(.binary(.multiply), [1, 2], .f32),
          ])),
        KernelStage(
          target: .parameter(3), index: [n, w, c], dimensions: [], kind: .map,
          body: ScalarBody([
            ScalarInstruction(.load(.local(0), [], guards: []), [], .f32),
            ScalarInstruction(.load(.parameter(2), [c], guards: []), [], .f32),
            ScalarInstruction(.binary(.add), [0, 1], .f32),
            ScalarInstruction(.unary(.sigmoid), [2], .f32),
          ])),
      ])
  }

  @Test func aKernelReadsLikeItsFormula() {
    #expect(
      convolution.description == """
        kernel @conv1(%x: f32[4,8], %filter: f32[3,6], %bias: f32[6]) -> %y: f32[4,8,6] {
          parallel n: 4, w: 8, c: 6
          %acc = sum(i: 3) (%x[n, w+i-1] else 0.0) * %filter[i, c]
          %y[n, w, c] = sigmoid(%acc + %bias[c])
        }
        """)
  }

  @Test func indicesReadAsTheyWouldBeWritten() {
    let kernel = convolution
    let bounds = kernel.bounds
    #expect(kernel.text(of: 0) == "0")
    #expect(kernel.text(of: dimension(0) * 2 - 3) == "2*n-3")
    #expect(kernel.text(of: (dimension(0) * -1) + 3) == "3-n")
    let place = dimension(1) + dimension(3)
    #expect(kernel.text(of: place.quotient(by: 4, in: bounds)) == "(w+i)/4")
    #expect(kernel.text(of: place.remainder(by: 4, in: bounds) + 1) == "(w+i)%4+1")
  }

  @Test func sharedInstructionsAreNamed() {
    var kernel = convolution
    kernel.stages[1].body.instructions.append(
      ScalarInstruction(.binary(.multiply), [3, 3], .f32))
    #expect(
      kernel.description.contains(
        """
          %y[n, w, c] = {
            let t3 = sigmoid(%acc + %bias[c])
            t3 * t3
          }
        """))
  }

  @Test func aSoundKernelHasNoProblems() { #expect(convolution.verify().isEmpty) }

  @Test(arguments: Breakage.allCases) func brokenKernelsAreFound(_ breakage: Breakage) {
    var kernel = convolution
    breakage.apply(to: &kernel)
    let messages = kernel.verify().map(\.message)
    #expect(messages.contains { $0.contains(breakage.words) }, "\(messages)")
  }

  /// Ways to break the kernel, each with words of the message that it must give.
  enum Breakage: String, CaseIterable, Sendable {
    case guardLeftOut, indexLeftOut, wrongScope, wrongType, unwritten, writtenTwice
    case localTooEarly, outputRead, inputWritten, halfCovered, operandTooLate, emptyDimension

    var words: String {
      switch self {
      case .guardLeftOut: "leaves 0 ..< 8"
      case .indexLeftOut: "2 indices"
      case .wrongScope: "scope"
      case .wrongType: "do not fit"
      case .unwritten: "not written"
      case .writtenTwice: "two stages"
      case .localTooEarly: "before it is written"
      case .outputRead: "is read"
      case .inputWritten: "is written"
      case .halfCovered: "once"
      case .operandTooLate: "come before"
      case .emptyDimension: "extent 0"
      }
    }

    func apply(to kernel: inout Kernel) {
      let one = IndexExpression(constant: 1)
      switch self {
      case .guardLeftOut:
        let index: [IndexExpression] = [
          .dimension(DimensionID(0)), .dimension(DimensionID(1)) + .dimension(DimensionID(3)) - one,
        ]
        kernel.stages[0].body.instructions[1] = ScalarInstruction(
          .load(.parameter(0), index, guards: []), [], .f32)
      case .indexLeftOut: kernel.stages[1].index.removeLast()
      case .wrongScope: kernel.stages[1].index[2] = .dimension(DimensionID(3))
      case .wrongType: kernel.stages[1].body.instructions[3].dtype = .f64
      case .unwritten: kernel.stages.removeLast()
      case .writtenTwice: kernel.stages.append(kernel.stages[1])
      case .localTooEarly: kernel.stages.swapAt(0, 1)
      case .outputRead: kernel.parameters[2].role = .output
      case .inputWritten: kernel.parameters[3].role = .input
      case .halfCovered: kernel.dimensions[1].extent = 4
      case .operandTooLate: kernel.stages[1].body.instructions[2].operands = [0, 3]
      case .emptyDimension: kernel.dimensions[3].extent = 0
      }
    }
  }

  @Test func aProgramThatReadsBeforeWritingIsFound() {
    var program = Program(name: "broken")
    program.kernels = [convolution]
    program.buffers = convolution.parameters.map {
      ProgramBuffer($0.type, .arena(offset: 0))
    }
    program.launches = [
      Launch(
        kernel: 0, arguments: (0..<4).map { BufferID($0) }, values: [nil, nil, nil, nil],
        location: .unknown)
    ]
    let messages = program.verify().map(\.message)
    #expect(messages.count == 3)
    #expect(messages.allSatisfy { $0.contains("before it is written") })
    program.launches[0].arguments[0] = BufferID(1)
    #expect(program.verify().contains { $0.message.contains("is f32[3,6], not f32[4,8]") })
  }
}
