import GraphIR

/// Examples with their labels: two tensors whose first dimension counts the examples.
///
/// A part of a data set (`split`, a range, `shuffled`) shares the numbers of the whole and has an order of its own.
public struct Dataset: Sendable {
  /// What one example looks like.
  public let signature: ExampleSignature
  /// The names of the classes that labels count; may be empty.
  public let classNames: [String]
  private let inputs: Literal
  private let labels: Literal
  private let order: [Int]
  /// The bytes of one example.
  private let rowBytes: (input: Int, label: Int)

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
    func element(_ type: TensorType) -> TensorType {
      TensorType(type.dtype, Shape(Array(type.shape.extents.dropFirst())))
    }
    signature = ExampleSignature(
      inputName: inputName, input: element(inputs.type), labelName: labelName,
      label: element(labels.type))
    self.inputs = inputs
    self.labels = labels
    self.classNames = classNames
    order = Array(0..<count)
    rowBytes = (signature.input.byteCount, signature.label.byteCount)
  }

  private init(_ whole: Dataset, order: [Int]) {
    signature = whole.signature
    classNames = whole.classNames
    inputs = whole.inputs
    labels = whole.labels
    self.order = order
    rowBytes = whole.rowBytes
  }

  /// The number of examples.
  public var count: Int { order.count }

  /// The examples at the given positions; positions that do not exist are left out.
  public subscript(range: Range<Int>) -> Dataset {
    Dataset(self, order: Array(order[range.clamped(to: 0..<count)]))
  }

  /// The same examples in an order that the seed decides.
  public func shuffled(seed: UInt64) -> Dataset {
    var generator = Philox(seed: seed, stream: Philox.hash("shuffle"))
    return Dataset(self, order: generator.permutation(count).map { order[$0] })
  }

  /// Parts this set into three, after a shuffle that the seed decides.
  ///
  /// Shares are of all examples.
  ///
  /// - Throws: when a share is negative or both together leave nothing to train on.
  public func split(
    validation: Double = 0, test: Double, seed: UInt64 = 0
  ) throws(Diagnostic) -> DataSplit {
    guard validation >= 0, test >= 0, validation + test < 1 else {
      throw Diagnostic(
        .argument,
        "shares of \(validation) for validation and \(test) for the test do not split a set",
        hint: "shares are from 0 and together below 1")
    }
    let shuffled = shuffled(seed: seed)
    let testCount = Int((Double(count) * test).rounded())
    let validationCount = Int((Double(count) * validation).rounded())
    let trainCount = max(count - testCount - validationCount, 0)
    return DataSplit(
      train: shuffled[0..<trainCount],
      validation: validationCount == 0
        ? nil : shuffled[trainCount..<trainCount + validationCount],
      test: shuffled[(trainCount + validationCount)..<count])
  }

  /// The input and the label of one example.
  ///
  /// - Throws: when there is no such example.
  public func example(_ index: Int) throws(Diagnostic) -> (input: Literal, label: Literal) {
    guard order.indices.contains(index) else {
      throw Diagnostic(.argument, "there is no example \(index) among \(count)")
    }
    return (
      try part([order[index]], of: inputs, signature.input),
      try part([order[index]], of: labels, signature.label)
    )
  }

  /// The first `count` examples as one batch; repeated from the start where there are fewer.
  package func batch(_ size: Int) throws(Diagnostic) -> (inputs: Literal, labels: Literal) {
    guard count > 0 || size == 0 else { throw Diagnostic(.argument, "the data set is empty") }
    let rows = (0..<size).map { order[$0 % count] }
    return (
      try part(rows, of: inputs, signature.batchedInput(size)),
      try part(rows, of: labels, signature.batchedLabel(size))
    )
  }

  private func part(
    _ rows: [Int], of literal: Literal, _ type: TensorType
  ) throws(Diagnostic) -> Literal {
    let size = literal.type.byteCount / max(literal.type.shape[0], 1)
    let bytes = rows.flatMap { literal.bytes[$0 * size..<($0 + 1) * size] }
    guard let part = Literal(type, bytes: bytes) else {
      throw Diagnostic(.internalError, "rows of \(literal.type) do not make \(type)")
    }
    return part
  }

  /// Copies the examples at `positions` of `order` into the memory of a batch.
  ///
  /// Allocates nothing, whatever the optimizer makes of it: hence the plain loops and pointers.
  func gather(
    _ positions: Range<Int>, of order: [Int], inputs: UnsafeMutableRawBufferPointer,
    labels: UnsafeMutableRawBufferPointer
  ) {
    gather(positions, of: order, self.inputs, rowBytes.input, into: inputs)
    gather(positions, of: order, self.labels, rowBytes.label, into: labels)
  }

  private func gather(
    _ positions: Range<Int>, of order: [Int], _ literal: Literal, _ size: Int,
    into memory: UnsafeMutableRawBufferPointer
  ) {
    precondition(memory.count >= positions.count * size, "the batch is larger than its memory")
    literal.bytes.withUnsafeBytes { source in
      guard var target = memory.baseAddress, let start = source.baseAddress else { return }
      var position = positions.lowerBound
      while position < positions.upperBound {
        target.copyMemory(from: start + self.order[order[position]] * size, byteCount: size)
        target += size
        position += 1
      }
    }
  }
}

/// A data set in parts: to train on, to choose by, and to judge with.
public struct DataSplit: Sendable {
  /// The examples that training sees.
  public let train: Dataset
  /// The examples by which settings are chosen; nil when there are none.
  public let validation: Dataset?
  /// The examples by which the result is judged.
  public let test: Dataset

  /// Makes a split of given parts.
  public init(train: Dataset, validation: Dataset? = nil, test: Dataset) {
    self.train = train
    self.validation = validation
    self.test = test
  }
}
