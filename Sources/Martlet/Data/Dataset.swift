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
      classNames)
  }

  private init(
    _ inputs: Column, _ labels: Column, _ order: [Int], _ signature: ExampleSignature,
    _ classNames: [String]
  ) {
    self.inputs = inputs
    self.labels = labels
    self.order = order
    self.signature = signature
    self.classNames = classNames
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
    Dataset(inputs, labels, order, signature, classNames)
  }

  /// The same examples with others for inputs or labels, row by row.
  ///
  /// - Throws: when there are not as many.
  func replacing(
    inputs: Column? = nil, labels: Column? = nil, classNames: [String]? = nil
  ) throws(Diagnostic) -> Dataset {
    let (inputs, labels) = (inputs ?? self.inputs, labels ?? self.labels)
    guard inputs.count == self.inputs.count, labels.count == self.labels.count else {
      throw Diagnostic(.internalError, "a column of another length takes the place of one")
    }
    var signature = signature
    (signature.input, signature.label) = (inputs.type, labels.type)
    return Dataset(inputs, labels, order, signature, classNames ?? self.classNames)
  }

  // MARK: Reading

  /// The input and the label of one example.
  ///
  /// - Throws: when there is no such example, or what is wrong with reading it.
  public func example(_ index: Int) throws(Diagnostic) -> (input: Literal, label: Literal) {
    guard order.indices.contains(index) else {
      throw Diagnostic(.argument, "there is no example \(index) among \(count)")
    }
    return (try inputs.row(order[index]), try labels.row(order[index]))
  }

  /// The first `count` examples as one batch; repeated from the start where there are fewer.
  package func batch(_ size: Int) throws(Diagnostic) -> (inputs: Literal, labels: Literal) {
    guard count > 0 || size == 0 else { throw Diagnostic(.argument, "the data set is empty") }
    let rows = (0..<size).map { order[$0 % count] }
    return (try inputs.rows(rows), try labels.rows(rows))
  }

  /// Copies the examples at `positions` of `order` into the memory of a batch.
  ///
  /// Allocates nothing for examples in memory.
  func gather(
    _ positions: Range<Int>, of order: [Int], inputs: UnsafeMutableRawBufferPointer,
    labels: UnsafeMutableRawBufferPointer
  ) throws(Diagnostic) {
    try self.inputs.copy(positions, of: order, self.order, into: inputs)
    try self.labels.copy(positions, of: order, self.order, into: labels)
  }
}
