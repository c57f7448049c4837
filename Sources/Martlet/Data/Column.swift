import GraphIR

/// One side of a data set, its inputs or its labels: a tensor of one type for each example, in memory or read when it is
/// needed, so that more examples can be had than fit in memory.
public struct Column: Sendable {
  /// The number of examples.
  public let count: Int
  /// The type of one example's tensor.
  public let type: TensorType
  /// The bytes of one example.
  let rowBytes: Int
  private let storage: Storage

  private enum Storage: Sendable {
    case memory(Literal)
    case reader(@Sendable (Int) throws(Diagnostic) -> Literal)
  }

  /// Makes a column of a tensor `[n, ...]`, whose first dimension counts the examples.
  ///
  /// - Throws: when it has no first dimension.
  public init(_ rows: Literal) throws(Diagnostic) {
    guard let count = rows.type.shape.extents.first else {
      throw Diagnostic(
        .shapeMismatch, "\(rows.type) holds no examples",
        hint: "the first dimension counts the examples")
    }
    let type = TensorType(rows.type.dtype, Shape(Array(rows.type.shape.extents.dropFirst())))
    self.init(count: count, of: type, .memory(rows))
  }

  /// Makes a column whose examples are read when they are needed.
  ///
  /// - Parameter read: Gives the tensor of an example, from 0 to `count - 1`: the same whenever it is asked, and from any
  ///   thread. What it throws ends training, and is told where training was called.
  public init(
    count: Int, of type: TensorType,
    read: @escaping @Sendable (Int) throws(Diagnostic) -> Literal
  ) {
    self.init(count: max(count, 0), of: type, .reader(read))
  }

  private init(count: Int, of type: TensorType, _ storage: Storage) {
    self.count = count
    self.type = type
    rowBytes = type.byteCount
    self.storage = storage
  }

  /// Whether all examples are in memory.
  public var isInMemory: Bool { memory != nil }

  /// All examples as one tensor `[n, ...]`; nil when they are read.
  var memory: Literal? {
    switch storage {
    case .memory(let rows): rows
    case .reader: nil
    }
  }

  /// The tensor of one example.
  ///
  /// - Throws: when there is no such example, or what is wrong with reading it.
  public func row(_ index: Int) throws(Diagnostic) -> Literal {
    guard (0..<count).contains(index) else {
      throw Diagnostic(.argument, "there is no example \(index) among \(count)")
    }
    switch storage {
    case .memory(let rows):
      let bytes = Array(rows.bytes[index * rowBytes..<(index + 1) * rowBytes])
      guard let row = Literal(type, bytes: bytes) else {
        throw Diagnostic(.internalError, "a row of \(rows.type) does not make \(type)")
      }
      return row
    case .reader(let read):
      let row = try read(index)
      guard row.type == type else {
        throw Diagnostic(
          .shapeMismatch, "example \(index) is read as \(row.type), and should be \(type)")
      }
      return row
    }
  }

  /// The elements of one example of f32, copied as a whole: element by element would take longer than most changes of them.
  func floats(_ index: Int) throws(Diagnostic) -> [Float] {
    let row = try row(index)
    return row.bytes.withUnsafeBytes { raw in
      let size = raw.count / MemoryLayout<Float>.size
      return [Float](unsafeUninitializedCapacity: size) { elements, count in
        UnsafeMutableRawBufferPointer(elements).copyMemory(from: raw)
        count = size
      }
    }
  }

  /// The tensors of all examples as one `[n, ...]`, read where they are not in memory.
  func all() throws(Diagnostic) -> Literal {
    if let memory { return memory }
    return try rows(Array(0..<count))
  }

  /// The tensors of some examples as one `[n, ...]`.
  ///
  /// - Throws: what is wrong with reading them.
  func rows(_ indices: [Int]) throws(Diagnostic) -> Literal {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(indices.count * rowBytes)
    for index in indices { bytes += try row(index).bytes }
    let type = TensorType(type.dtype, Shape([indices.count] + type.shape.extents))
    guard let rows = Literal(type, bytes: bytes) else {
      throw Diagnostic(.internalError, "\(indices.count) rows do not make \(type)")
    }
    return rows
  }

  /// Copies the examples `indices[order[position]]` into memory, one behind the other.
  ///
  /// Allocates nothing for what is in memory, whatever the optimizer makes of it: hence the plain loops and pointers.
  func copy(
    _ positions: Range<Int>, of order: [Int], _ indices: [Int],
    into memory: UnsafeMutableRawBufferPointer
  ) throws(Diagnostic) {
    precondition(memory.count >= positions.count * rowBytes, "the batch is larger than its memory")
    switch storage {
    case .memory(let rows):
      rows.bytes.withUnsafeBytes { source in
        guard var target = memory.baseAddress, let start = source.baseAddress else { return }
        var position = positions.lowerBound
        while position < positions.upperBound {
          target.copyMemory(
            from: start + indices[order[position]] * rowBytes, byteCount: rowBytes)
          target += rowBytes
          position += 1
        }
      }
    case .reader:
      guard var target = memory.baseAddress else { return }
      for position in positions {
        let row = try row(indices[order[position]])
        row.bytes.withUnsafeBytes { source in
          if let start = source.baseAddress {
            target.copyMemory(from: start, byteCount: rowBytes)
          }
        }
        target += rowBytes
      }
    }
  }

  /// The column of what a function makes of each tensor: at once of what is in memory, else when it is read.
  ///
  /// - Throws: what the function throws, or when it gives another type than it should.
  func mapped(
    to type: TensorType, _ transform: @escaping @Sendable (Literal) throws(Diagnostic) -> Literal
  ) throws(Diagnostic) -> Column {
    let column = self
    let mapped = Column(count: count, of: type) { index throws(Diagnostic) in
      try transform(try column.row(index))
    }
    return isInMemory ? try Column(try mapped.rows(Array(0..<count))) : mapped
  }

  /// The column of these examples and then others of the same type.
  ///
  /// - Throws: when the types differ.
  func appending(_ other: Column) throws(Diagnostic) -> Column {
    guard type == other.type else {
      throw Diagnostic(
        .typeMismatch, "examples of \(type) and of \(other.type) do not make one data set")
    }
    if let memory, let others = other.memory {
      let extents = [count + other.count] + type.shape.extents
      let bytes = memory.bytes + others.bytes
      if let rows = Literal(TensorType(type.dtype, Shape(extents)), bytes: bytes) {
        return try Column(rows)
      }
    }
    let first = self
    return Column(count: count + other.count, of: type) { index throws(Diagnostic) in
      try index < first.count ? first.row(index) : other.row(index - first.count)
    }
  }
}
