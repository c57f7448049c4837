import GraphIR

/// Choosing examples by their labels.
extension Dataset {
  /// The class of each example.
  ///
  /// - Throws: when labels are not integers, one for each example.
  public func classes() throws(Diagnostic) -> [Int] {
    guard labels.type.dtype.isInteger, labels.type.shape.rank == 0 else {
      throw Diagnostic(
        .typeMismatch, "labels of \(labels.type) are no classes",
        hint: "classes are integers, one for each example")
    }
    let values = try labels.all().doubles()
    return order.map { Int(saturating: values[$0]) }
  }

  /// The examples of some classes, in the present order.
  ///
  /// - Parameter renumbered: Whether labels become places in `classes`, from 0, so that a model may have as many outputs.
  /// - Throws: when labels are not classes, or a class is named twice or has no examples.
  public func examples(
    ofClasses classes: [Int], renumbered: Bool = false
  ) throws(Diagnostic) -> Dataset {
    let own = try self.classes()
    let present = Set(own)
    for (place, number) in classes.enumerated() {
      guard present.contains(number) else {
        throw Diagnostic(
          .argument, "no example is of class \(number)",
          hint: "classes are \(Dataset.list(present))")
      }
      guard !classes[..<place].contains(number) else {
        throw Diagnostic(.argument, "class \(number) is named twice")
      }
    }
    let places = Dictionary(uniqueKeysWithValues: zip(classes, classes.indices))
    let chosen = selecting(own.indices.filter { places[own[$0]] != nil })
    guard renumbered else { return chosen }
    var numbers = [Double](repeating: 0, count: labels.count)
    for (position, row) in order.enumerated() {
      numbers[row] = Double(places[own[position]] ?? 0)
    }
    let names = classes.compactMap { classNames.indices.contains($0) ? classNames[$0] : nil }
    return try chosen.replacing(
      labels: Column(
        Literal(TensorType(labels.type.dtype, [labels.count]), doubles: numbers)),
      classNames: names.count == classes.count ? names : [])
  }

  /// The first examples of each class, in the present order; shuffle before to choose any.
  ///
  /// - Throws: when labels are not classes, or a class has fewer examples.
  public func prefix(ofEachClass count: Int) throws(Diagnostic) -> Dataset {
    guard count >= 0 else {
      throw Diagnostic(.argument, "\(count) examples of each class", hint: "at least 0")
    }
    let classes = try classes()
    var taken: [Int: Int] = [:]
    let positions = classes.indices.filter { position in
      taken[classes[position], default: 0] += 1
      return taken[classes[position], default: 0] <= count
    }
    if let few = taken.filter({ $0.value < count }).min(by: { $0.key < $1.key }) {
      throw Diagnostic(
        .argument, "class \(few.key) has \(few.value) examples, not \(count)",
        hint: "each class needs as many as are taken")
    }
    return selecting(positions)
  }

  /// The examples of which a condition on input and label is true, in the present order.
  ///
  /// - Throws: what the condition throws, or what is wrong with reading an example.
  public func filtered(
    _ isKept: (_ input: Literal, _ label: Literal) throws(Diagnostic) -> Bool
  ) throws(Diagnostic) -> Dataset {
    var positions: [Int] = []
    for position in 0..<count {
      let (input, label) = try example(position)
      if try isKept(input, label) { positions.append(position) }
    }
    return selecting(positions)
  }

  /// These examples and then others, which look alike.
  ///
  /// - Throws: when their types or class names differ, or one is augmented.
  public func appending(_ other: Dataset) throws(Diagnostic) -> Dataset {
    guard classNames.isEmpty || other.classNames.isEmpty || classNames == other.classNames else {
      throw Diagnostic(
        .argument, "two data sets do not name their classes alike",
        notes: [
          "one has \(classNames.joined(separator: ", "))",
          "the other has \(other.classNames.joined(separator: ", "))",
        ])
    }
    guard pipeline.changes.isEmpty, other.pipeline.changes.isEmpty else {
      throw Diagnostic(
        .argument, "an augmented data set is to be joined with another",
        hint: "join them first and augment the whole")
    }
    return try Dataset(
      inputs: inputs.appending(other.inputs), labels: labels.appending(other.labels),
      inputName: signature.inputName, labelName: signature.labelName,
      classNames: classNames.isEmpty ? other.classNames : classNames
    ).selecting(order + other.order.map { $0 + inputs.count })
  }

  private static func list(_ classes: Set<Int>) -> String {
    let shown = classes.sorted().prefix(12).map(String.init).joined(separator: ", ")
    return classes.count > 12 ? shown + ", ..." : shown
  }
}
