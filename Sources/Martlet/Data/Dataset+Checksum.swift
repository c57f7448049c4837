import GraphIR

extension Dataset {
  /// The most bytes of examples in memory that count, and the most examples that are read for it.
  private static let most = (bytes: 1 << 28, read: 16)

  /// Stands for what examples there are and in which order: all that is in memory, and of what is read or changed at random
  /// a few; of more than fits, examples at even distances.
  ///
  /// - Throws: what is wrong with reading an example.
  func checksum() throws(Diagnostic) -> Checksum {
    var sum = Checksum()
    sum.add("\(signature.input) \(signature.label) \(count)")
    for column in [inputs, labels] {
      let most = column.isInMemory ? Dataset.most.bytes / max(column.type.byteCount, 1) : 0
      for row in order.spread(to: max(most, Dataset.most.read)) {
        sum.add(try column.row(row).bytes)
      }
    }
    guard !pipeline.changes.isEmpty else { return sum }
    sum.add(pipeline.changes.map(\.name).joined(separator: " ") + " \(pipeline.seed)")
    for row in order.spread(to: Dataset.most.read) {
      let example = try changed(row, AugmentationDraw(seed: 0, epoch: 0))
      example.values.withUnsafeBytes { sum.add(Array($0)) }
      sum.add(example.label.bytes)
    }
    return sum
  }
}
