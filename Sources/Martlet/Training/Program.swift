import GraphIR
import Runtime

/// A compiled graph of a trainer, bound to the trainer's state and ready to run again and again.
final class Program {
  private var session: Session
  private let data: (input: Buffer, label: Buffer)
  private let learningRate: Buffer?
  /// What a run gives, in the graph's order: the loss and the metrics come first.
  let outputs: [Buffer]
  /// The names of the outputs.
  let outputNames: [String]
  /// The number of examples that a run takes.
  let batch: Int

  /// Compiles a graph and binds its state.
  init(
    _ graph: Graph, state: ModelState, example: ExampleSignature, batch: Int, backend: any Backend
  ) throws(Diagnostic) {
    let executable = try backend.prepare(graph)
    var session = try Session(executable)
    for (index, input) in executable.inputs.enumerated() {
      if let buffer = state[input.name] { try session.bind(input: index, to: buffer) }
    }
    let inputs = session.inputs
    func buffer(_ name: String) -> Buffer? {
      executable.inputs.firstIndex { $0.name == name }.map { inputs[$0] }
    }
    guard let input = buffer(example.inputName) else {
      throw Diagnostic(.internalError, "the graph has no input '\(example.inputName)'")
    }
    // A prediction has no labels, and never asks for a batch of examples.
    data = (input, buffer(example.labelName) ?? Buffer(example.batchedLabel(batch)))
    learningRate = buffer(StepTracer.learningRateName)
    outputs = session.outputs
    outputNames = executable.outputs.map(\.name)
    self.batch = batch
    self.session = session
  }

  /// Copies examples into the inputs and runs.
  ///
  /// Allocates nothing.
  func run(
    _ dataset: Dataset, _ positions: Range<Int>, of order: [Int], learningRate rate: Double = 0
  ) throws(Diagnostic) {
    dataset.gather(positions, of: order, inputs: data.input.bytes, labels: data.label.bytes)
    learningRate?.bytes.storeBytes(of: Float(rate), as: Float.self)
    try session.run()
  }

  /// Runs on an input that is given whole, of which it may fill only a part.
  func run(input: ArraySlice<UInt8>) throws(Diagnostic) {
    input.withUnsafeBytes { data.input.bytes.copyMemory(from: $0) }
    try session.run()
  }

  /// The scalar that an output is after a run.
  ///
  /// Allocates nothing.
  func scalar(_ output: Int) -> Double {
    let bytes = outputs[output].bytes
    return switch outputs[output].type.dtype {
    case .f32: Double(bytes.load(as: Float.self))
    case .f64: bytes.load(as: Double.self)
    case .f16, .bf16, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool:
      outputs[output].literal().doubles()[0]
    }
  }
}
