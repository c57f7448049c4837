import GraphIR

/// Examples with their labels, in memory or read when they are needed.
///
/// A label may be a class, a number, or any tensor, as an image of classes. A part of a data set (`split`, a range,
/// `shuffled`) shares the numbers of the whole and has an order of its own.
public struct Dataset: Sendable {
  /// What one example looks like.
  public let signature: ExampleSignature
  /// The names of the classes that labels count; may be empty.
  public let classNames: [String]
  let inputs: Column
  let labels: Column
  /// The rows of the columns that are the examples.
  let order: [Int]
  /// How examples are changed at random in training.
  let pipeline: AugmentationPipeline

  /// Makes a data set of inputs `[n, ...]` and labels `[n, ...]`.
  ///
  /// - Throws: when there is no first dimension, or the two differ in it.
  public init(
    inputs: Literal, labels: Literal, inputName: String = "input", labelName: String = "label",
    classNames: [String] = []
  ) throws(Diagnostic) {
    guard let count = inputs.type.shape.extents.first, labels.type.shape.extents.first == count
    else {
      throw Diagnostic(
        .shapeMismatch,
        "the inputs \(inputs.type) and the labels \(labels.type) do not agree in a first dimension",
        hint: "the first dimension of both counts the examples")
    }
    try self.init(
      inputs: Column(inputs), labels: Column(labels), inputName: inputName, labelName: labelName,
      classNames: classNames)
  }

  /// Makes a data set of columns, of which each may be in memory or be read.
  ///
  /// - Throws: when the two are not of as many examples.
  public init(
    inputs: Column, labels: Column, inputName: String = "input", labelName: String = "label",
    classNames: [String] = []
  ) throws(Diagnostic) {
    guard inputs.count == labels.count else {
      throw Diagnostic(
        .shapeMismatch, "there are \(inputs.count) inputs and \(labels.count) labels",
        hint: "each example has one of both")
    }
    self.init(
      inputs, labels, Array(0..<inputs.count),
      ExampleSignature(
        inputName: inputName, input: inputs.type, labelName: labelName, label: labels.type),
      classNames, AugmentationPipeline())
  }

  private init(
    _ inputs: Column, _ labels: Column, _ order: [Int], _ signature: ExampleSignature,
    _ classNames: [String], _ pipeline: AugmentationPipeline
  ) {
    self.inputs = inputs
    self.labels = labels
    self.order = order
    self.signature = signature
    self.classNames = classNames
    self.pipeline = pipeline
  }

  // MARK: Parts

  /// The number of examples.
  public var count: Int { order.count }

  /// The examples at the given positions; positions that do not exist are left out.
  public subscript(range: Range<Int>) -> Dataset {
    reordered(Array(order[range.clamped(to: 0..<count)]))
  }

  /// The same examples in an order that the seed decides.
  public func shuffled(seed: UInt64) -> Dataset {
    selecting(permutation(seed: seed))
  }

  /// The positions of all examples in an order that the seed decides.
  func permutation(seed: UInt64) -> [Int] {
    var generator = Philox(seed: seed, stream: Philox.hash("shuffle"))
    return generator.permutation(count)
  }

  /// The examples at the given positions, in their order.
  func selecting(_ positions: [Int]) -> Dataset { reordered(positions.map { order[$0] }) }

  private func reordered(_ order: [Int]) -> Dataset {
    Dataset(inputs, labels, order, signature, classNames, pipeline)
  }

  /// The same examples with others for inputs or labels, row by row, or other random changes.
  ///
  /// - Throws: when there are not as many, or the changes are not for such examples.
  func replacing(
    inputs: Column? = nil, labels: Column? = nil, classNames: [String]? = nil,
    pipeline: AugmentationPipeline? = nil
  ) throws(Diagnostic) -> Dataset {
    let (inputs, labels) = (inputs ?? self.inputs, labels ?? self.labels)
    let pipeline = pipeline ?? self.pipeline
    guard inputs.count == self.inputs.count, labels.count == self.labels.count else {
      throw Diagnostic(.internalError, "a column of another length takes the place of one")
    }
    var signature = signature
    (signature.input, signature.label) = (inputs.type, labels.type)
    return Dataset(
      inputs, labels, order, try pipeline.outcome(signature), classNames ?? self.classNames,
      pipeline)
  }

  // MARK: Reading

  /// The input and the label of one example, without random changes.
  ///
  /// - Throws: when there is no such example, or what is wrong with reading it.
  public func example(_ index: Int) throws(Diagnostic) -> (input: Literal, label: Literal) {
    try checkIndex(index)
    guard !pipeline.changes.isEmpty else {
      return (try inputs.row(order[index]), try labels.row(order[index]))
    }
    let example = try changed(order[index], nil)
    return (Literal(signature.input.shape, example.values), example.label)
  }

  func checkIndex(_ index: Int) throws(Diagnostic) {
    guard order.indices.contains(index) else {
      throw Diagnostic(.argument, "there is no example \(index) among \(count)")
    }
  }

  /// The first `count` examples as one batch, without random changes; repeated from the start where there are fewer.
  package func batch(_ size: Int) throws(Diagnostic) -> (inputs: Literal, labels: Literal) {
    guard count > 0 || size == 0 else { throw Diagnostic(.argument, "the data set is empty") }
    var bytes: (inputs: [UInt8], labels: [UInt8]) = ([], [])
    for position in 0..<size {
      let (input, label) = try example(position % count)
      bytes.inputs += input.bytes
      bytes.labels += label.bytes
    }
    guard let inputs = Literal(signature.batchedInput(size), bytes: bytes.inputs),
      let labels = Literal(signature.batchedLabel(size), bytes: bytes.labels)
    else { throw Diagnostic(.internalError, "\(size) examples do not make a batch") }
    return (inputs, labels)
  }

  /// Whether examples are read or changed when they are needed, and not only copied.
  var isWork: Bool {
    !inputs.isInMemory || !labels.isInMemory || !pipeline.changes.isEmpty
  }

  /// Copies the examples at `positions` of `order` into the memory of a batch.
  ///
  /// Allocates nothing for plain examples in memory.
  ///
  /// - Parameter draw: What decides the random changes; nil for none.
  func gather(
    _ positions: Range<Int>, of order: [Int], _ draw: AugmentationDraw?,
    inputs: UnsafeMutableRawBufferPointer, labels: UnsafeMutableRawBufferPointer
  ) throws(Diagnostic) {
    guard !pipeline.changes.isEmpty else {
      try self.inputs.copy(positions, of: order, self.order, into: inputs)
      try self.labels.copy(positions, of: order, self.order, into: labels)
      return
    }
    let size = (input: signature.input.byteCount, label: signature.label.byteCount)
    for (place, position) in positions.enumerated() {
      let example = try changed(self.order[order[position]], draw)
      example.values.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: inputs[place * size.input..<inputs.count])
          .copyMemory(from: $0)
      }
      example.label.bytes.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: labels[place * size.label..<labels.count])
          .copyMemory(from: $0)
      }
    }
  }
}
