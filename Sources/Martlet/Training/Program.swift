import GraphIR
import Runtime

/// A compiled graph of a trainer, bound to the trainer's state and ready to run again and again.
final class Program {
  private var session: Session
  private let data: (input: Buffer, label: Buffer)
  private let learningRate: Buffer?
  private let exampleCount: Buffer?
  /// What a run gives, in the graph's order: the loss and the metrics come first.
  let outputs: [Buffer]
  /// The names of the outputs.
  let outputNames: [String]
  /// The memory that this program takes beside the trainer's state; nil where its backend plans none.
  let ownBytes: Int?
  /// The number of examples that a run takes.
  let batch: Int
  /// The integers that labels may be; nil where they may be anything.
  private let labelRange: ClosedRange<Int>?

  /// Compiles a graph and binds its state.
  ///
  /// - Parameter usingAverages: Whether a parameter that has a running mean is bound to that.
  init(
    _ step: StepGraph, state: ModelState, usingAverages: Bool, example: ExampleSignature,
    batch: Int,
    backend: any Backend
  ) throws(Diagnostic) {
    let executable = try backend.prepare(step.graph)
    var bound: [Int: Buffer] = [:]
    for (index, input) in executable.inputs.enumerated() {
      let average = usingAverages ? state[StepTracer.averageName(input.name)] : nil
      bound[index] = average ?? state[input.name]
    }
    let session = try Session(executable, inputs: bound)
    let planned = executable.statistics.peakBytes
    let shared = bound.values.reduce(0) { $0 + Buffer.allocatedBytes($1.type) }
    ownBytes = planned == 0 ? nil : planned - shared
    let inputs = session.inputs
    func buffer(_ name: String) -> Buffer? {
      executable.inputs.firstIndex { $0.name == name }.map { inputs[$0] }
    }
    // A prediction has no labels, and an update neither inputs; they never ask for a batch of examples.
    data = (
      buffer(example.inputName) ?? Buffer(example.batchedInput(batch)),
      buffer(example.labelName) ?? Buffer(example.batchedLabel(batch))
    )
    exampleCount = buffer(StepTracer.exampleCountName)
    learningRate = buffer(StepTracer.learningRateName)
    outputs = session.outputs
    outputNames = executable.outputs.map(\.name)
    self.batch = batch
    labelRange = step.labelRange
    self.session = session
  }

  /// Copies examples into the inputs and runs.
  ///
  /// Allocates nothing for plain examples in memory.
  func run(
    _ feed: BatchFeed, _ positions: Range<Int>, of order: [Int], learningRate rate: Double = 0
  ) throws(Diagnostic) {
    try feed.gather(positions, of: order, inputs: data.input.bytes, labels: data.label.bytes)
    if let labelRange { try checkLabels(within: labelRange, positions, of: order) }
    learningRate?.bytes.storeBytes(of: rate, as: Double.self)
    try session.run()
  }

  /// Checks that the labels of the batch name classes: the loss of another label would still be a number.
  private func checkLabels(
    within range: ClosedRange<Int>, _ positions: Range<Int>, of order: [Int]
  ) throws(Diagnostic) {
    let place =
      switch data.label.type.dtype {
      case .i8: firstLabel(outside: range, Int8.self)
      case .i16: firstLabel(outside: range, Int16.self)
      case .i32: firstLabel(outside: range, Int32.self)
      case .i64: firstLabel(outside: range, Int64.self)
      case .u8: firstLabel(outside: range, UInt8.self)
      case .u16: firstLabel(outside: range, UInt16.self)
      case .u32: firstLabel(outside: range, UInt32.self)
      case .u64: firstLabel(outside: range, UInt64.self)
      case .f16, .bf16, .f32, .f64, .bool: nil as (index: Int, value: String)?
      }
    guard let place else { return }
    let labels = data.label.type.shape.elementCount / max(batch, 1)
    let example = order[positions.lowerBound + place.index / max(labels, 1)]
    throw Diagnostic(
      .argument,
      "the label \(place.value) of example \(example) names none of \(range.upperBound + 1) classes",
      hint: "for each label the model gives \(range.upperBound + 1) outputs: labels are "
        + "0 to \(range.upperBound)")
  }

  /// The first label of the batch that is not in a range.
  ///
  /// Allocates nothing unless there is one.
  private func firstLabel<Number: FixedWidthInteger>(
    outside range: ClosedRange<Int>, _ type: Number.Type
  ) -> (index: Int, value: String)? {
    for index in 0..<data.label.type.shape.elementCount {
      let label = data.label.bytes.load(
        fromByteOffset: index * MemoryLayout<Number>.stride, as: Number.self)
      if !range.contains(Int(clamping: label)) { return (index, "\(label)") }
    }
    return nil
  }

  /// Runs an update with the gradients that were summed up over a number of examples.
  ///
  /// Allocates nothing.
  func update(of count: Int, learningRate rate: Double) throws(Diagnostic) {
    learningRate?.bytes.storeBytes(of: rate, as: Double.self)
    exampleCount?.bytes.storeBytes(of: Double(count), as: Double.self)
    try session.run()
  }

  /// Runs on an input that is given whole, of which it may fill only a part.
  func run(input: ArraySlice<UInt8>) throws(Diagnostic) {
    input.withUnsafeBytes { data.input.bytes.copyMemory(from: $0) }
    try session.run()
  }

  /// Adds the elements of an output, times a factor, to sums from a place on.
  ///
  /// Allocates nothing.
  func add(output: Int, times factor: Double, to sums: inout [Double], at start: Int) {
    let buffer = outputs[output]
    for index in 0..<buffer.type.shape.elementCount {
      let value =
        switch buffer.type.dtype {
        case .f32: Double(buffer.bytes.load(fromByteOffset: 4 * index, as: Float.self))
        case .f64: buffer.bytes.load(fromByteOffset: 8 * index, as: Double.self)
        case .f16, .bf16, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool:
          buffer.literal().doubles()[index]
        }
      sums[start + index] += factor * value
    }
  }
}
